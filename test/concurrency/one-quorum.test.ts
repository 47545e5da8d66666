import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stance } from '../../src/kernel/request.ts'
import type { PolicyOptions, Rule, Stage } from '../../src/kernel/rule.ts'
import {
  inBatches,
  insertGroupOf,
  insertRequests,
  insertVoters,
  send,
  type SentVote,
  type Voter,
} from '../helpers/crowd.ts'
import { dice } from '../helpers/dice.ts'
import { countFaults, faultsOf, loadHistories, type Cast } from '../helpers/history.ts'
import { all, insertPolicy, seats } from '../helpers/quorum.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

const roundsPerRule = 25
const votesPerRound = 50

/** A kind of quorum to race around, over two groups that share some members. */
interface Kind {
  readonly title: string
  readonly rule: (a: string, b: string) => Rule | readonly Stage[]
  readonly options?: Partial<PolicyOptions>
  /** Of ten votes, how many are approvals and how many vetoes; the rest are withdrawals. */
  readonly approvals: number
  readonly vetoes: number
}

// Eight rules, 25 rounds each: 200 rounds of 50 votes.
const kinds: readonly Kind[] = [
  { title: '3 of one group', rule: (a) => seats(a, 3), approvals: 10, vetoes: 0 },
  { title: '4 of one group and 3 of another', rule: (a, b) => all(seats(a, 4), seats(b, 3)), approvals: 10, vetoes: 0 },
  {
    title: 'a quorum fixed at the vote',
    rule: (a, b) => all(seats(a, 4), seats(b, 3)),
    options: { recheckEligibility: false },
    approvals: 9,
    vetoes: 0,
  },
  {
    title: 'a quorum with vetoes and withdrawals mixed in',
    rule: (a, b) => all(seats(a, 4), seats(b, 3)),
    approvals: 7.5,
    vetoes: 0.2,
  },
  {
    title: 'a quorum that a veto ends',
    rule: (a, b) => all(seats(a, 3), seats(b, 3)),
    options: { veto: 'final' },
    approvals: 9,
    vetoes: 0.3,
  },
  {
    title: 'a quorum of distinct people',
    rule: (a, b) => all(seats(a, 3), seats(b, 3)),
    options: { distinctPeople: true, veto: 'ignored' },
    approvals: 7,
    vetoes: 2,
  },
  {
    title: 'a quorum of natural persons, with their agents voting too',
    rule: (a, b) => all(seats(a, 5), seats(b, 5)),
    options: { naturalPersons: true },
    approvals: 8,
    vetoes: 0,
  },
  {
    title: 'two stages, one after the other',
    rule: (a, b) => [
      { binding: true, rule: seats(a, 5) },
      { binding: true, rule: seats(b, 5) },
    ],
    approvals: 9,
    vetoes: 0,
  },
]

describe('fifty votes at once around one quorum', () => {
  let world: World
  let voters: readonly Voter[]
  let clients: ReadonlyMap<string, Client>
  let groups: Record<string, readonly string[]>
  let a: string
  let b: string

  beforeAll(async () => {
    world = await startWorld({ engine: 'postgres' })
    const people = await insertVoters(
      world.ctx,
      Array.from({ length: 30 }, () => ({})),
    )
    const agents = await insertVoters(
      world.ctx,
      people.slice(0, 10).map(({ personId }) => ({ kind: 'agent' as const, personId })),
    )
    voters = [...people, ...agents]
    const ids = voters.map(({ id }) => id)
    const members = { a: ids.slice(0, 20).concat(ids.slice(30, 35)), b: ids.slice(14, 30).concat(ids.slice(33)) }
    a = await insertGroupOf(world.ctx, members.a)
    b = await insertGroupOf(world.ctx, members.b)
    groups = { [a]: members.a, [b]: members.b }
    const signedIn = await Promise.all(ids.map(async (id) => [id, await world.signedIn(id)] as const))
    clients = new Map(signedIn)
  })
  afterAll(() => world.close())

  it.each(kinds)('$title: one vote decides, none is lost, doubled or stored after it', async (kind) => {
    const policyId = await insertPolicy(world.ctx, kind.rule(a, b), kind.options)
    const requests = await insertRequests(world.ctx, policyId, voters[0] as Voter, roundsPerRule)
    const sent: SentVote[] = []

    await inBatches(requests, 3, async (requestId, round) => {
      const chance = dice(kinds.indexOf(kind) * 1000 + round)
      const someVotes = () =>
        Array.from({ length: votesPerRound }, () => {
          const voter = chance.pick(voters)
          const stance = stanceOf(kind, chance.next() * 10)
          const held = [a, b].filter((group) => groups[group]?.includes(voter.id))
          const named = chance.roll(4) === 0 ? [chance.pick(held)] : held
          return { client: clients.get(voter.id) as Client, stance, named }
        })
      // A wave for each stage: who comes for the second before it is open is refused.
      for (let wave = 0; wave < stagesOf(kind); wave++) {
        const votes = someVotes()
        sent.push(...(await Promise.all(votes.map((vote) => send(vote.client, requestId, vote.stance, vote.named)))))
      }
    })

    const cast: Cast = { voters, groups }
    const histories = await loadHistories(world.ctx, requests)
    const sentTo = Map.groupBy(sent, ({ requestId }) => requestId)
    expect(histories.flatMap((history) => faultsOf(history, cast, sentTo.get(history.request.id) ?? []))).toEqual([])
    expect(await countFaults(world.ctx)).toEqual([])

    // Not in vain: with this many approvals and no veto that ends it, most rounds decide, and then refuse what comes later.
    const approved = histories.filter(({ request }) => request.status === 'approved')
    expect(approved.length).toBeGreaterThan(kind.vetoes > 0 && kind.options?.veto !== 'ignored' ? 0 : roundsPerRule / 2)
    for (const { request } of approved) {
      const answers = sentTo.get(request.id) ?? []
      expect(answers.filter(({ said }) => said === 'APPROVED')).toHaveLength(1)
    }
    // In a single round the deciding vote may well have been the last.
    expect(sent.filter(({ said }) => said === 'WORKFLOW_ALREADY_APPROVED').length).toBeGreaterThan(0)
  })
})

function stagesOf({ rule }: Kind): number {
  const stages = rule('a', 'b')
  return Array.isArray(stages) ? stages.length : 1
}

function stanceOf({ approvals, vetoes }: Kind, throwOfTen: number): Stance {
  if (throwOfTen < approvals) return 'approve'
  return throwOfTen < approvals + vetoes ? 'veto' : 'withdraw'
}
