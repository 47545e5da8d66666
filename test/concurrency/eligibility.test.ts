import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ctx } from '../../src/context.ts'
import type { PolicyOptions } from '../../src/kernel/rule.ts'
import {
  inBatches,
  insertGroupOf,
  insertRequests,
  insertVoters,
  moments,
  send,
  type SentVote,
  type Voter,
} from '../helpers/crowd.ts'
import { dice } from '../helpers/dice.ts'
import { closePolicy, removeMember, removeRoles } from '../helpers/facts.ts'
import { countFaults, faultsOf, loadHistories, type History } from '../helpers/history.ts'
import { insertPolicy, insertSpace, seats } from '../helpers/quorum.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

/** A quorum of two in a group of each round's own: `first` has approved, `last` completes it while someone loses the right. */
describe('a vote against the loss of what makes it count', () => {
  let world: World
  let voters: readonly Voter[]
  let requester: Voter
  let spaceId: string
  let clients: ReadonlyMap<string, Client>
  let admin: Client

  beforeAll(async () => {
    world = await startWorld({ engine: 'postgres' })
    voters = await insertVoters(
      world.ctx,
      Array.from({ length: 12 }, () => ({})),
    )
    requester = voters[0] as Voter
    clients = await signIn(voters)
    admin = await world.person('Admin', { admin: true })
    spaceId = await insertSpace(world.ctx)
  })
  afterAll(() => world.close())

  async function signIn(those: readonly Voter[]): Promise<ReadonlyMap<string, Client>> {
    return new Map(await Promise.all(those.map(async ({ id }) => [id, await world.signedIn(id)] as const)))
  }

  interface Round {
    readonly requestId: string
    readonly policyId: string
    readonly group: string
    readonly first: Client
    readonly last: Client
    readonly late: number
  }

  /** A group, a policy and a request for each round, in one transaction. */
  async function prepare(ctx: Ctx, rounds: number, options: Partial<PolicyOptions>) {
    const chance = dice(7)
    const prepared: Round[] = []
    const groups: Record<string, readonly string[]> = {}
    for (let index = 0; index < rounds; index++) {
      const [first, last] = chance.shuffled(voters) as [Voter, Voter]
      const members = [first.id, last.id]
      const group = await insertGroupOf(ctx, members)
      groups[group] = members
      const policyId = await insertPolicy(ctx, seats(group, 2), options, { spaceId })
      const [requestId] = (await insertRequests(ctx, policyId, requester, 1)) as [string]
      const [one, two] = [clients.get(first.id), clients.get(last.id)] as [Client, Client]
      prepared.push({ requestId, policyId, group, first: one, last: two, late: chance.roll(4) })
    }
    return { prepared, groups }
  }

  /** Plays rounds that each have their own group, and checks what they stored; gives answers and histories in order. */
  async function play(
    rounds: number,
    options: Partial<PolicyOptions>,
    race: (round: Round) => Promise<SentVote>,
  ): Promise<{ answer: SentVote; history: History; round: Round }[]> {
    const { prepared, groups } = await world.ctx.db
      .transaction()
      .execute((tx) => prepare({ ...world.ctx, db: tx }, rounds, options))
    const sent: SentVote[] = []
    const answers = new Map<string, SentVote>()
    await inBatches(prepared, 8, async (round) => {
      sent.push(await send(round.first, round.requestId, 'approve', [round.group]))
      const answer = await race(round)
      sent.push(answer)
      answers.set(round.requestId, answer)
    })
    const histories = await loadHistories(
      world.ctx,
      prepared.map(({ requestId }) => requestId),
    )
    expect(histories.flatMap((history) => faultsOf(history, { voters, groups }, sent))).toEqual([])
    expect(await countFaults(world.ctx)).toEqual([])
    const historyOf = new Map(histories.map((history) => [history.request.id, history]))
    return prepared.map((round) => ({
      round,
      answer: answers.get(round.requestId) as SentVote,
      history: historyOf.get(round.requestId) as History,
    }))
  }

  const remove = async ({ group }: Round, principalId: string) =>
    expect((await removeMember(admin, group, principalId)).status).toBe(200)
  const vote = ({ last, requestId, group }: Round) => send(last, requestId, 'approve', [group])

  it('an approval whose voter is taken out of the group counts only if the decision came first', async () => {
    const played = await play(200, {}, async (round) => {
      const [answer] = await Promise.all([
        moments(round.late).then(() => vote(round)),
        moments(2).then(() => remove(round, round.first.id)),
      ])
      return answer
    })
    const counts = { APPROVED: 0, EVALUATION_IN_PROGRESS: 0 }
    for (const { answer, history, round } of played) {
      expect(answer.status).toBe(200)
      const isBefore = isBeforeRemoval(history, round)
      expect(answer.said).toBe(isBefore ? 'APPROVED' : 'EVALUATION_IN_PROGRESS')
      counts[answer.said as keyof typeof counts] += 1
    }
    expect(Math.min(counts.APPROVED, counts.EVALUATION_IN_PROGRESS)).toBeGreaterThan(0)
  })

  it('with eligibility fixed at the vote, it counts all the same', async () => {
    const played = await play(100, { recheckEligibility: false }, async (round) => {
      const [answer] = await Promise.all([vote(round), remove(round, round.first.id)])
      return answer
    })
    expect(played.every(({ answer }) => answer.said === 'APPROVED')).toBe(true)
  })

  it('a voter who is taken out while voting is either counted or refused', async () => {
    const played = await play(100, {}, async (round) => {
      const [answer] = await Promise.all([
        moments(round.late).then(() => vote(round)),
        moments(2).then(() => remove(round, round.last.id)),
      ])
      return answer
    })
    const refused = played.filter(({ answer }) => answer.status !== 200)
    for (const { answer, history, round } of played) {
      if (answer.status === 200) expect([answer.said, isBeforeRemoval(history, round)]).toEqual(['APPROVED', true])
      else expect(answer).toMatchObject({ status: 422, said: 'ENTITY_NOT_IN_REQUIRED_GROUP' })
      expect(history.request.status).toBe(answer.status === 200 ? 'approved' : 'open')
    }
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(played.length)
  })

  it('once the removal is answered, no vote that is sent later counts who was removed', async () => {
    const played = await play(100, {}, async (round) => {
      // Other votes and removals of the organization are under way all the time.
      await remove(round, round.first.id)
      return await vote(round)
    })
    expect(played.map(({ answer }) => answer.said)).toEqual(played.map(() => 'EVALUATION_IN_PROGRESS'))
    expect(played.every(({ history }) => history.request.status === 'open')).toBe(true)
  })

  it('a template that is closed while one votes either took the vote before or refuses it', async () => {
    const played = await play(100, {}, async (round) => {
      const [answer] = await Promise.all([
        moments(round.late).then(() => vote(round)),
        moments(2).then(() => closePolicy(world.ctx, round.policyId)),
      ])
      return answer
    })
    const refused = played.filter(({ answer }) => answer.status !== 200)
    for (const { answer } of refused) expect(answer.said).toBe('WORKFLOW_TEMPLATE_NOT_ACTIVE')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(played.length)
  })

  it('a voter who loses the right to vote no longer counts from then on', async () => {
    const losers = await insertVoters(
      world.ctx,
      Array.from({ length: 100 }, () => ({})),
    )
    const signedIn = await signIn(losers)
    const last = voters[1] as Voter
    const members = [...losers, last].map(({ id }) => id)
    const group = await insertGroupOf(world.ctx, members)
    const policyId = await insertPolicy(world.ctx, seats(group, 2), {}, { spaceId })
    const requests = await insertRequests(world.ctx, policyId, requester, losers.length)
    const sent: SentVote[] = []
    const counts = new Set<string>()
    await inBatches(losers, 8, async (loser, round) => {
      const requestId = requests[round] as string
      sent.push(await send(signedIn.get(loser.id) as Client, requestId, 'approve', [group]))
      const [answer] = await Promise.all([
        moments(dice(round).roll(4)).then(() => send(clients.get(last.id) as Client, requestId, 'approve', [group])),
        moments(2).then(() => removeRoles(world.ctx, loser.id)),
      ])
      sent.push(answer)
      counts.add(answer.said)
    })
    const histories = await loadHistories(world.ctx, requests)
    const cast = { voters: [...voters, ...losers], groups: { [group]: members } }
    expect(histories.flatMap((history) => faultsOf(history, cast, sent))).toEqual([])
    expect([...counts].toSorted()).toEqual(['APPROVED', 'EVALUATION_IN_PROGRESS'])
  })
})

/** Whether the second vote's leaf stands before that of the removal. */
function isBeforeRemoval({ leaves, request }: History, { group }: { readonly group: string }): boolean {
  const vote = leaves.findLastIndex(({ kind, subject }) => kind === 'vote.cast' && subject === request.id)
  return vote < leaves.findIndex(({ kind, subject }) => kind === 'memberships.removed' && subject === group)
}
