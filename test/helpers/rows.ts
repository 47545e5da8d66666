import type { Ctx } from '../../src/context.ts'
import { orgId } from './quorum.ts'

/** An agent that nobody answers for. */
export async function insertAgent(ctx: Ctx, name: string): Promise<string> {
  const id = ctx.newId()
  const agent = { kind: 'agent', person_id: null, name, email: null, public_key: null, disabled_at: null } as const
  await ctx.db
    .insertInto('principals')
    .values({ org_id: orgId, id, ...agent, created_at: ctx.clock.now() })
    .execute()
  return id
}

export async function insertQuota(
  ctx: Ctx,
  quotaType: string,
  scope: string,
  targetId: string,
  limit: number,
): Promise<void> {
  const [id, at] = [ctx.newId(), ctx.clock.now()]
  const quota = { org_id: orgId, id, quota_type: quotaType, scope, target_id: targetId, limit }
  await ctx.db
    .insertInto('quotas')
    .values({ ...quota, created_at: at, updated_at: at })
    .execute()
}
