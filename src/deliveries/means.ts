import type { Action } from '../approvals/actions.ts'
import type { Ctx } from '../context.ts'
import type { Means } from './perform.ts'
import { webhookKeys } from './webhook-keys.ts'

/** What an attempt at an action of an organization is made with now. */
export async function meansFor(ctx: Ctx, orgId: string, action: Action): Promise<Means> {
  const signingKeys = action.type === 'WEBHOOK' ? await webhookKeys(ctx, orgId) : []
  return { network: ctx.network, config: ctx.config.delivery, signingKeys, now: () => ctx.clock.now() }
}
