import {
  decide,
  initialState,
  type Facts,
  type RequestState,
  type StandingVote,
  type Stance,
  type Status,
} from '../../src/kernel/request.ts'
import type { Assurance, Policy, SeatSource } from '../../src/kernel/rule.ts'

/** A leaf as it was written. */
export interface Leaf {
  readonly kind: string
  readonly subject: string
  readonly actor: { readonly kind: string; readonly id: string }
  readonly at: string
  readonly facts: Readonly<Record<string, unknown>>
}

interface VoteFacts {
  readonly seq: number
  readonly stage: number
  readonly stance: Stance
  readonly seats: readonly string[]
  readonly held?: readonly string[]
  readonly person?: string
  readonly assurance: readonly Assurance[]
  readonly digest: string
  readonly lapsed?: Readonly<Record<string, readonly string[]>>
  readonly from: Status
  readonly to: Status
  readonly toStage?: number
}

type Cast = StandingVote & { readonly stage: number }

/**
 * Judges a request again from leaves alone, as docs/leaves.md says that one can.
 * @returns how it stands after the last leaf, and where a leaf says something else than the kernel
 */
export function replay(leaves: readonly Leaf[], requestId: string): { state: RequestState; faults: string[] } {
  const about = leaves.filter(({ subject }) => subject === requestId)
  const [created, ...rest] = about
  if (created?.kind !== 'request.created') throw new Error('no leaf tells of the request')
  const template = leaves.find(
    ({ subject, kind }) => subject === created.facts['policy'] && kind.startsWith('template.'),
  )
  const policy = template?.facts as unknown as Policy
  const requester = {
    principal: String(created.facts['requester']),
    person: (created.facts['person'] as string | undefined) ?? null,
  }
  const expiresAt = Date.parse(String(created.facts['expiresAt']))
  let state = initialState(policy, { digest: String(created.facts['digest']), expiresAt, requester })
  const faults: string[] = []
  const votes: Cast[] = []
  for (const leaf of rest) {
    const facts = leaf.facts as unknown as VoteFacts
    const before = `${state.status}/${state.stage}/${state.seq}`
    const seq = leaf.kind === 'vote.cast' ? facts.seq - 1 : facts.seq
    if (before !== `${facts.from}/${facts.stage}/${seq}`) faults.push(`${leaf.kind} after ${before}`)
    const cast = castOf(leaf, facts)
    const event =
      leaf.kind === 'vote.cast'
        ? { kind: 'vote' as const, vote: cast, facts: factsOf(policy, leaf, facts, standing(votes, facts.stage)) }
        : { kind: commands[leaf.kind] ?? 'clock' }
    const outcome = decide(policy, state, event, Date.parse(leaf.at))
    if (outcome.kind !== 'decided') {
      faults.push(`${leaf.kind} ${facts.seq}: ${JSON.stringify(outcome)}`)
      continue
    }
    if (leaf.kind === 'vote.cast') votes.push(cast)
    state = outcome.next
    const after = `${state.status}/${state.stage}`
    if (after !== `${facts.to}/${facts.toStage ?? facts.stage}`)
      faults.push(`${leaf.kind} ${facts.seq} led to ${after}`)
  }
  return { state, faults }
}

const commands: Readonly<Record<string, 'cancel' | 'close-stage' | 'clock'>> = {
  'request.canceled': 'cancel',
  'request.stage-closed': 'close-stage',
  'request.expired': 'clock',
}

const provableBy: Readonly<Record<string, readonly Assurance[]>> = {
  human: ['stepUp', 'password', 'securityKey'],
  agent: ['signature'],
}

function castOf({ actor }: Leaf, { stance, seats, assurance, digest, person, stage }: VoteFacts): Cast {
  const named = (seats ?? []).map((id): SeatSource => ({ kind: id === actor.id ? 'principal' : 'group', id }))
  return { principal: actor.id, person: person ?? null, stance, seats: named, assurance, digest, stage }
}

/** The last vote of each principal in a stage. */
function standing(votes: readonly Cast[], stage: number): readonly Cast[] {
  return [...new Map(votes.filter((vote) => vote.stage === stage).map((vote) => [vote.principal, vote])).values()]
}

function factsOf(policy: Policy, { actor }: Leaf, facts: VoteFacts, last: readonly Cast[]): Facts {
  const { held = facts.seats, person = null, lapsed } = facts
  const isSameVoter = (vote: Cast) =>
    vote.principal === actor.id || (policy.options.naturalPersons && person !== null && vote.person === person)
  const approvals = last
    .filter(({ stance }) => stance === 'approve')
    .map((vote) => ({
      ...vote,
      holds: vote.seats.filter(({ id }) => lapsed?.[vote.principal]?.includes(id) !== true),
    }))
  return {
    policyOpen: true,
    voter: {
      principal: actor.id,
      person,
      enabled: true,
      hasRight: true,
      inAnyGroup: true,
      groups: [...held, ...facts.seats],
      provable: provableBy[actor.kind] ?? [],
      standing: last.filter(isSameVoter),
    },
    ...(lapsed !== undefined && { approvals }),
  }
}
