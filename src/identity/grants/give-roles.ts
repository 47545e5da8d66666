import type { LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { isOver, type GrantTerms } from '../../kernel/grant-terms.ts'
import { findStandingGrants } from '../../store/grants.ts'
import type { Tx } from '../../store/open.ts'
import { lockFacts } from '../../store/fact-locks.ts'
import { endGrant } from './end-grant.ts'
import { makeGrant } from './make-grant.ts'
import { isSameTerms, termsOf } from './terms.ts'

export interface GivenRoles {
  readonly orgId: string
  readonly actor: LeafActor
  readonly principalId: string
  /** Each role once. Null for terms: as it stands or, where it does not, for good. */
  readonly roles: readonly { readonly groupId: string; readonly terms: GrantTerms | null }[]
}

/**
 * Makes these the roles that a principal holds by grant: others end, those on other terms are replaced, and what stays the
 * same is left alone, so that giving back what was read changes nothing.
 * @throws AppError ROLE_DELETED
 */
export async function giveRoles(ctx: Pick<Ctx, 'clock' | 'newId' | 'keys'>, tx: Tx, given: GivenRoles): Promise<void> {
  const { orgId, actor, principalId, roles } = given
  await lockFacts(tx, orgId)
  const at = ctx.clock.now()
  const standing = await findStandingGrants(tx, orgId, { principalId })
  const byGroup = new Map(standing.map((grant) => [grant.group_id, grant]))
  const wanted = new Set(roles.map(({ groupId }) => groupId))
  for (const grant of standing) {
    if (!wanted.has(grant.group_id)) await endGrant(ctx, tx, { grant, actor, because: 'removed', at })
  }
  for (const { groupId, terms } of roles) {
    const grant = byGroup.get(groupId)
    if (grant !== undefined) {
      if (terms === null || isSameTerms(termsOf(grant), terms)) continue
      // What is over is not made, and does not stay on its old terms either.
      if (isOver(terms, at.getTime())) await endGrant(ctx, tx, { grant, actor, because: 'removed', at })
    }
    await makeGrant(ctx, tx, {
      orgId,
      actor,
      principalId,
      groupId,
      terms: terms ?? { kind: 'permanent' },
      requestId: null,
    })
  }
}
