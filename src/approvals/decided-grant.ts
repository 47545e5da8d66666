import { appendLeaf } from '../audit/append.ts'
import type { Marking } from '../audit/leaf-mark.ts'
import type { LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { endGrant } from '../identity/grants/end-grant.ts'
import { makeGrant } from '../identity/grants/make-grant.ts'
import { columnsOf, termsFacts, termsOf } from '../identity/grants/terms.ts'
import { checkTerms, overridden, type GrantLimits, type GrantTerms } from '../kernel/grant-terms.ts'
import type { Stance } from '../kernel/request.ts'
import { findStandingGrant } from '../store/grants.ts'
import { findGroup } from '../store/groups.ts'
import type { Tx } from '../store/open.ts'
import { changeRequestGrant, findRequestGrant, type RequestGrantRow } from '../store/request-grants.ts'

/** A vote on a request whose row the transaction has locked. */
export interface VoteOnGrant {
  readonly orgId: string
  readonly requestId: string
  readonly stance: Stance
  /** Put in the place of those that were asked for. */
  readonly terms: Partial<GrantTerms> | null
  readonly at: Date
}

/** What an approval does to the role that its request is about. */
export interface JudgedGrant {
  readonly asked: RequestGrantRow
  /** All of the terms that it puts in the place of those before; null where it leaves them. */
  readonly terms: GrantTerms | null
}

/**
 * Judges what a vote does to the role that a request is about, before it is written; null for nothing.
 * @throws AppError ROLE_DELETED, GRANT_TERMS_INVALID with the field
 */
export async function judgeGrant(tx: Tx, vote: VoteOnGrant): Promise<JudgedGrant | null> {
  const { orgId, requestId, stance, terms } = vote
  const asked = await findRequestGrant(tx, orgId, requestId)
  if (stance !== 'approve' || asked === undefined) {
    if (terms !== null) throw new AppError('GRANT_TERMS_INVALID', 'Only an approval has terms.', { field: 'kind' })
    return null
  }
  await requireRole(tx, asked)
  return { asked, terms: terms === null ? null : overriding(asked, terms, vote.at) }
}

/** The approval that was written. */
export interface GrantDecision {
  readonly orgId: string
  readonly requestId: string
  readonly actor: LeafActor
  /** The vote's place. */
  readonly seq: number
  readonly isApproved: boolean
  readonly at: Date
}

/** Writes the terms that an approval puts in the place of others and, when it approves the request, makes the grant. */
export async function settleGrant(
  ctx: Pick<Ctx, 'clock' | 'newId' | 'keys'>,
  tx: Tx,
  decision: GrantDecision,
  { asked, terms }: JudgedGrant,
): Promise<void> {
  const standing = terms === null ? asked : await changeTerms(ctx, tx, decision, asked, terms)
  if (decision.isApproved) await settle(ctx, tx, decision, standing)
}

/** Without its role a request can only be denied or deleted (contract privx §5). */
async function requireRole(tx: Tx, { org_id: orgId, group_id: id }: RequestGrantRow): Promise<void> {
  const role = await findGroup(tx, orgId, { id }, null)
  if (role === undefined || role.deleted_at !== null) throw new AppError('ROLE_DELETED')
}

/** What an approval makes of the terms that stand. @throws AppError GRANT_TERMS_INVALID */
function overriding(asked: RequestGrantRow, override: Partial<GrantTerms>, at: Date): GrantTerms {
  const before = asked.kind === null ? null : termsOf({ ...asked, kind: asked.kind })
  if (before === null) throw new AppError('GRANT_TERMS_INVALID', 'A removal has no terms.', { field: 'kind' })
  const terms = overridden(before, override)
  const problem = checkTerms(terms, asked.limits as GrantLimits, at.getTime())
  if (problem !== null) {
    throw new AppError('GRANT_TERMS_INVALID', `${problem.field} ${problem.reason}.`, { field: problem.field })
  }
  return terms
}

async function changeTerms(
  ctx: Marking,
  tx: Tx,
  { orgId, requestId, actor, seq, at }: GrantDecision,
  asked: RequestGrantRow,
  terms: GrantTerms,
): Promise<RequestGrantRow> {
  const columns = columnsOf(terms)
  await changeRequestGrant(tx, orgId, requestId, columns)
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'request.terms-changed',
    subjectId: requestId,
    actor,
    at,
    facts: { seq, ...termsFacts(terms) },
  })
  return { ...asked, ...columns }
}

/** What stands for good is left as it is; what has an end is replaced (contract privx §4.5). */
async function settle(
  ctx: Pick<Ctx, 'clock' | 'newId' | 'keys'>,
  tx: Tx,
  { orgId, requestId, actor, at }: GrantDecision,
  asked: RequestGrantRow,
): Promise<void> {
  const { principal_id: principalId, group_id: groupId } = asked
  const standing = await findStandingGrant(tx, orgId, principalId, groupId)
  if (asked.operation === 'remove') {
    if (standing !== undefined) await endGrant(ctx, tx, { grant: standing, actor, because: 'removed', at })
    return
  }
  if (asked.kind === null) throw new Error(`request ${requestId} grants a role on no terms`)
  if (standing?.kind === 'permanent') return
  const terms = termsOf({ ...asked, kind: asked.kind })
  const grantId = await makeGrant(ctx, tx, { orgId, actor, principalId, groupId, terms, requestId })
  if (grantId !== null) await changeRequestGrant(tx, orgId, requestId, { grant_id: grantId })
}
