/**
 * A second, naive decision engine, written from design §3.5 and ADR 1 alone. It shares nothing with `src/kernel` but
 * the types of a policy: it keeps one log of everything that happened and answers each question by reading that log
 * from end to end, trying every possibility. The campaign compares the two.
 */
import type { Assurance, Policy, Rule, Seats, SeatSource } from '../../src/kernel/rule.ts'

export interface Person {
  readonly id: string
  readonly groups: readonly string[]
  readonly enabled: boolean
  readonly hasRight: boolean
  /** For an agent: the natural person who answers for it. */
  readonly agentOf: string | null
  /** The kinds of proof they can give at all. */
  readonly provable: readonly Assurance[]
}

export interface Beginning {
  readonly people: readonly Person[]
  readonly requester: string
  /** Whom it is asked for, where that is somebody else. */
  readonly beneficiary?: string
  readonly expiresAt: number
}

export type Stance = 'approve' | 'veto' | 'withdraw'

/** What somebody does to the request, with the time at which they do it. */
export type Act =
  | {
      readonly kind: 'vote'
      readonly principal: string
      readonly stance: Stance
      /** Absent: every seat of the open stage that they hold. */
      readonly seats?: readonly SeatSource[]
      readonly assurance: readonly Assurance[]
      /** Cast on content that is not the request's current one. */
      readonly stale?: boolean
      readonly now: number
    }
  | { readonly kind: 'clock'; readonly now: number }
  | { readonly kind: 'cancel'; readonly now: number }
  | { readonly kind: 'close-stage'; readonly now: number }
  | { readonly kind: 'amend'; readonly now: number }

/** What changes around the request between acts. */
export type Change =
  | {
      readonly kind: 'member'
      readonly principal: string
      readonly group: string
      readonly is: boolean
    }
  | { readonly kind: 'enabled'; readonly principal: string; readonly is: boolean }
  | { readonly kind: 'right'; readonly principal: string; readonly is: boolean }
  | { readonly kind: 'agent-of'; readonly principal: string; readonly person: string | null }
  | { readonly kind: 'policy-open'; readonly is: boolean }

export type Happening = Act | Change

export type Status = 'open' | 'approved' | 'rejected' | 'canceled' | 'expired'

export type Refusal =
  | { readonly reason: 'terminal'; readonly status: Status }
  | { readonly reason: 'expired' }
  | { readonly reason: 'policy-closed' }
  | { readonly reason: 'voter-disabled' }
  | { readonly reason: 'not-eligible'; readonly because: 'no-group' | 'no-right' | 'no-seat' }
  | { readonly reason: 'requester-excluded' }
  | { readonly reason: 'beneficiary-excluded' }
  | { readonly reason: 'no-free-seat' }
  | { readonly reason: 'already-voted' }
  | { readonly reason: 'vote-is-final' }
  | { readonly reason: 'stale-digest' }
  | { readonly reason: 'seat-not-held'; readonly seat: SeatSource }
  | { readonly reason: 'assurance-missing'; readonly missing: readonly Assurance[] }
  | { readonly reason: 'assurance-impossible'; readonly missing: readonly Assurance[] }
  | { readonly reason: 'stage-not-advisory' }
  | { readonly reason: 'veto-stands' }

/** A vote that was accepted. Its voter and its seats are what they were when it was cast. */
interface Cast {
  readonly kind: 'cast'
  readonly principal: string
  readonly voter: string
  readonly stance: Stance
  readonly seats: readonly SeatSource[]
  readonly assurance: readonly Assurance[]
  readonly stage: number
  readonly revision: number
}

type Entry =
  | Change
  | Cast
  | { readonly kind: 'stage-passed' }
  | { readonly kind: 'amended' }
  | { readonly kind: 'became'; readonly status: Status }

/** Everything that is known: how it began, and all that happened since. */
export interface Story {
  readonly policy: Policy
  readonly beginning: Beginning
  readonly log: readonly Entry[]
}

/** What the engine says after one happening. */
export interface Answer {
  readonly status: Status
  readonly stage: number
  readonly refusal?: Refusal
  /** Sequence number of the last vote that was recorded, 0 before the first. */
  readonly seq: number
  /** For each seats leaf of the open stage, in pre-order: the voters that it counts at this moment. */
  readonly counted: readonly (readonly string[])[]
  /** The same as fixed at the vote, whoever has lost the right to it since. */
  readonly approved: readonly (readonly string[])[]
  /** Principals whose current vote in the open stage is a veto. */
  readonly vetoes: readonly string[]
  /** The seats that an accepted vote of this happening names. */
  readonly seats?: readonly SeatSource[]
}

export function begin(policy: Policy, beginning: Beginning): Story {
  return { policy, beginning, log: [] }
}

/** Plays all happenings in order and says, for each, how things stand after it. */
export function answers(policy: Policy, beginning: Beginning, happenings: readonly Happening[]): Answer[] {
  let story = begin(policy, beginning)
  return happenings.map((happening) => {
    const result = happen(story, happening)
    story = result.story
    return result.answer
  })
}

/** Adds one happening to the story, or nothing when it is refused. */
export function happen(story: Story, happening: Happening): { story: Story; answer: Answer } {
  const result = consequences(story, happening)
  const next = 'refusal' in result ? story : { ...story, log: [...story.log, ...result.entries] }
  const cast = 'entries' in result ? result.entries.find((entry) => entry.kind === 'cast') : undefined
  return {
    story: next,
    answer: {
      ...standing(next),
      ...('refusal' in result ? { refusal: result.refusal } : {}),
      ...(cast === undefined ? {} : { seats: cast.seats }),
    },
  }
}

/** How things stand: what the log says of status, stage, seats and vetoes. */
export function standing(story: Story): Answer {
  const leaves = openLeaves(story)
  return {
    status: statusOf(story),
    stage: stageOf(story),
    seq: story.log.filter((entry) => entry.kind === 'cast').length,
    counted: leaves.map((leaf) => votersOf(story, leaf)),
    approved: leaves.map((leaf) => approversOf(story, leaf)),
    vetoes: standingVetoes(story),
  }
}

type Consequences = { readonly refusal: Refusal } | { readonly entries: readonly Entry[] }

function consequences(story: Story, happening: Happening): Consequences {
  switch (happening.kind) {
    case 'vote':
      return voted(story, happening)
    case 'clock':
      if (isTerminal(story)) return { refusal: { reason: 'terminal', status: statusOf(story) } }
      return {
        entries: isPastExpiry(story, happening.now) ? [{ kind: 'became', status: 'expired' }] : [],
      }
    case 'cancel':
      return lifeless(story, happening.now) ?? { entries: [{ kind: 'became', status: 'canceled' }] }
    case 'close-stage':
      return lifeless(story, happening.now) ?? closed(story)
    case 'amend':
      return (
        lifeless(story, happening.now) ?? {
          entries: [{ kind: 'amended' }, { kind: 'became', status: 'open' }],
        }
      )
    default:
      return { entries: [happening] }
  }
}

/** The two refusals that meet whatever is done to a request that has ended. */
function lifeless(story: Story, now: number): { refusal: Refusal } | undefined {
  if (isTerminal(story)) return { refusal: { reason: 'terminal', status: statusOf(story) } }
  if (isPastExpiry(story, now)) return { refusal: { reason: 'expired' } }
  return undefined
}

/** A stage does not pass while a veto stands (ADR 1.1), not even by command. */
function closed(story: Story): Consequences {
  if (openStage(story)?.binding !== false) return { refusal: { reason: 'stage-not-advisory' } }
  if (statusOf(story) === 'rejected') return { refusal: { reason: 'veto-stands' } }
  return { entries: [{ kind: 'stage-passed' }, { kind: 'became', status: 'open' }] }
}

// --- Votes

type VoteAct = Extract<Act, { kind: 'vote' }>

function voted(story: Story, vote: VoteAct): Consequences {
  const refusal = barred(story, vote.principal, vote.now) ?? faulty(story, vote)
  if (refusal !== undefined) return { refusal }
  const cast: Cast = {
    kind: 'cast',
    principal: vote.principal,
    voter: voterOf(story, vote.principal),
    stance: vote.stance,
    seats: seatsMeant(story, vote),
    assurance: vote.assurance,
    stage: stageOf(story),
    revision: revisionOf(story),
  }
  return { entries: [cast, ...verdict({ ...story, log: [...story.log, cast] }, cast)] }
}

/** What a vote is for: what it says, else all that is held; where votes are single, the first of those that has room. */
function seatsMeant(story: Story, { principal, seats }: VoteAct): readonly SeatSource[] {
  if (story.policy.options.singleVote !== true) return seats ?? seatsHeld(story, principal)
  const room = seatsWithRoom(story, principal)
  const meant = seats === undefined ? room : room.filter((seat) => seats.some((named) => isSameSeat(named, seat)))
  return meant.slice(0, 1)
}

/** Of the seats of the open stage that somebody holds, those for which fewer have approved than are asked for. */
function seatsWithRoom(story: Story, principal: string): SeatSource[] {
  const roomy = openLeaves(story).filter((leaf) => approversOf(story, leaf).length < leaf.atLeast)
  return roomy.map((leaf) => leaf.from).filter((seat) => holds(story, principal, seat))
}

/** Where votes are single: what comes after who is eligible (contract privx §4.3). */
function barredFromMore(story: Story, principal: string): Refusal | undefined {
  if (seatsWithRoom(story, principal).length === 0) return { reason: 'no-free-seat' }
  return hasCast(story, principal) ? { reason: 'already-voted' } : undefined
}

/** Whether this voter has cast a vote in the open stage on its current content: one of this stance, if it is given. */
function hasCast(story: Story, principal: string, stance?: Stance): boolean {
  const [stage, revision, voter] = [stageOf(story), revisionOf(story), voterOf(story, principal)]
  return story.log.some(
    (entry) =>
      entry.kind === 'cast' &&
      entry.stage === stage &&
      entry.revision === revision &&
      (stance === undefined || entry.stance === stance) &&
      (entry.principal === principal || entry.voter === voter),
  )
}

/** Why this principal may not vote at all, the first reason in the order of ADR 1.9. */
function barred(story: Story, principal: string, now: number): Refusal | undefined {
  if (isTerminal(story)) return { reason: 'terminal', status: statusOf(story) }
  if (isPastExpiry(story, now)) return { reason: 'expired' }
  if (!isPolicyOpen(story)) return { reason: 'policy-closed' }
  if (!isEnabled(story, principal)) return { reason: 'voter-disabled' }
  const isSingle = story.policy.options.singleVote === true
  const party = partyTo(story, principal)
  if (isSingle && party !== undefined) return { reason: `${party}-excluded` }
  if (!isInAnyGroup(story, principal) && !isNamed(story, principal))
    return { reason: 'not-eligible', because: 'no-group' }
  if (!hasRight(story, principal)) return { reason: 'not-eligible', because: 'no-right' }
  if (seatsHeld(story, principal).length === 0) return { reason: 'not-eligible', because: 'no-seat' }
  if (party !== undefined) return { reason: `${party}-excluded` }
  return isSingle ? barredFromMore(story, principal) : undefined
}

/** What is wrong with the vote itself. */
function faulty(story: Story, vote: VoteAct): Refusal | undefined {
  const isSingle = story.policy.options.singleVote === true
  if (vote.stale === true) return { reason: 'stale-digest' }
  const isOnce = story.policy.options.approvesOnce === true
  if ((isSingle || isOnce) && vote.stance === 'withdraw') return { reason: 'vote-is-final' }
  if (isOnce && vote.stance === 'approve' && hasCast(story, vote.principal, 'approve'))
    return { reason: 'already-voted' }
  const notHeld = vote.seats?.find((seat) => !holds(story, vote.principal, seat))
  if (notHeld !== undefined) return { reason: 'seat-not-held', seat: notHeld }
  if (isSingle && seatsMeant(story, vote).length === 0) return { reason: 'no-free-seat' }
  const provable = personCalled(story, vote.principal)?.provable ?? []
  if (vote.stance === 'approve') {
    const missing = demanded(story, seatsMeant(story, vote)).filter((proof) => !vote.assurance.includes(proof))
    if (missing.length === 0) return undefined
    const impossible = missing.filter((proof) => !provable.includes(proof))
    if (impossible.length > 0) return { reason: 'assurance-impossible', missing: impossible }
    return { reason: 'assurance-missing', missing }
  }
  if (!story.policy.options.vetoNeedsAssurance) return undefined
  const missing = provableDemands(story, vote.principal).filter((proof) => !vote.assurance.includes(proof))
  return missing.length === 0 ? undefined : { reason: 'assurance-missing', missing }
}

/** What a vote makes of the request: a standing veto first, then the open stage's rule (ADR 1.1 to 1.3). */
function verdict(story: Story, cast: Cast): Entry[] {
  const { veto } = story.policy.options
  if (veto === 'final' && cast.stance === 'veto') return [{ kind: 'became', status: 'rejected' }]
  if (veto === 'withdrawable' && standingVetoes(story).length > 0) return [{ kind: 'became', status: 'rejected' }]
  const rule = openStage(story)?.rule
  if (rule === undefined || !isFulfilled(story, rule)) return [{ kind: 'became', status: 'open' }]
  const isBindingLeft = story.policy.stages.slice(stageOf(story) + 1).some((stage) => stage.binding)
  return [{ kind: 'stage-passed' }, { kind: 'became', status: isBindingLeft ? 'open' : 'approved' }]
}

/**
 * May this principal vote now: would any vote of theirs be accepted? What they cannot prove is no reason against it,
 * since they can still veto, withdraw, or approve for no seat (ADR 1.7 and 1.8).
 */
export function mayVote(story: Story, principal: string, now: number): Refusal | undefined {
  return barred(story, principal, now)
}

/** What they would be asked to prove of what they can prove at all. */
export function provableDemands(story: Story, principal: string): Assurance[] {
  const provable = personCalled(story, principal)?.provable ?? []
  return demanded(story, seatsHeld(story, principal)).filter((proof) => provable.includes(proof))
}

// --- Rules

/** Does the rule hold, counting each seat by itself, or under `distinctPeople` with each voter used once? */
function isFulfilled(story: Story, rule: Rule): boolean {
  if (!story.policy.options.distinctPeople) return holdsEachForItself(story, rule)
  return waysToHold(rule).some((leaves) =>
    canFill(
      leaves.map((leaf) => ({ atLeast: leaf.atLeast, voters: votersOf(story, leaf) })),
      [],
    ),
  )
}

function holdsEachForItself(story: Story, rule: Rule): boolean {
  if (rule.kind === 'seats') return votersOf(story, rule).length >= rule.atLeast
  return rule.of.filter((child) => holdsEachForItself(story, child)).length >= rule.atLeast
}

/** Every choice of leaves that, all filled, makes the rule hold with nothing to spare. */
function waysToHold(rule: Rule): Seats[][] {
  if (rule.kind === 'seats') return [[rule]]
  return choices(rule.of, rule.atLeast).flatMap((children) =>
    children.reduce<Seats[][]>(
      (ways, child) => ways.flatMap((way) => waysToHold(child).map((more) => [...way, ...more])),
      [[]],
    ),
  )
}

/** Tries every assignment of voters to leaves. */
function canFill(leaves: readonly { atLeast: number; voters: readonly string[] }[], used: readonly string[]): boolean {
  const [leaf, ...rest] = leaves
  if (leaf === undefined) return true
  const free = leaf.voters.filter((voter) => !used.includes(voter))
  return choices(free, leaf.atLeast).some((chosen) => canFill(rest, [...used, ...chosen]))
}

/** All ways to choose `count` of the items. */
function choices<Item>(items: readonly Item[], count: number): Item[][] {
  if (count === 0) return [[]]
  const [first, ...rest] = items
  if (first === undefined) return []
  return [...choices(rest, count - 1).map((more) => [first, ...more]), ...choices(rest, count)]
}

/** The distinct voters that a seats leaf of the open stage counts at this moment (design §3.5, point 3). */
function votersOf(story: Story, leaf: Seats): string[] {
  return distinct(
    currentVotes(story)
      .filter((cast) => approvesFor(cast, leaf))
      .filter((cast) => !story.policy.options.recheckEligibility || isStillEligible(story, cast.principal, leaf.from))
      .map((cast) => cast.voter),
  )
}

function approversOf(story: Story, leaf: Seats): string[] {
  return distinct(
    currentVotes(story)
      .filter((cast) => approvesFor(cast, leaf))
      .map((cast) => cast.voter),
  )
}

function approvesFor(cast: Cast, leaf: Seats): boolean {
  return (
    cast.stance === 'approve' &&
    cast.seats.some((seat) => isSameSeat(seat, leaf.from)) &&
    (leaf.assurance ?? []).every((proof) => cast.assurance.includes(proof))
  )
}

function isStillEligible(story: Story, principal: string, seat: SeatSource): boolean {
  return holds(story, principal, seat) && hasRight(story, principal) && isEnabled(story, principal)
}

/** Everything that the open stage's leaves for these seats ask to be proved. */
function demanded(story: Story, seats: readonly SeatSource[]): Assurance[] {
  return distinct(
    openLeaves(story)
      .filter((leaf) => seats.some((seat) => isSameSeat(seat, leaf.from)))
      .flatMap((leaf) => leaf.assurance ?? []),
  )
}

function leavesOf(rule: Rule): Seats[] {
  return rule.kind === 'seats' ? [rule] : rule.of.flatMap(leavesOf)
}

function isSameSeat(one: SeatSource, other: SeatSource): boolean {
  return one.kind === other.kind && one.id === other.id
}

function distinct<Item>(items: readonly Item[]): Item[] {
  return items.filter((item, index) => items.indexOf(item) === index)
}

// --- What the log says

/** The last vote of each principal in the open stage on the current content, withdrawals left out. */
function currentVotes(story: Story): Cast[] {
  const [stage, revision] = [stageOf(story), revisionOf(story)]
  const casts = story.log
    .filter((entry) => entry.kind === 'cast')
    .filter((cast) => cast.stage === stage && cast.revision === revision)
  return casts
    .filter((cast, index) => !casts.slice(index + 1).some((later) => later.principal === cast.principal))
    .filter((cast) => cast.stance !== 'withdraw')
}

function standingVetoes(story: Story): string[] {
  return currentVotes(story)
    .filter((cast) => cast.stance === 'veto')
    .map((cast) => cast.principal)
}

export function statusOf(story: Story): Status {
  return story.log.findLast((entry) => entry.kind === 'became')?.status ?? 'open'
}

/** Stages passed since the content last changed. */
export function stageOf(story: Story): number {
  const amended = story.log.findLastIndex((entry) => entry.kind === 'amended')
  return story.log.slice(amended + 1).filter((entry) => entry.kind === 'stage-passed').length
}

function revisionOf(story: Story): number {
  return story.log.filter((entry) => entry.kind === 'amended').length
}

export function isTerminal(story: Story): boolean {
  const status = statusOf(story)
  if (status === 'rejected') return story.policy.options.veto === 'final'
  return status !== 'open'
}

function isPastExpiry(story: Story, now: number): boolean {
  return now >= story.beginning.expiresAt
}

function openStage(story: Story) {
  return story.policy.stages[stageOf(story)]
}

function openLeaves(story: Story): Seats[] {
  const stage = openStage(story)
  return stage === undefined ? [] : leavesOf(stage.rule)
}

/** The seats of the open stage that a principal holds. */
function seatsHeld(story: Story, principal: string): SeatSource[] {
  const held = openLeaves(story)
    .map((leaf) => leaf.from)
    .filter((seat) => holds(story, principal, seat))
  return held.filter((seat, index) => !held.slice(0, index).some((earlier) => isSameSeat(earlier, seat)))
}

function holds(story: Story, principal: string, seat: SeatSource): boolean {
  return seat.kind === 'principal' ? seat.id === principal : isMember(story, principal, seat.id)
}

function isMember(story: Story, principal: string, group: string): boolean {
  const change = story.log.findLast(
    (entry) => entry.kind === 'member' && entry.principal === principal && entry.group === group,
  )
  if (change?.kind === 'member') return change.is
  return personCalled(story, principal)?.groups.includes(group) ?? false
}

function isInAnyGroup(story: Story, principal: string): boolean {
  const everJoined = story.log.filter((entry) => entry.kind === 'member').map((entry) => entry.group)
  const groups = [...(personCalled(story, principal)?.groups ?? []), ...everJoined]
  return groups.some((group) => isMember(story, principal, group))
}

/** Does any stage name them as a principal? */
function isNamed(story: Story, principal: string): boolean {
  return story.policy.stages
    .flatMap((stage) => leavesOf(stage.rule))
    .some((leaf) => leaf.from.kind === 'principal' && leaf.from.id === principal)
}

function isEnabled(story: Story, principal: string): boolean {
  const change = story.log.findLast((entry) => entry.kind === 'enabled' && entry.principal === principal)
  return change?.kind === 'enabled' ? change.is : (personCalled(story, principal)?.enabled ?? false)
}

function hasRight(story: Story, principal: string): boolean {
  const change = story.log.findLast((entry) => entry.kind === 'right' && entry.principal === principal)
  return change?.kind === 'right' ? change.is : (personCalled(story, principal)?.hasRight ?? false)
}

function isPolicyOpen(story: Story): boolean {
  return story.log.findLast((entry) => entry.kind === 'policy-open')?.is ?? true
}

/** The natural person behind a principal: for an agent whoever answers for it, otherwise themselves. */
function naturalPersonOf(story: Story, principal: string): string {
  const change = story.log.findLast((entry) => entry.kind === 'agent-of' && entry.principal === principal)
  const person = change?.kind === 'agent-of' ? change.person : personCalled(story, principal)?.agentOf
  return person ?? principal
}

function voterOf(story: Story, principal: string): string {
  return story.policy.options.naturalPersons ? naturalPersonOf(story, principal) : principal
}

/** As whom a principal has a part in what is asked for. A party's person is the one who answered for them when it was asked. */
function partyTo(story: Story, principal: string): 'requester' | 'beneficiary' | undefined {
  const { requesterMayVote, naturalPersons } = story.policy.options
  if (requesterMayVote) return undefined
  const { requester, beneficiary } = story.beginning
  const is = (party: string): boolean => {
    if (principal === party) return true
    const asked = personCalled(story, party)?.agentOf ?? party
    return naturalPersons && naturalPersonOf(story, principal) === asked
  }
  if (is(requester)) return 'requester'
  return beneficiary !== undefined && is(beneficiary) ? 'beneficiary' : undefined
}

function personCalled(story: Story, id: string): Person | undefined {
  return story.beginning.people.find((person) => person.id === id)
}
