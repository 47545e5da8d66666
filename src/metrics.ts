import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What `/metrics` shows. One registry a server, so that two servers in one process do not share figures. */
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
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
  return {
    registry,
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
  }
}
