import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  inBatches,
  insertGroupOf,
  insertRequests,
  insertVoters,
  sentVote,
  voteBody,
  type SentVote,
  type Voter,
} from '../helpers/crowd.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { countFaults, faultsOf, loadHistories } from '../helpers/history.ts'
import { giveRole, insertPolicy, seats } from '../helpers/quorum.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import { startWorld, type Answer, type Client, type World } from '../helpers/world.ts'

/** Calls that reach two servers on one database at once. */
describe('one Idempotency-Key on two servers', () => {
  let databaseUrl: string
  let world: World
  let other: World
  let voters: readonly Voter[]
  let here: readonly Client[]
  let there: readonly Client[]
  let group: string
  let policyId: string

  beforeAll(async () => {
    databaseUrl = await freshDatabase()
    world = await startWorld({ databaseUrl })
    other = await startWorld({ databaseUrl })
    voters = await insertVoters(
      world.ctx,
      Array.from({ length: 4 }, () => ({})),
    )
    const ids = voters.map(({ id }) => id)
    group = await insertGroupOf(world.ctx, ids)
    policyId = await insertPolicy(world.ctx, seats(group, 2))
    await giveRole(world.ctx, ids[0] as string, 'OrgWideWorkflowTemplateInstantiator')
    here = await Promise.all(ids.map((id) => world.signedIn(id)))
    there = await Promise.all(ids.map((id) => other.signedIn(id)))
  })
  afterAll(async () => {
    await other.close()
    await world.close()
  })

  /** The same call four times, twice on each server. */
  async function fourTimes(call: (client: Client) => Promise<Answer>): Promise<Answer[]> {
    const [one, two] = [here[0], there[0]] as [Client, Client]
    return await Promise.all([one, two, one, two].map(call))
  }

  async function faults(requests: readonly string[], sent: readonly SentVote[]): Promise<string[]> {
    const cast = { voters, groups: { [group]: voters.map(({ id }) => id) } }
    const histories = await loadHistories(world.ctx, requests)
    return [...histories.flatMap((history) => faultsOf(history, cast, sent)), ...(await countFaults(world.ctx))]
  }

  it('a vote is stored once and everyone gets the same answer', async () => {
    const requests = await insertRequests(world.ctx, policyId, voters[1] as Voter, 100)
    const sent: SentVote[] = []
    await inBatches(requests, 4, async (id, round) => {
      const tag = `once ${round}`
      const key = { 'Idempotency-Key': randomUUID() }
      const answers = await fourTimes((client) =>
        client.post(`/workflows/${id}/vote`, voteBody('approve', [group], tag), key),
      )
      expect(answers.map(({ status, body }) => [status, body])).toEqual(
        answers.map(() => [200, { workflowStatus: 'EVALUATION_IN_PROGRESS' }]),
      )
      sent.push(sentVote(id, tag, answers[0] as Answer))
      // Later calls on the key get that answer too, even once the request is decided.
      const lastTag = `last ${round}`
      const last = await (here[1] as Client).post(`/workflows/${id}/vote`, voteBody('approve', [group], lastTag))
      sent.push(sentVote(id, lastTag, last))
      expect(last.body).toEqual({ workflowStatus: 'APPROVED' })
      const again = await (there[0] as Client).post(`/workflows/${id}/vote`, voteBody('approve', [group], tag), key)
      expect([again.status, again.body]).toEqual([200, { workflowStatus: 'EVALUATION_IN_PROGRESS' }])
    })
    expect(await faults(requests, sent)).toEqual([])
  })

  it('a request is opened once and everyone is sent to it', async () => {
    const locations = new Set<unknown>()
    await inBatches(Array.from({ length: 100 }), 4, async () => {
      const key = { 'Idempotency-Key': randomUUID() }
      const body = { name: `r-${randomUUID()}`, workflowTemplateId: policyId }
      const answers = await fourTimes((client) => client.post('/workflows', body, key))
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
      const to = new Set(answers.map(({ headers }) => String(headers['location']).replace(/^https?:\/\/[^/]+/, '')))
      expect(to.size).toBe(1)
      for (const location of to) locations.add(location)
    })
    expect(locations.size).toBe(100)
    expect(await countFaults(world.ctx)).toEqual([])
  })

  it('of two different calls on one key, one takes effect and the other is told that the key is taken', async () => {
    const requests = await insertRequests(world.ctx, policyId, voters[1] as Voter, 50)
    const sent: SentVote[] = []
    await inBatches(requests, 4, async (id, round) => {
      const key = { 'Idempotency-Key': randomUUID() }
      const call = async (client: Client, tag: string) =>
        sentVote(id, tag, await client.post(`/workflows/${id}/vote`, voteBody('approve', [group], tag), key))
      const both = await Promise.all([
        call(here[0] as Client, `one ${round}`),
        call(there[0] as Client, `other ${round}`),
      ])
      sent.push(...both)
      expect(both.map(({ said }) => said).toSorted()).toEqual(['EVALUATION_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED'])
    })
    expect(await faults(requests, sent)).toEqual([])
  })

  it('a refused call keeps no key: the same call may be made again when it can be granted', async () => {
    const requests = await insertRequests(world.ctx, policyId, voters[1] as Voter, 30)
    await inBatches(requests, 4, async (id) => {
      const key = { 'Idempotency-Key': randomUUID() }
      const vote = voteBody('approve', ['01890000-0000-7000-8000-000000000000'], 'nobody is in that group')
      const refused = await fourTimes((client) => client.post(`/workflows/${id}/vote`, vote, key))
      expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['ENTITY_NOT_IN_REQUIRED_GROUP']))
      const granted = await (here[0] as Client).post(`/workflows/${id}/vote`, voteBody('approve', [group], 'mine'), key)
      expect(granted.status).toBe(200)
    })
  })

  it('holds between two processes over real HTTP', async () => {
    // A server's own clock is real, so tokens are signed by one that is too.
    world.clock.set(new Date())
    const tokens = await Promise.all(voters.map(async ({ id }) => (await world.signedIn(id)).token))
    const requests = await insertRequests(world.ctx, policyId, voters[1] as Voter, 50)
    const servers: ServerProcess[] = []
    const sent: SentVote[] = []
    try {
      servers.push(await startServer({ DATABASE_URL: databaseUrl }), await startServer({ DATABASE_URL: databaseUrl }))
      await inBatches(requests, 4, async (id, round) => {
        const key = randomUUID()
        const tag = `process ${round}`
        const call = async ({ url }: ServerProcess) => {
          const answer = await fetch(`${url}/workflows/${id}/vote`, {
            method: 'POST',
            headers: {
              authorization: `Bearer ${tokens[0]}`,
              'content-type': 'application/json',
              'idempotency-key': key,
            },
            body: JSON.stringify(voteBody('approve', [group], tag)),
          })
          return { status: answer.status, body: await answer.json() }
        }
        const answers = await Promise.all([...servers, ...servers].map(call))
        expect(answers).toEqual(
          answers.map(() => ({ status: 200, body: { workflowStatus: 'EVALUATION_IN_PROGRESS' } })),
        )
        sent.push(sentVote(id, tag, answers[0] as Answer))
      })
    } finally {
      expect(await Promise.all(servers.map((server) => server.stop()))).toEqual(servers.map(() => 0))
    }
    expect(await faults(requests, sent)).toEqual([])
  })
})
