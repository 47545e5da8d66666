import { appendLeaf } from '../../audit/append.ts'
import type { LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { isOver, type GrantTerms } from '../../kernel/grant-terms.ts'
import {
  countRoleMembers,
  findStandingGrant,
  insertBoundMembership,
  insertGrant,
  isEnabledPrincipal,
} from '../../store/grants.ts'
import type { Tx } from '../../store/open.ts'
import { endGrant } from './end-grant.ts'
import { columnsOf, termsFacts } from './terms.ts'

export interface NewGrant {
  readonly orgId: string
  /** Who gives it. */
  readonly actor: LeafActor
  readonly principalId: string
  readonly groupId: string
  /** Checked by whoever asks for it. */
  readonly terms: GrantTerms
  /** What it was approved by; null when it is given directly. */
  readonly requestId: string | null
}

/**
 * Gives a principal a role on terms: the grant, and the membership that it stands behind. One that stands already is
 * replaced, which takes a right away: call `lockFacts` first, or `lockEligibility` where none stands that would be.
 * @returns its id; null when nothing is left of the terms or the principal is disabled: then nothing is made
 * @throws AppError ROLE_DELETED
 */
export async function makeGrant(
  ctx: Pick<Ctx, 'clock' | 'newId' | 'keys'>,
  tx: Tx,
  grant: NewGrant,
): Promise<string | null> {
  const { orgId, actor, principalId, groupId, terms, requestId } = grant
  const at = ctx.clock.now()
  if (isOver(terms, at.getTime()) || !(await isEnabledPrincipal(tx, orgId, principalId))) return null
  // First of all, so that nobody else gives or takes this role until the end.
  const role = await countRoleMembers(tx, orgId, groupId, 1)
  if (role === undefined || role.isDeleted) throw new AppError('ROLE_DELETED')
  const standing = await findStandingGrant(tx, orgId, principalId, groupId)
  if (standing !== undefined) await endGrant(ctx, tx, { grant: standing, actor, because: 'replaced', at })

  const id = ctx.newId()
  const columns = columnsOf(terms)
  await insertGrant(tx, {
    org_id: orgId,
    id,
    principal_id: principalId,
    group_id: groupId,
    ...columns,
    request_id: requestId,
    created_at: at,
    used_at: null,
    ended_at: null,
    ended_because: null,
  })
  const { starts_at, ends_at } = columns
  await insertBoundMembership(tx, {
    org_id: orgId,
    group_id: groupId,
    principal_id: principalId,
    added_at: at,
    starts_at,
    ends_at,
  })
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'grant.made',
    subjectId: id,
    actor,
    at,
    facts: {
      principal: principalId,
      group: groupId,
      ...termsFacts(terms),
      ...(requestId !== null && { request: requestId }),
    },
  })
  return id
}
