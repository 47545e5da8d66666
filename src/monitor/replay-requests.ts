import { provableBy } from '../approvals/voting-facts.ts'
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
import { leavesOf, type Assurance, type Policy, type SeatSource } from '../kernel/rule.ts'
import type { ToldLeaf } from './told-leaf.ts'
import type { ToldRow } from './told-table.ts'

/** One request as its leaves tell of it up to now. */
export interface ToldRequest {
  readonly policy: Policy
  readonly state: RequestState
  /** The last vote of each principal in the open stage. */
  readonly standing: ReadonlyMap<string, StandingVote>
  readonly row: ToldRow
  /** From where on the leaves contradict each other, so that nothing can be said of tally and status. */
  readonly isLost: boolean
}

/** Where a leaf says something else than the kernel comes to. */
export interface Contradiction {
  readonly column: string
  readonly expected: unknown
  readonly found: unknown
}

/**
 * @param rules what each policy decides by
 * @returns null when its policy is gone, and the request with it
 */
export function openRequest(rules: ReadonlyMap<string, Policy>, leaf: ToldLeaf): ToldRequest | null {
  const { facts, at, actor } = leaf
  const policy = rules.get(facts['policy'] as string)
  if (policy === undefined) return null
  const requester = {
    principal: (facts['requester'] ?? actor.id) as string,
    person: (facts['person'] ?? null) as string | null,
  }
  const beneficiary = facts['beneficiary'] as string | undefined
  const parties = {
    requester,
    ...(beneficiary !== undefined && {
      beneficiary: { principal: beneficiary, person: (facts['beneficiaryPerson'] ?? null) as string | null },
    }),
  }
  const expiresAt = new Date(facts['expiresAt'] as string)
  const digest = facts['digest'] as string
  return {
    policy,
    state: initialState(policy, { digest, expiresAt: expiresAt.getTime(), ...parties }),
    standing: new Map(),
    isLost: false,
    row: {
      dialect: facts['dialect'],
      policy_id: facts['policy'],
      name: leaf.text('name'),
      requester_id: requester.principal,
      // The leaves of old named the requester as the actor, and no person.
      requester_person_id: facts['requester'] === undefined ? undefined : requester.person,
      beneficiary_id: beneficiary ?? null,
      beneficiary_person_id: parties.beneficiary?.person ?? null,
      digest,
      expires_at: expiresAt,
      created_at: at,
      updated_at: at,
    },
  }
}

/** Takes in the next leaf of the request. */
export function replayRequest(
  request: ToldRequest,
  leaf: ToldLeaf,
): { readonly request: ToldRequest; readonly contradictions: readonly Contradiction[] } {
  // Nothing that is voted on: what was granted was taken back.
  if (leaf.kind === 'request.grant-revoked') {
    return { request: { ...request, row: { ...request.row, updated_at: leaf.at } }, contradictions: [] }
  }
  const outcome = outcomeOf(request, leaf)
  const { facts } = leaf
  if (request.isLost || outcome === null) return { request, contradictions: [] }
  if (outcome.kind !== 'decided') {
    const said = outcome.kind === 'refused' ? outcome.refusal.reason : outcome.kind
    return {
      request: { ...request, isLost: true },
      contradictions: [{ column: leaf.kind, expected: 'a change that the rule allows', found: said }],
    }
  }
  const { next, record } = outcome
  const contradictions = [
    ...differing('from', request.state.status, facts['from']),
    ...differing('to', next.status, facts['to']),
    ...differing('seq', next.seq, facts['seq']),
    ...differing('stage', request.state.stage, facts['stage']),
    ...differing('digest', request.state.digest, facts['digest']),
    ...(record === undefined ? [] : differing('seats', idsOf(record.seats), facts['seats'])),
    ...(facts['toStage'] === undefined ? [] : differing('toStage', next.stage, facts['toStage'])),
  ]
  const isVote = leaf.kind === 'vote.cast'
  const isUnmoved = isVote && next.status === request.state.status && (request.row['dialect'] ?? 'native') === 'native'
  const hasMoved = next.stage !== request.state.stage
  return {
    contradictions,
    request: {
      ...request,
      state: next,
      isLost: contradictions.length > 0,
      standing: hasMoved ? new Map() : isVote ? withVote(request.standing, leaf) : request.standing,
      // A command moves it always, a vote of the native dialect with the status.
      row: isUnmoved ? request.row : { ...request.row, updated_at: leaf.at },
    },
  }
}

/** The row of the request, its state among it unless that cannot be told. */
export function requestRow({ policy, state, row, isLost }: ToldRequest): ToldRow {
  if (isLost) return { ...row, updated_at: undefined }
  const { status, stage, seq, tally } = state
  return { ...row, status, stage, vote_seq: seq, tally, is_final: isTerminal(policy, state) }
}

/** The row of the vote that a leaf tells of. */
export function voteRow(leaf: ToldLeaf): ToldRow {
  const { facts, actor, at } = leaf
  return {
    stage: facts['stage'],
    principal_id: actor.id,
    // Everyone human is a person, so that a leaf without one is of old.
    person_id: facts['person'] ?? (actor.kind === 'human' ? undefined : null),
    stance: facts['stance'],
    seats: facts['seats'],
    assurance: facts['assurance'],
    digest: facts['digest'],
    signature: facts['signature'] ?? null,
    evidence: facts['evidence'] ?? null,
    cast_at: at,
  }
}

/** Leaves of votes before `held` and `person` were told name neither: everyone who votes holds a seat. */
function isOfOld(facts: ToldLeaf['facts']): boolean {
  return facts['held'] === undefined && (facts['seats'] as readonly string[]).length === 0
}

function outcomeOf(request: ToldRequest, leaf: ToldLeaf): Outcome | null {
  const { policy, state } = request
  const at = leaf.at.getTime()
  switch (leaf.kind) {
    case 'vote.cast':
      return outcomeOfVote(request, leaf)
    case 'request.canceled':
      return decide(policy, state, { kind: 'cancel' }, at)
    case 'request.expired':
      return decide(policy, state, { kind: 'clock' }, at)
    case 'request.stage-closed':
      return decide(policy, state, { kind: 'close-stage' }, at)
    default:
      return null
  }
}

function outcomeOfVote(request: ToldRequest, leaf: ToldLeaf): Outcome {
  const { policy, state, standing } = request
  const { facts, actor, at } = leaf
  const principal = actor.id ?? ''
  const cast = standingVoteOf(leaf)
  const vote: Vote = { stance: cast.stance, seats: cast.seats, assurance: cast.assurance, digest: cast.digest }
  const voter = {
    principal,
    person: cast.person,
    // What the server had to ask its tables is not told: who had no right to vote was refused, and left no leaf.
    enabled: true,
    hasRight: true,
    inAnyGroup: true,
    groups: heldBy(policy, state, leaf),
    provable: isOfOld(facts) ? cast.assurance : provableBy[actor.kind === 'agent' ? 'agent' : 'human'],
    standing: ownVotes(request, leaf),
  }
  const eventOn = (approvals?: readonly StandingApproval[]): Event => ({
    kind: 'vote',
    vote,
    facts: { policyOpen: true, voter, ...(approvals !== undefined && { approvals }) },
  })
  const outcome = decide(policy, state, eventOn(), at.getTime())
  if (outcome.kind !== 'needs-approvals') return outcome
  const lapsed = facts['lapsed'] as Readonly<Record<string, readonly string[]>> | undefined
  const approvals = [...standing.values()].filter(({ stance }) => stance === 'approve')
  if (lapsed === undefined)
    return judgedOfOld(approvals, leaf, (given) => decide(policy, state, eventOn(given), at.getTime()))
  const held = approvals.map((approval) => {
    const lost = lapsed[approval.principal] ?? []
    return { ...approval, holds: approval.seats.filter(({ id }) => !lost.includes(id)) }
  })
  return decide(policy, state, eventOn(held), at.getTime())
}

/** Leaves of old do not say who had lost a seat: what they say of the outcome is taken if it can be so. */
function judgedOfOld(
  approvals: readonly StandingVote[],
  { facts }: ToldLeaf,
  judge: (approvals: readonly StandingApproval[]) => Outcome,
): Outcome {
  const all = judge(approvals.map((approval) => ({ ...approval, holds: approval.seats })))
  const isTold = all.kind === 'decided' && all.next.status === facts['to'] && facts['toStage'] === undefined
  return isTold ? all : judge(approvals.map((approval) => ({ ...approval, holds: [] })))
}

/**
 * Last votes in the open stage of the voter and, where agents count as their person, of all who voted for that person: whom a
 * vote counts for was settled when it was cast.
 */
function ownVotes({ policy, standing }: ToldRequest, { actor, facts }: ToldLeaf): StandingVote[] {
  const own = standing.get(actor.id ?? '')
  const person = facts['person'] as string | undefined
  if (!policy.options.naturalPersons || person === undefined) return own === undefined ? [] : [own]
  return [...standing.values()].filter((vote) => vote === own || vote.person === person)
}

function withVote(standing: ReadonlyMap<string, StandingVote>, leaf: ToldLeaf): ReadonlyMap<string, StandingVote> {
  // The map is this request's alone, and copying it for each of ten thousand votes would cost what they do together.
  return (standing as Map<string, StandingVote>).set(leaf.actor.id ?? '', standingVoteOf(leaf))
}

function standingVoteOf({ actor, facts }: ToldLeaf): StandingVote {
  const principal = actor.id ?? ''
  return {
    principal,
    person: (facts['person'] ?? null) as string | null,
    stance: facts['stance'] as StandingVote['stance'],
    seats: (facts['seats'] as readonly string[]).map((id) => seatOf(id, principal)),
    assurance: facts['assurance'] as readonly Assurance[],
    digest: facts['digest'] as string,
  }
}

/** Ids of the groups among the seats that the voter held. */
function heldBy(policy: Policy, state: RequestState, { facts, actor }: ToldLeaf): readonly string[] {
  const held = facts['held'] ?? facts['seats']
  if (!isOfOld(facts)) return (held as readonly string[]).filter((id) => id !== actor.id)
  const rule = policy.stages[state.stage]?.rule
  return rule === undefined ? [] : leavesOf(rule).map(({ from }) => from.id)
}

// Ids are unique across kinds, so a seat is told by its id alone.
function seatOf(id: string, principal: string): SeatSource {
  return { kind: id === principal ? 'principal' : 'group', id }
}

function idsOf(seats: readonly SeatSource[]): string[] {
  return seats.map(({ id }) => id)
}

function differing(column: string, expected: unknown, found: unknown): Contradiction[] {
  return JSON.stringify(expected) === JSON.stringify(found) ? [] : [{ column, expected, found }]
}
