import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expireRequests } from '../../src/approvals/expire-requests.ts'
import type { PolicyOptions, Rule, Stage } from '../../src/kernel/rule.ts'
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
import { dice, type Dice } from '../helpers/dice.ts'
import { countFaults, faultsOf, loadHistories, type History } from '../helpers/history.ts'
import { insertPolicy, seats } from '../helpers/quorum.ts'
import { startWorld, type Answer, type Client, type World } from '../helpers/world.ts'

const rounds = 200

/** A quorum of two: `first` has approved and `last` would complete it while something else happens. */
describe('the completing approval against what would stop it', () => {
  let world: World
  let voters: readonly Voter[]
  let clients: readonly [first: Client, last: Client, other: Client, requester: Client]
  let group: string

  beforeAll(async () => {
    world = await startWorld({ engine: 'postgres' })
    voters = await insertVoters(
      world.ctx,
      Array.from({ length: 4 }, () => ({})),
    )
    const [first, last, other, requester] = await Promise.all(voters.map(({ id }) => world.signedIn(id)))
    clients = [first, last, other, requester] as typeof clients
    group = await insertGroupOf(
      world.ctx,
      voters.slice(0, 3).map(({ id }) => id),
    )
  })
  afterAll(() => world.close())

  async function open(rule: Rule | readonly Stage[], options: Partial<PolicyOptions>, count: number, expiresAt?: Date) {
    const policyId = await insertPolicy(world.ctx, rule, options)
    return await insertRequests(world.ctx, policyId, voters[3] as Voter, count, expiresAt)
  }

  /** Reads back what is stored, and checks it like every race here. */
  async function settled(requests: readonly string[], sent: readonly SentVote[]): Promise<History[]> {
    const histories = await loadHistories(world.ctx, requests)
    const sentTo = Map.groupBy(sent, ({ requestId }) => requestId)
    const cast = { voters, groups: { [group]: voters.slice(0, 3).map(({ id }) => id) } }
    expect(histories.flatMap((history) => faultsOf(history, cast, sentTo.get(history.request.id) ?? []))).toEqual([])
    expect(await countFaults(world.ctx)).toEqual([])
    for (const { leaves, request } of histories) {
      // However the race ended, it ended once: a status is left behind at most once for each that it is not ended by.
      const ends = leaves.filter(({ subject, facts }) => subject === request.id && isEnd(facts['to'], facts['from']))
      expect(ends.length).toBeLessThanOrEqual(1)
    }
    return histories
  }

  it.each(['withdrawable', 'final'] as const)('a %s veto: either it is approved, or the veto stands', async (veto) => {
    const [first, last, other] = clients
    const requests = await open(seats(group, 2), { veto }, rounds)
    const outcomes = { approved: 0, rejected: 0 }
    const sent: SentVote[] = []
    await inBatches(requests, 4, async (id, round) => {
      const chance = dice(round)
      const before = await send(first, id, 'approve', [group])
      const [yes, no] = await both(
        chance,
        send.bind(null, last, id, 'approve', [group]),
        send.bind(null, other, id, 'veto'),
      )
      sent.push(before, yes, no)
      if (yes.said === 'APPROVED') {
        expect(no).toMatchObject({ status: 422, said: 'WORKFLOW_ALREADY_APPROVED' })
        outcomes.approved += 1
      } else {
        expect(no).toMatchObject({ status: 200, said: 'REJECTED' })
        const refusal = { status: 422, said: 'WORKFLOW_ALREADY_REJECTED' }
        expect(yes).toMatchObject(veto === 'final' ? refusal : { status: 200, said: 'REJECTED' })
        outcomes.rejected += 1
        // The last approval is in already, so the withdrawal decides.
        if (veto === 'withdrawable') sent.push(await send(other, id, 'withdraw'))
      }
    })
    await settled(requests, sent)
    expect(outcomes.approved).toBeGreaterThan(0)
    expect(outcomes.rejected).toBeGreaterThan(0)
  })

  it('the deadline: approved before it for ever, or expired and never approved', async () => {
    const [first, last, other] = clients
    const width = 10
    const outcomes = { approved: 0, expired: 0 }
    for (let batch = 0; batch < rounds / width; batch++) {
      const deadline = new Date(world.clock.now().getTime() + 1_000)
      const requests = await open(
        seats(group, 2),
        { veto: batch % 2 === 0 ? 'withdrawable' : 'final' },
        width,
        deadline,
      )
      const sent: SentVote[] = await Promise.all(requests.map((id) => send(first, id, 'approve', [group])))
      const chance = dice(batch)

      const votes = requests.map(async (id) => {
        await moments(chance.roll(8))
        sent.push(await send(last, id, 'approve', [group]))
        sent.push(await send(other, id, 'approve', [group]))
      })
      const clock = (async () => {
        await moments(chance.roll(6))
        world.clock.set(deadline)
      })()
      const sweeps = [1, 2, 3].map(async () => {
        await moments(chance.roll(10))
        await expireRequests(world.ctx)
      })
      await Promise.all([...votes, clock, ...sweeps])

      // What was held by a vote when the sweeps came by is swept now.
      await expireRequests(world.ctx)
      const seen = await Promise.all(requests.map((id) => first.get(`/workflows/${id}`)))
      for (const { request, votes: stored, leaves } of await settled(requests, sent)) {
        expect(['approved', 'expired']).toContain(request.status)
        outcomes[request.status as keyof typeof outcomes] += 1
        expect(stored.every(({ cast_at: at }) => at < deadline)).toBe(true)
        const expiries = leaves.filter(({ kind, subject }) => kind === 'request.expired' && subject === request.id)
        expect(expiries).toHaveLength(request.status === 'expired' ? 1 : 0)
        const isApproved = sent.some(({ requestId, said }) => requestId === request.id && said === 'APPROVED')
        expect(isApproved).toBe(request.status === 'approved')
        expect(seen.find(({ body }) => body.id === request.id)?.body.status).toBe(request.status.toUpperCase())
      }
    }
    expect(outcomes.approved).toBeGreaterThan(0)
    expect(outcomes.expired).toBeGreaterThan(0)
  })

  it('a cancellation: one of the two is refused', async () => {
    const [first, last, , requester] = clients
    const requests = await open(seats(group, 2), {}, rounds)
    const outcomes = { approved: 0, canceled: 0 }
    const sent: SentVote[] = []
    await inBatches(requests, 4, async (id, round) => {
      sent.push(await send(first, id, 'approve', [group]))
      const [yes, cancel] = await both(dice(round), send.bind(null, last, id, 'approve', [group]), () =>
        requester.post(`/v1/workflows/${id}/cancel`),
      )
      sent.push(yes)
      const isApproved = yes.status === 200
      if (isApproved) expect(refusal(cancel)).toEqual({ status: 422, code: 'WORKFLOW_ALREADY_APPROVED' })
      else expect(cancel).toMatchObject({ status: 200, body: { workflowStatus: 'CANCELED' } })
      if (!isApproved) expect(yes).toMatchObject({ status: 422, said: 'WORKFLOW_CANCELLED' })
      outcomes[isApproved ? 'approved' : 'canceled'] += 1
    })
    const histories = await settled(requests, sent)
    expect(histories.filter(({ request }) => request.status === 'approved')).toHaveLength(outcomes.approved)
    expect(histories.filter(({ request }) => request.status === 'canceled')).toHaveLength(outcomes.canceled)
    expect(outcomes.approved).toBeGreaterThan(0)
    expect(outcomes.canceled).toBeGreaterThan(0)
  })

  it('the closing of an advisory stage: it passes once, by the quorum or by the command', async () => {
    const [first, last, , requester] = clients
    const stages: Stage[] = [
      { binding: false, rule: seats(group, 2) },
      { binding: true, rule: seats(group, 1) },
    ]
    const requests = await open(stages, {}, rounds)
    const sent: SentVote[] = []
    const by = { quorum: 0, command: 0 }
    await inBatches(requests, 4, async (id, round) => {
      sent.push(await send(first, id, 'approve', [group]))
      const [yes, close] = await both(dice(round), send.bind(null, last, id, 'approve', [group]), () =>
        requester.post(`/v1/workflows/${id}/close-stage`),
      )
      sent.push(yes)
      expect(yes.status).toBe(200)
      if (close.status === 200) {
        // The stage was still open, so the vote that came after it was cast in the binding one and decided there.
        expect(close.body).toEqual({ workflowStatus: 'EVALUATION_IN_PROGRESS', stage: 1 })
        expect(yes.said).toBe('APPROVED')
        by.command += 1
      } else {
        expect(refusal(close)).toEqual({ status: 422, code: 'STAGE_NOT_ADVISORY' })
        expect(yes.said).toBe('EVALUATION_IN_PROGRESS')
        by.quorum += 1
      }
    })
    const histories = await settled(requests, sent)
    expect(histories.filter(({ request }) => request.status === 'approved')).toHaveLength(by.command)
    expect(by.quorum).toBeGreaterThan(0)
    expect(by.command).toBeGreaterThan(0)
  })
})

/** Two calls at once, either of which may be a little late. */
async function both<A, B>(chance: Dice, one: () => Promise<A>, other: () => Promise<B>): Promise<[A, B]> {
  const [early, late] = [chance.roll(3), chance.roll(3)]
  return await Promise.all([moments(early).then(one), moments(late).then(other)])
}

function refusal({ status, body }: Answer): object {
  return { status, code: body.code }
}

function isEnd(to: unknown, from: unknown): boolean {
  return to !== from && ['approved', 'canceled', 'expired'].includes(to as string)
}
