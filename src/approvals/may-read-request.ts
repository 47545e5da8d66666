import type { Ctx } from '../context.ts'
import { loadAccess } from '../identity/access.ts'
import type { Actor } from '../identity/actor.ts'
import { findOwnGroups } from '../store/eligible-voters.ts'
import { administersAccount } from '../store/fortanix-members.ts'
import type { RequestRow } from '../store/requests.ts'
import type { Dialect } from '../store/schema.ts'
import { findLastStance } from '../store/votes.ts'
import { seatsOfKind } from './policy.ts'
import { policyRules } from './policy-rules.ts'

/**
 * Whether somebody of its organization may read a request. Native ones are for everyone there; any other is for those whom it
 * concerns, and for whoever may see all of its dialect (contract privx §3).
 */
export async function mayReadRequest(ctx: Ctx, actor: Actor, row: RequestRow): Promise<boolean> {
  if (row.dialect === 'native') return true
  return (await concerns(ctx, actor, row)) || (await mayReadAll(ctx, actor, row.dialect))
}

/** Who asked, whom it is for, who holds a seat in any of its stages, and who has voted. */
async function concerns(ctx: Ctx, { orgId, principalId }: Actor, row: RequestRow): Promise<boolean> {
  if (row.requester_id === principalId || row.beneficiary_id === principalId) return true
  const policy = await policyRules(ctx.db, orgId, row.policy_id)
  if (seatsOfKind(policy, 'principal').includes(principalId)) return true
  const groups = seatsOfKind(policy, 'group')
  const [held, stance] = await Promise.all([
    findOwnGroups(ctx.db, orgId, principalId, groups, ctx.clock.now()),
    findLastStance(ctx.db, orgId, row.id, row.stage, principalId),
  ])
  return held.length > 0 || stance !== null
}

async function mayReadAll(ctx: Ctx, actor: Actor, dialect: Exclude<Dialect, 'native'>): Promise<boolean> {
  switch (dialect) {
    case 'privx':
      return (await loadAccess(ctx, ctx.db, actor)).may('requests-view')
    case 'fortanix':
      return actor.personId !== null && (await administersAccount(ctx.db, actor.orgId, actor.personId))
    case 'govern':
      return actor.isAdmin
  }
}
