import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ctx } from '../context.ts'
import { jobKinds, type JobKind, type TakenJob } from '../store/job-queue.ts'
import { handlers } from './handlers.ts'
import type { Handler, Hands } from './hands.ts'
import { openLedger } from './ledger.ts'
import { createPatience, type Patience } from './patience.ts'
import { reclaim } from './reclaim.ts'

/** How long a job that is due waits at most for an idle worker to look. */
const pollMilliseconds = 500
/** A worker that found as many as it had asked for looks again after this: what came meanwhile is taken together. */
const busyMilliseconds = 20
/** How long what was done waits for more to be written with it. */
const gatherMilliseconds = 10
/** How often somebody looks for jobs whose worker died. */
const reclaimMilliseconds = 5_000

export interface Worker {
  /** Takes no more jobs and waits for those in hand; what has not ended within `milliseconds` is left to another worker. */
  stop(milliseconds: number): Promise<void>
}

/**
 * Takes jobs and runs them, beside any number of other workers in other processes. Whatever a job does, it and the end of
 * the job are written in one transaction, so a worker that is killed leaves the job as it was, for the next one.
 * @param patience what is known of destinations; nothing yet when left out
 */
export function startWorker(ctx: Ctx, patience = createPatience()): Worker {
  const hands = handsOf(ctx, hostname(), patience, { gatherMilliseconds, rest: (milliseconds) => sleep(milliseconds) })
  const loops = jobKinds.map((kind) => startLoop(ctx, hands, kind))
  const lookForLost = () => {
    reclaim(ctx).catch((error: unknown) => ctx.log.error({ err: error }, 'lost jobs cannot be looked for'))
  }
  // At once too: where no worker lives for long, none would ever come to it.
  lookForLost()
  const reclaiming = setInterval(lookForLost, reclaimMilliseconds)
  reclaiming.unref()
  return {
    async stop(milliseconds) {
      clearInterval(reclaiming)
      await Promise.all(loops.map((loop) => loop.stop(milliseconds)))
    },
  }
}

/** Runs every job that is due now, one after another, and returns how many. For tests and for tools. */
export async function runDueJobs(ctx: Ctx): Promise<number> {
  const hands = handsOf(ctx, 'once', createPatience(), { gatherMilliseconds: 0, rest: async () => {} })
  let done = 0
  for (;;) {
    const before = done
    for (const kind of jobKinds) {
      for (const job of await ctx.store.jobs.take(kind, 10)) {
        await handlers[kind].run(ctx, hands, job)
        done++
      }
    }
    if (done === before) return done
  }
}

interface Pace extends Pick<Hands, 'rest'> {
  readonly gatherMilliseconds: number
}

function handsOf(ctx: Ctx, place: string, patience: Patience, { gatherMilliseconds: wait, rest }: Pace): Hands {
  const worker = `${place}/${process.pid}/${ctx.newId()}`
  return { worker, patience, ledger: openLedger(ctx, worker, wait), rest }
}

function startLoop(ctx: Ctx, hands: Hands, kind: JobKind) {
  const handler = handlers[kind]
  const running = new Map<Promise<void>, TakenJob>()
  let isStopping = false
  let hasEnded = false
  let isWaitingForAnEnd = false
  let wake = () => {}

  const look = async (): Promise<void> => {
    while (!isStopping) {
      hasEnded = false
      const { limit, exceptGroups } = roomFor(ctx, handler, running.values())
      const taken = limit > 0 ? await ctx.store.jobs.take(kind, limit, exceptGroups).catch(logged(ctx)) : []
      for (const job of taken) start(job)
      // As many as there was room for: there may be more.
      if (taken.length === limit) await sleep(busyMilliseconds)
      else {
        // What has no room is taken once there is some, and what a job leads to once it has ended.
        isWaitingForAnEnd = exceptGroups.length > 0 || handler.isChained === true
        if (!(isWaitingForAnEnd && hasEnded)) await idle()
        if (isWaitingForAnEnd) await sleep(busyMilliseconds)
        isWaitingForAnEnd = false
      }
    }
  }
  /** Until it is time to look again, or something wakes it. */
  const idle = async (): Promise<void> => {
    const waited = new AbortController()
    wake = () => waited.abort()
    if (!isStopping) await sleep(pollMilliseconds, null, { signal: waited.signal }).catch(() => {})
  }
  const start = (job: TakenJob): void => {
    const ended = handler
      .run(ctx, hands, job)
      .catch(async (error: unknown) => {
        ctx.log.error({ err: error, job: job.id, kind }, 'job failed; it is tried again')
        await ctx.store.jobs.giveBack(kind, job).catch(logged(ctx))
      })
      .finally(() => {
        running.delete(ended)
        hasEnded = true
        if (isWaitingForAnEnd) wake()
      })
    running.set(ended, job)
  }
  const looking = look()
  return {
    async stop(milliseconds: number): Promise<void> {
      isStopping = true
      wake()
      const patience = new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref())
      await Promise.race([Promise.all([looking, ...running.keys()]), patience])
      if (running.size === 0) return
      await handler.release?.(ctx, hands)
      await Promise.all([...running.values()].map((job) => ctx.store.jobs.giveBack(kind, job)))
    },
  }
}

/**
 * How many jobs may be taken, and of which groups none. Whatever is taken may be of one group, and leaves none of them with
 * more than it may have; those that have half of it wait, so that the others are not taken one by one.
 */
function roomFor(ctx: Ctx, handler: Handler, running: Iterable<TakenJob>) {
  const jobs = [...running]
  const ofGroup = handler.concurrencyOfGroup(ctx)
  const counts = new Map<string, number>()
  for (const { group } of jobs) if (group !== null) counts.set(group, (counts.get(group) ?? 0) + 1)
  const exceptGroups = [...counts].filter(([, count]) => count >= ofGroup / 2).map(([group]) => group)
  const most = Math.max(0, ...[...counts.values()].filter((count) => count < ofGroup / 2))
  return { limit: Math.min(handler.concurrency(ctx) - jobs.length, ofGroup - most), exceptGroups }
}

function logged(ctx: Ctx): (error: unknown) => never[] {
  return (error) => {
    ctx.log.error({ err: error }, 'jobs cannot be taken')
    return []
  }
}
