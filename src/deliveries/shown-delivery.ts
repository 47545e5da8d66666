import { redactAction } from '../approvals/action-secrets.ts'
import { openAction, type Action } from '../approvals/actions.ts'
import { hideEchoes } from '../approvals/echoed-secrets.ts'
import type { Ctx } from '../context.ts'
import type { ListedDelivery } from '../store/delivery-list.ts'

/** A delivery as an administrator may see it. */
export interface ShownDelivery extends Omit<ListedDelivery, 'action'> {
  /** Redacted. */
  readonly action: Action
}

/** Secrets that the receiver repeated in its answer are hidden too. */
export function showDelivery(ctx: Pick<Ctx, 'keys'>, row: ListedDelivery): ShownDelivery {
  const action = openAction(ctx, row.action)
  return { ...row, action: redactAction(action), response: hideInResponse(row.response, action) }
}

export function hideInResponse<R extends { readonly body: string | null }>(
  response: R | null,
  action: Action,
): R | null {
  if (response === null || response.body === null) return response
  return { ...response, body: hideEchoes(response.body, action) }
}
