import type { Ctx } from '../context.ts'
import { loadActor, type Actor, type Caller } from '../identity/actor.ts'
import { seatsHeld } from '../kernel/eligibility.ts'
import { neededBy } from '../kernel/quorum.ts'
import { leavesOf, seatKey } from '../kernel/rule.ts'
import {
  findGroupsInForce,
  findPoliciesSeating,
  findWaiting,
  type SeatedPolicy,
  type SeatedStage,
  type WaitingPlace,
} from '../store/inbox.ts'
import { viewRequests, type RequestView } from './view-requests.ts'
import { hasRight } from './voting-facts.ts'

export interface InboxQuery {
  /** Where the page before ended; null for the first. */
  readonly place: WaitingPlace | null
  readonly limit: number
}

export interface InboxPage {
  readonly items: readonly RequestView[]
  /** Where the next page begins; null after the last. */
  readonly next: WaitingPlace | null
}

/**
 * Open requests of every dialect that wait for the caller, oldest first: they hold a seat of the open stage, may vote there, and
 * no vote of theirs stands. What the kernel would refuse is not shown, so that a page may be shorter than asked for and not be
 * the last.
 * @throws AppError CALLER_USER_NOT_FOUND, CALLER_AGENT_NOT_FOUND, SESSION_ENDED
 */
export async function readInbox(ctx: Ctx, caller: Caller, { place, limit }: InboxQuery): Promise<InboxPage> {
  const { orgId, principalId } = caller
  const now = ctx.clock.now()
  const [actor, groups] = await Promise.all([
    loadActor(ctx.db, caller),
    findGroupsInForce(ctx.db, orgId, principalId, now),
  ])
  const policies = await findPoliciesSeating(ctx.db, orgId, principalId, groups)
  const stages = policies.flatMap((policy) => stagesFor(actor, groups, policy))
  if (stages.length === 0) return { items: [], next: null }
  const voter = { orgId, principalId, personId: actor.personId }
  // One more than asked for tells whether there are more.
  const waiting = await findWaiting(ctx.db, voter, stages, { place, limit: limit + 1, now })
  const shown = waiting.slice(0, limit)
  const views = await viewRequests(
    ctx,
    caller,
    shown.map(({ id }) => id),
  )
  return {
    items: views.filter(({ position }) => position.may),
    next: waiting.length > limit ? (shown.at(-1) ?? null) : null,
  }
}

/** The stages of a policy in which a vote of the caller could count. */
function stagesFor({ principalId, bindings }: Actor, groups: readonly string[], policy: SeatedPolicy): SeatedStage[] {
  if (!hasRight(bindings, policy)) return []
  return policy.stages.flatMap(({ rule }, stage) => {
    const held = new Set(seatsHeld(policy, { stage }, { principal: principalId, groups }).map(seatKey))
    if (held.size === 0) return []
    const leaves = leavesOf(rule).flatMap((leaf, place) =>
      held.has(seatKey(leaf.from)) ? [{ leaf: place, needed: neededBy(leaf) }] : [],
    )
    // Where a vote takes one place for good, nothing waits for who finds none free.
    const free = policy.options.singleVote === true ? leaves : null
    return [{ policy: policy.id, stage, excluded: excludedBy(policy), free }]
  })
}

function excludedBy({ options }: SeatedPolicy): SeatedStage['excluded'] {
  if (options.requesterMayVote) return 'nobody'
  return options.naturalPersons ? 'person' : 'principal'
}
