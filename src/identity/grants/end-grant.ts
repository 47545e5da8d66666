import { appendLeaf } from '../../audit/append.ts'
import type { LeafActor } from '../../audit/leaf.ts'
import type { Marking } from '../../audit/leaf-mark.ts'
import { closeGrant, countRoleMembers, findStandingGrants, type GrantRow } from '../../store/grants.ts'
import { lockGroup } from '../../store/groups.ts'
import { deleteMemberships } from '../../store/memberships.ts'
import type { Tx } from '../../store/open.ts'

/** Why a grant is over: its time is up, or somebody took it away. */
export type GrantEnd = 'expired' | 'revoked' | 'removed' | 'replaced' | 'role-deleted' | 'principal-removed'

export interface EndedGrant {
  readonly grant: GrantRow
  readonly actor: LeafActor
  readonly because: GrantEnd
  readonly at: Date
}

/**
 * Ends a grant and the membership behind which it stands. Call `lockFacts` first, unless the clock has ended it already:
 * then that is what is written, whoever comes first to write it.
 * @returns false when it had ended
 */
export async function endGrant(ctx: Marking, tx: Tx, end: EndedGrant): Promise<boolean> {
  const { grant, actor, because, at } = endByClock(end)
  const { org_id: orgId, id, principal_id: principalId, group_id: groupId } = grant
  // In the order in which a grant is made: the role's row before the grant's.
  await lockGroup(tx, orgId, groupId)
  if (!(await closeGrant(tx, orgId, id, at, because))) return false
  await countRoleMembers(tx, orgId, groupId, -1)
  await deleteMemberships(tx, orgId, groupId, [principalId])
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'grant.ended',
    subjectId: id,
    actor,
    at,
    facts: { principal: principalId, group: groupId, because },
  })
  return true
}

function endByClock(end: EndedGrant): EndedGrant {
  const { ends_at: at } = end.grant
  return at === null || end.at < at ? end : { ...end, actor: { kind: 'system' }, because: 'expired', at }
}

export interface EndedGrants extends Omit<EndedGrant, 'grant'> {
  readonly orgId: string
  readonly of: { readonly groupId: string } | { readonly principalId: string }
}

/** Ends every grant of a role, or of a principal. Call `lockFacts` first. */
export async function endGrantsOf(ctx: Marking, tx: Tx, { orgId, of, ...end }: EndedGrants): Promise<void> {
  for (const grant of await findStandingGrants(tx, orgId, of)) await endGrant(ctx, tx, { grant, ...end })
}
