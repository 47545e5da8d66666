import { setTimeout } from 'node:timers/promises'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What `/metrics` shows. Two servers in one process share the figures of the process and no others. */
export interface Metrics {
  readonly registry: Registry
  /** Seconds from the arrival of a vote to its durable answer, by outcome. */
  readonly voteSeconds: Histogram<'outcome'>
  readonly decisions: Counter<'status'>
  /** Seconds from opening a request to its end. */
  readonly decisionSeconds: Histogram<'status'>
  /** Attempts at deliveries. */
  readonly deliveries: Counter<'kind' | 'outcome'>
  readonly watchers: Gauge
  readonly refusedLeaves: Counter
}

/** How many jobs of a kind are in a state, and for how many seconds the oldest of them has been due. */
export interface JobDepth {
  readonly kind: string
  readonly state: string
  readonly count: number
  readonly oldestSeconds: number
}

/** @param depths asks the store, when the figures are read */
export function createMetrics(depths: () => Promise<readonly JobDepth[]>): Metrics {
  const registry = new Registry()
  gaugeJobs(registry, depths)
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
  const own = {
    voteSeconds: new Histogram({
      name: 'quorate_vote_duration_seconds',
      help: 'Time from the arrival of a vote to its durable answer.',
      labelNames: ['outcome'],
      buckets,
      registers: [registry],
    }),
    decisions: new Counter({
      name: 'quorate_decisions_total',
      help: 'Requests that reached a status by a vote, a command or the clock.',
      labelNames: ['status'],
      registers: [registry],
    }),
    decisionSeconds: new Histogram({
      name: 'quorate_decision_seconds',
      help: 'Time from the opening of a request to the status that ended it.',
      labelNames: ['status'],
      buckets: [60, 300, 900, 3_600, 4 * 3_600, 12 * 3_600, 86_400, 3 * 86_400, 7 * 86_400, 30 * 86_400],
      registers: [registry],
    }),
    deliveries: new Counter({
      name: 'quorate_deliveries_total',
      help: 'Attempts at telling the world of a decision: completed, retried (failed, and tried again), or error (given up).',
      labelNames: ['kind', 'outcome'],
      registers: [registry],
    }),
    watchers: new Gauge({
      name: 'quorate_watchers',
      help: 'Calls of this process that wait for a request to change.',
      registers: [registry],
    }),
    refusedLeaves: new Counter({
      name: 'quorate_log_refused_leaves_total',
      help: 'Leaves that this process does not seal: the server did not write them.',
      registers: [registry],
    }),
  }
  return { ...own, registry: Registry.merge([ofProcess(), registry]) }
}

let processRegistry: Registry | undefined

/** Memory, processor and event loop. Made once: what measures the event loop ticks for as long as the process lives. */
function ofProcess(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry()
    collectDefaultMetrics({ register: processRegistry })
  }
  return processRegistry
}

/** How long an answer of the store is repeated: several who read the figures ask it once. */
const cacheMilliseconds = 5_000
/** Whoever reads the figures gets the others, when the store is away or too busy to count. */
const patienceMilliseconds = 2_000

/** Absent where the store did not say: a figure from before would look like one of now. */
function gaugeJobs(registry: Registry, depths: () => Promise<readonly JobDepth[]>): void {
  const recent = recently(depths)
  const gauge = (name: string, help: string, valueOf: (depth: JobDepth) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['kind', 'state'],
      registers: [registry],
      async collect() {
        const found = await recent()
        this.reset()
        for (const depth of found) this.set({ kind: depth.kind, state: depth.state }, valueOf(depth))
      },
    })
  gauge('quorate_jobs', 'Jobs in the store, of all processes.', ({ count }) => count)
  gauge(
    'quorate_job_oldest_seconds',
    'Since when the oldest job of a state has been due.',
    ({ oldestSeconds }) => oldestSeconds,
  )
}

/** What `ask` answered last; nothing when it fails or takes too long. It is never asked twice at once. */
function recently<T>(ask: () => Promise<readonly T[]>): () => Promise<readonly T[]> {
  let askedAt = -Infinity
  let isAsking = false
  let answer: Promise<readonly T[]> = Promise.resolve([])
  return async () => {
    if (!isAsking && performance.now() - askedAt >= cacheMilliseconds) {
      askedAt = performance.now()
      isAsking = true
      answer = ask()
        .catch(() => [])
        .finally(() => (isAsking = false))
    }
    return await Promise.race([answer, setTimeout(patienceMilliseconds, [], { ref: false })])
  }
}
