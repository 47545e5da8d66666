import { acceptPolicy } from '../kernel/accept.ts'
import { isTerminal } from '../kernel/expiry.ts'
import {
  decide,
  initialState,
  type Event,
  type Outcome,
  type RequestState,
  type StandingApproval,
  type StandingVote,
  type Vote,
} from '../kernel/request.ts'
import { leavesOf, type Policy, type SeatSource } from '../kernel/rule.ts'
import { writeCanonical } from '../proof/canonical-json.ts'
import type { Receipt, ReceiptChange, ReceiptMove, ReceiptTermsChange, ReceiptVote } from '../proof/statement.ts'
import { failure, type Failure } from './failure.ts'
import { shownId } from './printed.ts'
import { provableBy } from './shapes.ts'
import { keyMissing, type BelievedProofs } from './voter-signature.ts'

/** Whether some seat of the rule is only for those who sign. */
export function asksForSignatures(policy: Policy): boolean {
  const leaves = policy.stages.flatMap(({ rule }) => leavesOf(rule))
  return leaves.some(({ assurance = [] }) => assurance.includes('signature'))
}

/** The rule of a receipt. Stages with a name are none: names decide nothing, and a receipt has no room for them. */
export function policyOf({ policy }: Receipt): Policy | Failure {
  const acceptance = acceptPolicy({ stages: policy.stages, options: policy.options })
  if (!acceptance.ok) {
    const [problem] = acceptance.problems
    return failure('malformed', `The rule: ${problem?.path || 'it'} ${problem?.reason}.`)
  }
  const named = acceptance.policy.stages.findIndex((stage) => 'name' in stage)
  return named < 0 ? acceptance.policy : failure('malformed', `stages[${named}] has a name.`)
}

/**
 * Has the kernel decide every vote and change again, in the order of the log (docs/receipt.md, "Re-running it"). It must come to
 * what the receipt says of each, and to its decision.
 */
export function replay(receipt: Receipt, policy: Policy, proofs: BelievedProofs): Failure | null {
  const { request, votes, changes, decision } = receipt
  const events = inOrder(votes, changes)
  const { digest, beneficiary, beneficiaryPerson = null } = request
  const parties = {
    requester: { principal: request.requester, person: request.person },
    ...(beneficiary !== undefined && { beneficiary: { principal: beneficiary, person: beneficiaryPerson } }),
  }
  let state = initialState(policy, { digest, expiresAt: Date.parse(request.expiresAt), ...parties })
  let standing = standingVotes()
  let decisive: ReceiptVote | ReceiptMove | null = null

  for (const [index, happened] of events.entries()) {
    if (isOfTerms(happened)) {
      const strange = strangeTerms(happened, events[index - 1], receipt)
      if (strange !== null) return strange
      continue
    }
    const where = 'stance' in happened ? `Vote ${happened.seq}` : `The entry ${happened.leaf.index} of the log`
    if (happened.from !== state.status || happened.stage !== state.stage) {
      return failure('rule-violated', `${where} was not made on what the rule says there was.`)
    }
    if ('stance' in happened && happened.terms !== undefined && !isOfTerms(events[index + 1])) {
      return failure('rule-violated', `${where} changes terms, and the entry of the log that does is not there.`)
    }
    const judged = 'stance' in happened ? judgeVote(happened) : judgeChange(happened)
    if ('code' in judged) return judged
    const { next } = judged
    if (next.seq !== happened.seq || next.status !== happened.to || toStage(state, next) !== happened.toStage) {
      return failure('rule-violated', `${where} led to ${happened.to}, and by the rule to ${next.status}.`)
    }
    if (next.stage !== state.stage) standing = standingVotes()
    else if ('stance' in happened) standing.replace(castOf(happened, proofs))
    if (next.status !== state.status) decisive = happened
    state = next
  }

  if (state.status === 'open') return failure('undecided', 'The request is not decided.')
  const isRight =
    decisive !== null &&
    decision.status === state.status &&
    decision.isFinal === isTerminal(policy, state) &&
    decision.at === decisive.at &&
    decision.seq === decisive.seq &&
    decision.leaf === decisive.leaf.index
  return isRight ? null : failure('rule-violated', `By the rule the request is ${state.status}, and decided elsewhere.`)

  function judgeVote(vote: ReceiptVote): Decided | Failure {
    const strange = strangeLapse(vote, standing) ?? strangeSeats(vote, policy)
    if (strange !== null) return strange
    const cast = castOf(vote, proofs)
    const judge = (approvals?: readonly StandingApproval[]) =>
      decide(
        policy,
        state,
        eventOf(vote, policy.options, cast, standing.ofVoter(cast, policy), approvals),
        Date.parse(vote.at),
      )
    const outcome = judge()
    if (outcome.kind !== 'needs-approvals') return settled(outcome, vote, proofs)
    const recounted = settled(judge(standing.approvals(vote.lapsed ?? {}, cast, policy)), vote, proofs)
    const wasNeeded = policy.options.recheckEligibility && vote.lapsed === undefined
    if (wasNeeded && 'next' in recounted && recounted.next.stage !== state.stage) {
      return failure('rule-violated', `Vote ${vote.seq} does not say who still held their seats.`)
    }
    return recounted
  }

  function judgeChange(change: ReceiptMove): Decided | Failure {
    if (change.kind === 'request.expired' && change.actor.kind !== 'system') {
      return failure('rule-violated', 'No one makes a request expire but the clock.')
    }
    const outcome = decide(policy, state, { kind: eventKinds[change.kind] }, Date.parse(change.at))
    const isEarly = outcome.kind === 'decided' && change.kind === 'request.expired' && outcome.next.status !== 'expired'
    if (outcome.kind !== 'decided' || isEarly)
      return failure('rule-violated', `By the rule there could be no ${change.kind} then.`)
    return outcome
  }
}

type Decided = Extract<Outcome, { kind: 'decided' }>

/** That these terms keep to the ceilings of the request is the server's word; who put them there is not. */
function strangeTerms(
  change: ReceiptTermsChange,
  before: ReceiptVote | ReceiptChange | undefined,
  { request }: Receipt,
): Failure | null {
  const { kind: _, seq, at, actor, leaf, ...terms } = change
  const isOfItsApproval =
    before !== undefined &&
    'stance' in before &&
    before.stance === 'approve' &&
    before.seq === seq &&
    before.at === at &&
    before.terms !== undefined &&
    writeCanonical(before.terms) === writeCanonical(terms) &&
    actor.kind === before.kind &&
    actor.id === before.principal
  return isOfItsApproval && request.grant?.operation === 'grant'
    ? null
    : failure('rule-violated', `The entry ${leaf.index} of the log changes terms without an approval that does.`)
}

const eventKinds = {
  'request.stage-closed': 'close-stage',
  'request.canceled': 'cancel',
  'request.expired': 'clock',
} as const

/** All that happened to a request after it was opened, in the order of the log. */
export function inOrder(
  votes: readonly ReceiptVote[],
  changes: readonly ReceiptChange[],
): (ReceiptVote | ReceiptChange)[] {
  return [...votes, ...changes].toSorted((a, b) => a.leaf.index - b.leaf.index)
}

function isOfTerms(happened: ReceiptVote | ReceiptChange | undefined): happened is ReceiptTermsChange {
  return happened !== undefined && 'grantKind' in happened
}

function toStage(before: RequestState, after: RequestState): number | undefined {
  return after.stage === before.stage ? undefined : after.stage
}

function settled(outcome: Outcome, vote: ReceiptVote, proofs: BelievedProofs): Decided | Failure {
  if (outcome.kind === 'decided') return takesItsSeats(outcome, vote) ? outcome : otherSeats(vote)
  const refusal = outcome.kind === 'refused' ? outcome.refusal : { reason: 'needs-approvals' }
  const { reason } = refusal
  const isAboutProof = reason === 'assurance-missing' || reason === 'assurance-impossible'
  const isDoubted = proofs.believed(vote).length < vote.assurance.length
  if (isAboutProof && isDoubted) return keyMissing(vote)
  return failure('rule-violated', `Vote ${vote.seq} could not have been cast: ${reason}.`)
}

/** With `singleVote` the seats are the kernel's to name. */
function takesItsSeats({ record }: Decided, { seats }: ReceiptVote): boolean {
  const taken = record?.seats ?? []
  return taken.length === seats.length && taken.every(({ id }, index) => id === seats[index])
}

function otherSeats({ seq }: ReceiptVote): Failure {
  return failure('rule-violated', `Vote ${seq} took another seat than the first that was free.`)
}

/** What the voter was, as the leaf tells it: that they had the right to vote at all is the server's word. */
function eventOf(
  vote: ReceiptVote,
  { singleVote }: Policy['options'],
  cast: StandingVote,
  standing: readonly StandingVote[],
  approvals: readonly StandingApproval[] | undefined,
): Event {
  const { principal, person } = cast
  const held = new Set([...vote.seats, ...(vote.held ?? [])])
  held.delete(principal)
  const voter = {
    principal,
    person,
    enabled: true,
    hasRight: true,
    inAnyGroup: true,
    groups: [...held],
    provable: provableBy[vote.kind],
    standing,
  }
  const { stance, seats, assurance, digest } = cast
  const said: Vote = { stance, assurance, digest, ...(singleVote !== true && { seats }) }
  return { kind: 'vote', vote: said, facts: { policyOpen: true, voter, ...(approvals && { approvals }) } }
}

function castOf(vote: ReceiptVote, proofs: BelievedProofs): StandingVote {
  const { principal, person, stance, digest } = vote
  const seats = vote.seats.map((id) => seatOf(id, principal))
  return { principal, person, stance, seats, assurance: proofs.believed(vote), digest }
}

// Ids are unique across kinds, so a seat is written as its id alone.
function seatOf(id: string, principal: string): SeatSource {
  return { kind: id === principal ? 'principal' : 'group', id }
}

type Lapsed = NonNullable<ReceiptVote['lapsed']>

/** The last votes of everyone in the open stage. */
interface StandingVotes {
  replace(cast: StandingVote): void
  of(principal: string): StandingVote | undefined
  /** Its principal's own, and of the voter's other principals as many as it takes to say what all of theirs say. */
  ofVoter(cast: StandingVote, policy: Policy): readonly StandingVote[]
  /** The approvals among them, with the seats that are still held: of each voter as many as say what all of theirs say. */
  approvals(lapsed: Lapsed, cast: StandingVote, policy: Policy): readonly StandingApproval[]
}

function standingVotes(): StandingVotes {
  const byPrincipal = new Map<string, StandingVote>()
  // By person and what a vote says, who says it: so that a vote costs no more when the person has thousands of agents.
  const byPerson = new Map<string, Map<string, Set<string>>>()
  const alone = new Set<string>()
  const saysOf = (person: string) => {
    const says = byPerson.get(person) ?? new Map<string, Set<string>>()
    byPerson.set(person, says)
    return says
  }
  return {
    replace(cast) {
      const { principal, person } = cast
      const before = byPrincipal.get(principal)
      if (before?.person) for (const part of partsOf(before)) saysOf(before.person).get(part)?.delete(principal)
      byPrincipal.set(principal, cast)
      alone.delete(principal)
      if (person === null) return void alone.add(principal)
      const says = saysOf(person)
      for (const part of partsOf(cast)) says.set(part, (says.get(part) ?? new Set()).add(principal))
    },
    of: (principal) => byPrincipal.get(principal),
    ofVoter({ principal, person }, { options }) {
      const says = options.naturalPersons && person !== null ? saysOf(person) : new Map<string, Set<string>>()
      return [...new Set([principal, ...othersOf(says, principal)])].flatMap((one) => byPrincipal.get(one) ?? [])
    },
    approvals(lapsed, { principal }, { options }) {
      // What lapsed may be of anyone's.
      const isShort = options.naturalPersons && Object.keys(lapsed).length === 0
      const others = () => [...byPerson.values()].flatMap((says) => othersOf(says, principal))
      const some = isShort ? new Set([principal, ...alone, ...others()]) : byPrincipal.keys()
      const standing = [...some].flatMap((one) => byPrincipal.get(one) ?? [])
      const approvals = standing.filter(({ stance }) => stance === 'approve')
      return approvals.map((approval) => {
        const lost = new Set(Object.hasOwn(lapsed, approval.principal) ? lapsed[approval.principal] : [])
        return { ...approval, holds: approval.seats.filter(({ id }) => !lost.has(id)) }
      })
    },
  }
}

/** One who says it for each part, who is not this one: their vote is about to be replaced. */
function othersOf(says: ReadonlyMap<string, ReadonlySet<string>>, principal: string): string[] {
  return [...says.values()].flatMap((who) => {
    const [first, second] = who
    return (first === principal ? second : first) ?? []
  })
}

/** What the kernel asks of a voter's standing votes: which stances there are, and which seats are filled on which proofs. */
function partsOf({ stance, seats, assurance }: StandingVote): string[] {
  const proofs = assurance.toSorted().join(',')
  return [stance, ...seats.map(({ kind, id }) => `${stance} ${proofs} ${kind} ${id}`)]
}

/** A seat of the stage that a vote names is one that its voter held, where the vote tells of those. */
function strangeSeats({ seq, principal, stage, seats, held }: ReceiptVote, { stages }: Policy): Failure | null {
  if (held === undefined) return null
  const [named, had] = [new Set(seats), new Set([...held, principal])]
  const leaves = leavesOf((stages[stage] as Policy['stages'][number]).rule)
  return leaves.some(({ from: { kind, id } }) => kind === 'group' && named.has(id) && !had.has(id))
    ? failure('rule-violated', `Vote ${seq} names a seat that its voter did not hold.`)
    : null
}

/** Only who approved has seats to lose. */
function strangeLapse({ seq, principal, lapsed = {} }: ReceiptVote, standing: StandingVotes): Failure | null {
  for (const [id, seats] of Object.entries(lapsed)) {
    const approval = standing.of(id)
    const named = new Set(approval?.seats.map((seat) => seat.id))
    if (id === principal || approval?.stance !== 'approve' || !seats.every((seat) => named.has(seat))) {
      return failure(
        'rule-violated',
        `Vote ${seq} says of ${shownId(id)} that seats lapsed which they had not approved for.`,
      )
    }
  }
  return null
}
