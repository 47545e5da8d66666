import { isDeepStrictEqual } from 'node:util'
import type { Ctx } from '../../src/context.ts'
import { workflowStatus } from '../../src/dialects/native/wire/votes.ts'
import { isTerminal } from '../../src/kernel/expiry.ts'
import type { Outcome, RequestState, Status, Tally } from '../../src/kernel/request.ts'
import { leavesOf, type Policy, type Rule, type SeatSource, type Stage } from '../../src/kernel/rule.ts'
import { findPolicyRules } from '../../src/store/policies.ts'
import type { Row } from '../../src/store/schema.ts'
import { createWorld, type World } from '../kernel/world.ts'
import type { SentVote, Voter } from './crowd.ts'
import { orgId } from './quorum.ts'

/** All that is stored about one request, in the order in which it was committed. */
export interface History {
  readonly request: Row<'requests'>
  readonly policy: Policy
  readonly votes: readonly Row<'votes'>[]
  /** Those of the request, among those of its groups. */
  readonly leaves: readonly StoredLeaf[]
}

export interface StoredLeaf {
  readonly kind: string
  readonly subject: string
  readonly at: number
  readonly facts: Readonly<Record<string, unknown>>
}

/** Who was there before the first vote. */
export interface Cast {
  readonly voters: readonly Voter[]
  /** Members by group. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

/** The stored history of these requests, read in four statements. */
export async function loadHistories(ctx: Ctx, requestIds: readonly string[]): Promise<History[]> {
  const ids = [...requestIds]
  const requests = await ctx.db
    .selectFrom('requests')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', 'in', ids)
    .execute()
  const votes = await ctx.db
    .selectFrom('votes')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('request_id', 'in', ids)
    .orderBy('seq')
    .execute()
  const leaves = await ctx.db
    .selectFrom('audit_leaves')
    .select(['kind', 'subject_id', 'content'])
    .where('org_id', '=', orgId)
    .where((leaf) => leaf.or([leaf('subject_id', 'in', ids), leaf('kind', 'in', aboutFacts)]))
    .orderBy('id')
    .execute()
  const read = leaves.map(({ kind, subject_id: subject, content }) => {
    const { at, facts } = JSON.parse(content) as { at: string; facts: Record<string, unknown> }
    return { kind, subject, at: Date.parse(at), facts }
  })
  const policies = new Map<string, Policy>()
  for (const { policy_id: id } of requests) {
    const policy = policies.get(id) ?? (await findPolicyRules(ctx.db, orgId, id))
    if (policy === undefined) throw new Error(`no policy ${id}`)
    policies.set(id, policy)
  }
  const votesOf = Map.groupBy(votes, (vote) => vote.request_id)
  const leavesOf = Map.groupBy(read, (leaf) => (aboutFacts.includes(leaf.kind) ? 'facts' : leaf.subject))
  const position = new Map(read.map((leaf, index) => [leaf, index]))
  const byPosition = (a: StoredLeaf, b: StoredLeaf) => (position.get(a) ?? 0) - (position.get(b) ?? 0)
  return requests.map((request) => ({
    request,
    policy: policies.get(request.policy_id) as Policy,
    votes: votesOf.get(request.id) ?? [],
    leaves: [...(leavesOf.get(request.id) ?? []), ...(leavesOf.get('facts') ?? [])].toSorted(byPosition),
  }))
}

const aboutFacts = ['memberships.added', 'memberships.removed', 'roles.removed', 'template.closed']

/** What the kernel makes of a stored history when it is folded again, and where the two part. */
export interface Replay {
  readonly state: RequestState
  readonly faults: readonly string[]
  /** Status after each stored vote, by its sequence number. */
  readonly after: ReadonlyMap<number, Status>
}

/**
 * Folds the stored votes, commands and losses of membership through the kernel, in commit order. The leaves give the order:
 * a change of membership holds up every vote from before its leaf is written until it commits, so their ids are in order.
 */
export function replay({ request, policy, votes, leaves }: History, { voters, groups }: Cast): Replay {
  const people = voters.map(({ id, kind, personId }) => ({
    principal: id,
    person: personId,
    provable: kind === 'human' ? (['stepUp', 'password', 'securityKey'] as const) : (['signature'] as const),
  }))
  const world = createWorld(policy, {
    people,
    groups,
    requester: request.requester_id,
    expiresAt: request.expires_at.getTime(),
  })
  const faults: string[] = []
  const after = new Map<number, Status>()
  const bySeq = new Map(votes.map((vote) => [vote.seq, vote]))
  let replayed = 0

  for (const leaf of leaves) {
    const from = world.state.status
    const outcome = happen(world, leaf, bySeq, request.policy_id)
    if (outcome === 'fact') continue
    const what = `${leaf.kind} ${leaf.facts['seq'] as number}`
    if (outcome === 'no such vote') {
      faults.push(`${what}: a leaf tells of a vote that is not stored`)
      continue
    }
    if (outcome.kind !== 'decided') {
      faults.push(`${what}: stored, and the kernel says ${JSON.stringify(outcome)}`)
      continue
    }
    if (leaf.facts['from'] !== from || leaf.facts['to'] !== outcome.next.status) {
      const told = `${leaf.facts['from'] as string} to ${leaf.facts['to'] as string}`
      faults.push(`${what}: the leaf says ${told}, the kernel ${from} to ${outcome.next.status}`)
    }
    if (leaf.kind !== 'vote.cast') continue
    replayed += 1
    const vote = bySeq.get(leaf.facts['seq'] as number) as Row<'votes'>
    after.set(vote.seq, outcome.next.status)
    if (vote.seq !== replayed) faults.push(`${what}: the leaf is number ${replayed}`)
    if (outcome.record?.seq !== vote.seq || outcome.record.stage !== vote.stage) {
      faults.push(`${what}: stored as stage ${vote.stage}, the kernel says ${JSON.stringify(outcome.record)}`)
    }
    const { stance, seats, digest, stage } = leaf.facts
    if (!isDeepStrictEqual({ stance, seats, digest, stage }, pickVote(vote)))
      faults.push(`${what}: leaf and vote differ`)
  }
  if (replayed !== votes.length) faults.push(`${votes.length} votes are stored, ${replayed} leaves tell of one`)
  return { state: world.state, faults, after }
}

function pickVote({ stance, seats, digest, stage }: Row<'votes'>): object {
  return { stance, seats, digest, stage }
}

function happen(
  world: World,
  { kind, subject, at, facts }: StoredLeaf,
  votes: ReadonlyMap<number, Row<'votes'>>,
  policyId: string,
): Outcome | 'fact' | 'no such vote' {
  switch (kind) {
    case 'vote.cast': {
      const vote = votes.get(facts['seq'] as number)
      if (vote === undefined) return 'no such vote'
      const { principal_id: principal, stance, assurance, cast_at: castAt } = vote
      const seats = vote.seats.map((id): SeatSource => ({ kind: id === principal ? 'principal' : 'group', id }))
      return world.vote(principal, { stance, assurance, seats }, castAt.getTime())
    }
    case 'request.expired':
      return world.clock(at)
    case 'request.canceled':
      return world.cancel(at)
    case 'request.stage-closed':
      return world.closeStage(at)
    case 'memberships.added':
    case 'memberships.removed':
      for (const { id } of facts['members'] as { id: string }[]) {
        world.setMember(subject, id, kind === 'memberships.added')
      }
      return 'fact'
    case 'roles.removed':
      world.setRight(subject, false)
      return 'fact'
    case 'template.closed':
      if (subject === policyId) world.setPolicyOpen(false)
      return 'fact'
    default:
      return 'fact'
  }
}

/**
 * Everything that is wrong with a stored history, given the votes that were sent and what was answered; empty when every
 * acknowledged vote is there exactly once, nothing else is, and the stored state is what the kernel makes of the votes.
 * A vote in `unanswered` may or may not be there.
 */
export function faultsOf(
  history: History,
  cast: Cast,
  sent: readonly SentVote[],
  unanswered: ReadonlySet<string> = new Set(),
): string[] {
  const { request, policy, votes } = history
  const { state, faults, after } = replay(history, cast)
  const found = [...faults]
  const answers = new Map(sent.filter((vote) => vote.requestId === request.id).map((vote) => [vote.tag, vote]))

  const stored = Map.groupBy(votes, (vote) => vote.reason ?? '')
  for (const [tag, same] of stored) {
    if (same.length > 1) found.push(`${tag}: stored ${same.length} times`)
    const answer = answers.get(tag)
    if (answer === undefined && !unanswered.has(tag)) found.push(`${tag}: stored, and nobody sent it`)
    if (answer !== undefined && answer.status !== 200) found.push(`${tag}: refused with ${answer.said}, and stored`)
  }
  for (const { tag, status, said } of answers.values()) {
    if (status >= 500) found.push(`${tag}: answered ${status} ${said}`)
    if (status !== 200) continue
    const vote = stored.get(tag)?.[0]
    if (vote === undefined) {
      found.push(`${tag}: acknowledged, and lost`)
      continue
    }
    const settled = after.get(vote.seq)
    if (settled !== undefined && workflowStatus[settled] !== said) {
      found.push(`${tag}: answered ${said}, and the kernel says ${settled}`)
    }
  }

  const sequence = votes.map(({ seq }) => seq)
  if (sequence.some((seq, index) => seq !== index + 1)) found.push(`sequence numbers are ${sequence.join(' ')}`)
  if (votes.some(({ digest }) => digest !== request.digest)) found.push('a vote carries another digest')
  const deciding = votes.filter(({ seq }) => after.get(seq) === 'approved')
  if (deciding.length > 1) found.push(`${deciding.length} votes were stored at or after the approval`)
  if (request.status === 'approved' && deciding[0]?.seq !== votes.length) found.push('the last vote did not decide')

  const { status, stage, tally, vote_seq: seq, is_final: isFinal } = request
  const kept = { status, stage, tally, seq, isFinal }
  const told = {
    status: state.status,
    stage: state.stage,
    tally: state.tally,
    seq: state.seq,
    isFinal: isTerminal(policy, state),
  }
  if (!isDeepStrictEqual(kept, told))
    found.push(`stored ${JSON.stringify(kept)}, the kernel says ${JSON.stringify(told)}`)
  found.push(...recountFaults(history))
  return found.map((fault) => `request ${request.id}: ${fault}`)
}

/**
 * The tally counted again without the kernel, from the votes alone; and no stage passed without the voters it asks for. A
 * replay alone would repeat a mistake of the kernel.
 */
function recountFaults({ request, policy, votes }: History): string[] {
  const found: string[] = []
  const counted = (stage: number) =>
    countVotes(
      policy,
      votes.filter((vote) => vote.stage === stage),
      stage,
    )
  const open = counted(request.stage)
  if (!isDeepStrictEqual(open, request.tally)) {
    found.push(`the tally is ${JSON.stringify(request.tally)}, the votes make ${JSON.stringify(open)}`)
  }
  const voted = Math.max(-1, ...votes.map(({ stage }) => stage))
  for (let stage = 0; stage < Math.min(request.stage, voted + 1); stage++) {
    const { binding, rule } = policy.stages[stage] as Stage
    if (binding && !isFilled(rule, [...counted(stage).approvals])) found.push(`stage ${stage} passed without a quorum`)
  }
  return found
}

function countVotes(policy: Policy, votes: readonly Row<'votes'>[], stage: number): Tally {
  const current = [...new Map(votes.map((vote) => [vote.principal_id, vote])).values()]
  const voterOf = (vote: Row<'votes'>) => (policy.options.naturalPersons ? vote.person_id : vote.principal_id)
  const rule = policy.stages[stage]?.rule
  const approvals = (rule === undefined ? [] : leavesOf(rule)).map(({ from, assurance = [] }) => {
    const filling = current.filter(
      (vote) =>
        vote.stance === 'approve' &&
        vote.seats.includes(from.id) &&
        assurance.every((proof) => vote.assurance.includes(proof)),
    )
    return new Set(filling.map(voterOf)).size
  })
  return { approvals, vetoes: current.filter(({ stance }) => stance === 'veto').length }
}

/** Takes the counts of the rule's leaves from the front, in pre-order. */
function isFilled(rule: Rule, counts: number[]): boolean {
  if (rule.kind === 'seats') return (counts.shift() ?? 0) >= rule.atLeast
  return rule.of.map((part) => isFilled(part, counts)).filter(Boolean).length >= rule.atLeast
}

/** Where the counts that lists read differ from the requests there are. */
export async function countFaults(ctx: Ctx): Promise<string[]> {
  const kept = await ctx.db
    .selectFrom('request_counts')
    .select((row) => ['policy_id', 'is_final', row.fn.sum<string>('difference').as('count')])
    .groupBy(['policy_id', 'is_final'])
    .execute()
  const real = await ctx.db
    .selectFrom('requests')
    .select((row) => ['policy_id', 'is_final', row.fn.countAll<string>().as('count')])
    .groupBy(['policy_id', 'is_final'])
    .execute()
  const textOf = (rows: typeof kept) =>
    new Map(
      rows
        .filter(({ count }) => Number(count) !== 0)
        .map((row) => [`${row.policy_id} ${row.is_final}`, Number(row.count)]),
    )
  const [before, after] = [textOf(kept), textOf(real)]
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => `policy ${key}: counted ${before.get(key) ?? 0}, there are ${after.get(key) ?? 0}`)
}
