import { redactAction } from '../approvals/action-secrets.ts'
import { openAction, type Action } from '../approvals/actions.ts'
import type { Ctx } from '../context.ts'
import type { ListedDelivery } from '../store/delivery-list.ts'

/** A delivery as an administrator may see it. */
export interface ShownDelivery extends Omit<ListedDelivery, 'action'> {
  /** Redacted. */
  readonly action: Action
}

export function showDelivery(ctx: Pick<Ctx, 'keys'>, row: ListedDelivery): ShownDelivery {
  return { ...row, action: redactAction(openAction(ctx, row.action)) }
}
