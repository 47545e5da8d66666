import { findStandingGrant } from '../store/grants.ts'
import type { Db, Tx } from '../store/open.ts'
import { findRequestGrant } from '../store/request-grants.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { lockEligibility, lockVoter } from '../store/principal-locks.ts'

/**
 * What a vote holds beside its request until its transaction ends: its voter always; the principal to whom it gives a role,
 * so that two votes give one after the other; the facts, all by itself, where it takes a role away that may be somebody's
 * right to vote.
 */
export type VoteHold =
  | { readonly kind: 'voter' }
  | { readonly kind: 'target'; readonly principalId: string }
  | { readonly kind: 'facts' }

export const voterAlone: VoteHold = { kind: 'voter' }
export const allFacts: VoteHold = { kind: 'facts' }

const strength = { voter: 0, target: 1, facts: 2 }

/** A vote does more than was expected when its transaction began. A lock made stronger is a deadlock, so it begins again. */
export class HoldTooWeak extends Error {
  readonly needed: VoteHold

  constructor(needed: VoteHold) {
    super(`the vote needs to hold: ${needed.kind}`)
    this.needed = needed
  }
}

/** What the vote needs that approves the request: told for sure by a transaction that holds this much, before by any reader. */
export async function holdToApprove(db: Db, orgId: string, requestId: string): Promise<VoteHold> {
  const asked = await findRequestGrant(db, orgId, requestId)
  if (asked === undefined) return voterAlone
  const { principal_id: principalId, group_id: groupId, operation } = asked
  const standing = await findStandingGrant(db, orgId, principalId, groupId)
  // What stands for good is left as it is by another grant, and whatever else stands is replaced.
  const takesAway = standing !== undefined && (operation === 'remove' || standing.kind !== 'permanent')
  return takesAway ? allFacts : { kind: 'target', principalId }
}

/** @throws HoldTooWeak */
export async function requireHold(tx: Tx, hold: VoteHold, orgId: string, requestId: string): Promise<void> {
  if (hold.kind === 'facts') return
  const needed = await holdToApprove(tx, orgId, requestId)
  if (strength[needed.kind] > strength[hold.kind]) throw new HoldTooWeak(needed)
}

/** Before everything else that the transaction locks. */
export async function holdFacts(tx: Tx, hold: VoteHold, orgId: string): Promise<void> {
  if (hold.kind === 'facts') await lockFacts(tx, orgId)
}

/** In the order of their ids: two may vote on roles for each other at the same time. */
export async function holdPrincipals(tx: Tx, hold: VoteHold, orgId: string, voterId: string): Promise<void> {
  const voter = () => lockVoter(tx, orgId, voterId)
  if (hold.kind !== 'target') return await voter()
  const target = () => lockEligibility(tx, orgId, hold.principalId)
  const inOrder = hold.principalId < voterId ? [target, voter] : [voter, target]
  await Promise.all(inOrder.map((lock) => lock()))
}
