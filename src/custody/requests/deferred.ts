import type { Ctx } from '../../context.ts'
import type { AppError } from '../../errors.ts'
import type { Tx } from '../../store/open.ts'
import type { CustodyCaller } from '../caller.ts'
import type { Checked } from '../perform.ts'

/** What came of an operation, as its wire answers it. */
export interface Answer {
  readonly status: number
  /** Null where nothing is returned. */
  readonly body: unknown
}

/** An operation as it was asked for, not done yet. */
export interface DeferredCall {
  check(ctx: Ctx, tx: Tx, caller: CustodyCaller): Promise<Checked>
  run(ctx: Ctx, tx: Tx, caller: CustodyCaller): Promise<Answer>
}

/** The operations that may wait for approval, as a wire names them. */
export interface DeferredOperations {
  /**
   * @param operation the path, with its query if there is one
   * @returns null for one that there is not
   */
  find(method: string, operation: string, body: unknown): DeferredCall | null
  /** What a direct call would have been told. */
  refusal(error: AppError): Answer
}
