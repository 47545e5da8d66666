import type { Ctx } from '../context.ts'
import type { TakenJob } from '../store/job-queue.ts'
import type { Ledger } from './ledger.ts'
import type { Patience } from './patience.ts'

/** Who does a job. */
export interface Hands {
  /** Names the worker in what it locks: machine, process, and an id of its own. */
  readonly worker: string
  readonly patience: Patience
  readonly ledger: Ledger
  /** Leaves the machine to others for so long; who does what is due by hand does not wait. */
  readonly rest: (milliseconds: number) => Promise<unknown>
}

/** How jobs of one kind are done. */
export interface Handler {
  /** Jobs that one process does at the same time. */
  concurrency(ctx: Ctx): number
  /** How many of them may be of one group. */
  concurrencyOfGroup(ctx: Ctx): number
  /** Whether a job often leaves another one to do at once. */
  readonly isChained?: boolean
  /**
   * Does the job and ends it. Run twice, or killed anywhere and run again, it has the effect of one run. It reads no clock
   * to decide anything: when something happened is told by the job, and what holds now by the rows.
   */
  run(ctx: Ctx, hands: Hands, job: TakenJob): Promise<void>
  /** Lets go of everything that this worker holds, so that another need not wait for the end of its lease. */
  release?(ctx: Ctx, hands: Hands): Promise<void>
}
