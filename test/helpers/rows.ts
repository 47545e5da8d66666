import type { Ctx } from '../../src/context.ts'
import { defaultOrganization } from '../../src/identity/organization.ts'
import type { ScopeType } from '../../src/store/schema.ts'

const org_id = defaultOrganization.id

/** A space, without the endpoint that makes one. */
export async function insertSpace(ctx: Ctx, name: string): Promise<string> {
  const [id, at] = [ctx.newId(), ctx.clock.now()]
  await ctx.db
    .insertInto('spaces')
    .values({ org_id, id, name, description: null, created_at: at, updated_at: at })
    .execute()
  return id
}

/** A group with its members, without the endpoints that make one. */
export async function insertGroup(ctx: Ctx, name: string, memberIds: readonly string[] = []): Promise<string> {
  const [id, at] = [ctx.newId(), ctx.clock.now()]
  await ctx.db
    .insertInto('groups')
    .values({ org_id, id, name, description: null, member_count: memberIds.length, created_at: at, updated_at: at })
    .execute()
  for (const principal_id of memberIds) {
    await ctx.db.insertInto('memberships').values({ org_id, group_id: id, principal_id, added_at: at }).execute()
  }
  return id
}

/** An agent that nobody answers for. */
export async function insertAgent(ctx: Ctx, name: string): Promise<string> {
  const id = ctx.newId()
  const agent = { kind: 'agent', person_id: null, name, email: null, public_key: null, disabled_at: null } as const
  await ctx.db
    .insertInto('principals')
    .values({ org_id, id, ...agent, created_at: ctx.clock.now() })
    .execute()
  return id
}

export async function bindRole(
  ctx: Ctx,
  principalId: string,
  roleName: string,
  scopeType: ScopeType,
  scopeId = '',
): Promise<void> {
  const binding = { org_id, principal_id: principalId, role_name: roleName, scope_type: scopeType, scope_id: scopeId }
  await ctx.db
    .insertInto('role_bindings')
    .values({ ...binding, created_at: ctx.clock.now() })
    .execute()
}

export async function insertQuota(
  ctx: Ctx,
  quotaType: string,
  scope: string,
  targetId: string,
  limit: number,
): Promise<void> {
  const [id, at] = [ctx.newId(), ctx.clock.now()]
  await ctx.db
    .insertInto('quotas')
    .values({ org_id, id, quota_type: quotaType, scope, target_id: targetId, limit, created_at: at, updated_at: at })
    .execute()
}
