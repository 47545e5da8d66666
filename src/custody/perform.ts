import type { Ctx } from '../context.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import type { CustodyCaller } from './caller.ts'
import { requireNoPolicy, type Touched } from './policies.ts'

/** What a request for approval says that it is about. */
export interface OperationSubject {
  readonly kind: 'account' | 'group' | 'app' | 'key'
  readonly id: string
}

/** What is known of an operation before it is done. */
export interface Checked extends Touched {
  readonly orgId: string
  readonly subjects: readonly OperationSubject[]
  /** Its result is a secret. */
  readonly isSensitive: boolean
}

/** Something that a policy may protect. */
export interface Operation<Input, Output> {
  /** Everything that stands in its way but a policy: whether what it is about is there, and the caller's right. */
  check(ctx: Ctx, tx: Tx, caller: CustodyCaller, input: Input): Promise<Checked>
  /** Does it, once it was checked in the same transaction. */
  run(ctx: Ctx, tx: Tx, caller: CustodyCaller, input: Input): Promise<Output>
}

/** Does it now, if no policy protects it. @throws AppError APPROVAL_REQUIRED, and what the check refuses with */
export async function perform<Input, Output>(
  ctx: Ctx,
  operation: Operation<Input, Output>,
  caller: CustodyCaller,
  input: Input,
): Promise<Output> {
  return await transact(ctx, null, async (tx) => {
    const checked = await operation.check(ctx, tx, caller, input)
    await requireNoPolicy(tx, checked.orgId, checked)
    return await operation.run(ctx, tx, caller, input)
  })
}
