import { hostname } from 'node:os'
import type { Ctx } from '../context.ts'
import { jobKinds, type JobKind, type TakenJob } from '../store/job-queue.ts'
import { handlers } from './handlers.ts'
import type { Hands } from './hands.ts'
import { createPatience } from './patience.ts'
import { reclaim } from './reclaim.ts'

/** How long a job that is due waits at most for an idle worker to look. */
const pollMilliseconds = 500
/** How often somebody looks for jobs whose worker died. */
const reclaimMilliseconds = 5_000

export interface Worker {
  /** Takes no more jobs and waits for those in hand; what has not ended within `milliseconds` is left to another worker. */
  stop(milliseconds: number): Promise<void>
}

/**
 * Takes jobs and runs them, beside any number of other workers in other processes. Whatever a job does, it and the end of
 * the job are written in one transaction, so a worker that is killed leaves the job as it was, for the next one.
 */
export function startWorker(ctx: Ctx): Worker {
  const hands = { worker: `${hostname()}/${process.pid}/${ctx.newId()}`, patience: createPatience() }
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
  const hands = { worker: `once/${process.pid}/${ctx.newId()}`, patience: createPatience() }
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

function startLoop(ctx: Ctx, hands: Hands, kind: JobKind) {
  const handler = handlers[kind]
  const most = handler.concurrency(ctx)
  const ofGroup = handler.concurrencyOfGroup(ctx)
  const running = new Map<Promise<void>, TakenJob>()
  let isStopping = false
  let wake = () => {}

  const look = async (): Promise<void> => {
    while (!isStopping) {
      const free = most - running.size
      const taken = free > 0 ? await ctx.store.jobs.take(kind, free, fullGroups()).catch(logged(ctx)) : []
      for (const job of taken) start(job)
      // As many as there was room for: there may be more.
      if (taken.length > 0 && taken.length === free) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMilliseconds)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  /** Destinations that have all the attempts that one of them may have. */
  const fullGroups = (): string[] => {
    const counts = new Map<string, number>()
    for (const { group } of running.values()) if (group !== null) counts.set(group, (counts.get(group) ?? 0) + 1)
    return [...counts].filter(([, count]) => count >= ofGroup).map(([group]) => group)
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
        if (running.size === most - 1) wake()
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

function logged(ctx: Ctx): (error: unknown) => never[] {
  return (error) => {
    ctx.log.error({ err: error }, 'jobs cannot be taken')
    return []
  }
}
