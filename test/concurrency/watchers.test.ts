import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { expireRequests } from '../../src/approvals/expire-requests.ts'
import { findRequest, type RequestRow } from '../../src/store/requests.ts'
import type { WatchedState } from '../../src/watching/watcher.ts'
import { inBatches, insertGroupOf, insertRequests, insertVoters, voteBody, type Voter } from '../helpers/crowd.ts'
import { openStream, type OpenedStream } from '../helpers/event-stream.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { insertPolicy, orgId, seats } from '../helpers/quorum.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import { startWorld, type Answer, type Client, type World } from '../helpers/world.ts'

/** The connection on which the only process that watches listens, once it does. */
async function listenerOf({ ctx }: World): Promise<number> {
  const query = sql<{ pid: number }>`
    select pid from pg_stat_activity where datname = current_database() and query ilike 'listen %'`
  await expect.poll(async () => (await query.execute(ctx.db)).rows.length).toBe(1)
  return (await query.execute(ctx.db)).rows[0]?.pid ?? 0
}

/** Watchers at one process of what is decided at another, on one PostgreSQL. */
describe('watchers of two processes', () => {
  let world: World
  let servers: readonly [deciding: ServerProcess, watching: ServerProcess]
  let voters: readonly Voter[]
  let tokens: readonly string[]
  let group: string
  let policyId: string
  let streams: OpenedStream[]

  beforeAll(async () => {
    const databaseUrl = await freshDatabase()
    // The servers' clock is real, so what they are to find is written by one that is too.
    world = await startWorld({ databaseUrl, start: new Date() })
    voters = await insertVoters(world.ctx, [{}, {}])
    const ids = voters.map(({ id }) => id)
    tokens = await Promise.all(ids.map(async (id) => (await world.signedIn(id)).token))
    group = await insertGroupOf(world.ctx, ids)
    policyId = await insertPolicy(world.ctx, seats(group, 1))
    servers = await Promise.all([
      startServer({ DATABASE_URL: databaseUrl }),
      startServer({ DATABASE_URL: databaseUrl, QUORATE_WATCHERS_PER_CALLER: '1000' }),
    ])
  })
  beforeEach(() => void (streams = []))
  afterEach(() => streams.forEach((stream) => stream.close()))
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    await world.close()
  })

  const opened = async (count = 1, expiresAt?: Date) =>
    await insertRequests(world.ctx, policyId, voters[0] as Voter, count, expiresAt)

  async function watched(id: string): Promise<OpenedStream> {
    const stream = await openStream(servers[1].url, id, tokens[0] as string)
    streams.push(stream)
    expect((await stream.next())?.id).toBe('EVALUATION_IN_PROGRESS')
    return stream
  }

  async function decide(id: string): Promise<void> {
    const answer = await fetch(`${servers[0].url}/workflows/${id}/vote`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens[1]}`, 'content-type': 'application/json' },
      body: JSON.stringify(voteBody('approve', [group], 'decides')),
    })
    expect(await answer.json()).toEqual({ workflowStatus: 'APPROVED' })
  }

  const outcome = async (stream: OpenedStream) => [(await stream.next())?.id, await stream.next()]

  it('a decision at one process is told at the other', async () => {
    const [id = ''] = await opened()
    const stream = await watched(id)
    const wait = fetch(`${servers[1].url}/v1/workflows/${id}?wait=60`, {
      headers: { authorization: `Bearer ${tokens[0]}` },
    })
    await decide(id)
    expect(await outcome(stream)).toEqual(['APPROVED', null])
    expect(await (await wait).json()).toMatchObject({ id, status: 'APPROVED' })
  })

  it('three hundred decisions reach three hundred watchers, each theirs', async () => {
    const ids = await opened(300)
    const watching = new Map<string, OpenedStream>()
    await inBatches(ids, 20, async (id) => void watching.set(id, await watched(id)))
    await inBatches(ids, 20, decide)
    for (const stream of watching.values()) expect(await outcome(stream)).toEqual(['APPROVED', null])
  })

  it('a decision while the listening connection is gone is told all the same, and the connection comes back', async () => {
    const [id = '', next = ''] = await opened(2)
    const [stream, nextStream] = [await watched(id), await watched(next)]
    const pid = await listenerOf(world)
    await sql`select pg_terminate_backend(${pid}::int)`.execute(world.ctx.db)
    await decide(id)
    expect(await outcome(stream)).toEqual(['APPROVED', null])
    expect(await listenerOf(world)).not.toBe(pid)
    await decide(next)
    expect(await outcome(nextStream)).toEqual(['APPROVED', null])
  })

  it('a change that nobody announced is found', async () => {
    const [id = ''] = await opened()
    const stream = await watched(id)
    // Who begins to watch is looked after once at once.
    await new Promise((resolve) => setTimeout(resolve, 200))
    // As by a process that dies between its commit and the news of it.
    const canceled = { status: 'canceled', is_final: true } as const
    await world.ctx.db.updateTable('requests').set(canceled).where('org_id', '=', orgId).where('id', '=', id).execute()
    expect(await outcome(stream)).toEqual(['CANCELED', null])
  })

  it('a deadline that passes is told though no sweep ran', async () => {
    const [id = ''] = await opened(1, new Date(Date.now() + 1_500))
    const stream = await watched(id)
    expect(await outcome(stream)).toEqual(['EXPIRED', null])
  })

  it('SIGTERM ends the streams, and the process with them', async () => {
    const [id = ''] = await opened()
    const own = await startServer({ DATABASE_URL: urlOf(world) })
    const stream = await openStream(own.url, id, tokens[0] as string)
    await stream.next()
    const stopped = own.stop()
    expect(await stream.next()).toBeNull()
    expect(await stopped).toBe(0)
  })
})

/** Servers that never look at everything by themselves: what their watchers hear, somebody told them. */
describe('news between servers', () => {
  const watchBeatMilliseconds = 3_600_000
  let here: World
  let there: World
  let ada: Client
  let group: string
  let policyId: string
  let voter: Voter

  beforeAll(async () => {
    const databaseUrl = await freshDatabase()
    here = await startWorld({ databaseUrl, watchBeatMilliseconds })
    there = await startWorld({ databaseUrl, watchBeatMilliseconds })
    const [first] = await insertVoters(here.ctx, [{}])
    voter = first as Voter
    group = await insertGroupOf(here.ctx, [voter.id])
    policyId = await insertPolicy(here.ctx, seats(group, 1))
    ada = await here.signedIn(voter.id)
  })
  afterAll(async () => {
    await there.close()
    await here.close()
  })

  /** Requests that are waited for here, over a connection that listens. */
  async function awaited(
    count: number,
    policy = policyId,
  ): Promise<{ ids: readonly string[]; answers: Promise<Answer>[] }> {
    const ids = await insertRequests(here.ctx, policy, voter, count)
    const before = await watching(here)
    const answers = ids.map((id) => ada.get(`/v1/workflows/${id}?wait=60`))
    await expect.poll(() => watching(here)).toBe(before + count)
    await listenerOf(here)
    return { ids, answers }
  }

  const statuses = async (answers: Promise<Answer>[]) =>
    Object.entries(Object.groupBy(await Promise.all(answers), ({ body }) => body.status)).map(([status, same]) => [
      status,
      same?.length,
    ])

  it('a vote is told', async () => {
    const { ids, answers } = await awaited(1)
    const elsewhere = await there.signedIn(voter.id)
    await elsewhere.post(`/workflows/${ids[0]}/vote`, voteBody('veto', [], 'no'))
    expect(await statuses(answers)).toEqual([['REJECTED', 1]])
  })

  it('a command is told', async () => {
    const { ids, answers } = await awaited(1)
    const elsewhere = await there.signedIn(voter.id)
    await elsewhere.post(`/v1/workflows/${ids[0]}/cancel`)
    expect(await statuses(answers)).toEqual([['CANCELED', 1]])
  })

  it('the sweep of expiries is told', async () => {
    const { ids, answers } = await awaited(1)
    const expired = { expires_at: here.clock.now() }
    await there.ctx.db.updateTable('requests').set(expired).where('id', 'in', ids).execute()
    await expireRequests(there.ctx)
    expect(await statuses(answers)).toEqual([['EXPIRED', 1]])
  })

  it('a template that goes out of use with its workflows is told, and so is one that is replaced', async () => {
    const admin = await there.person('Ada', { admin: true })
    const policy = await insertPolicy(here.ctx, seats(group, 1))
    const { answers } = await awaited(1, policy)
    await admin.put(`/workflow-templates/${policy}`, { cancelWorkflows: true })
    expect(await statuses(answers)).toEqual([['CANCELED', 1]])
    const other = await insertPolicy(here.ctx, seats(group, 1))
    const { answers: others } = await awaited(1, other)
    await admin.post(`/workflow-templates/${other}/deprecate`, { cancelWorkflows: true })
    expect(await statuses(others)).toEqual([['CANCELED', 1]])
  })

  it('what happened between the reading and the watching is told', async () => {
    // The first who watches makes the connection that listens, and everything is looked at then.
    const { ids, answers } = await awaited(1)
    await reject(ids)
    there.ctx.notices.announce(orgId, ids)
    await Promise.all(answers)
    const [id = ''] = await insertRequests(here.ctx, policyId, voter, 1)
    const row = await findRequest(here.ctx.db, orgId, id)
    await reject([id])
    const told = await new Promise<WatchedState>((resolve) => {
      const credential = { orgId, principalId: voter.id, sessionId: null, apiKeyId: null }
      const pass = { ...credential, expiresAt: new Date(here.clock.now().getTime() + 1_000) }
      const watcher = { pass, seen: 'open', tell: resolve, beat: () => {}, end: () => {} } as const
      here.ctx.notices.watch(row as RequestRow, { ...watcher })
    })
    expect(told).toMatchObject({ id, status: 'rejected', isSettled: false })
  })

  it('more changes than one message holds are told', async () => {
    const { ids, answers } = await awaited(190)
    const more = await insertRequests(here.ctx, policyId, voter, 500)
    await reject(ids)
    there.ctx.notices.announce(orgId, [...more, ...ids])
    expect(await statuses(answers)).toEqual([['REJECTED', 190]])
  })

  it('of more changes than are worth naming it is told that there were any', async () => {
    const { ids, answers } = await awaited(2)
    await reject(ids)
    there.ctx.notices.announce(orgId, [...Array.from({ length: 1_001 }, () => here.ctx.newId()), ...ids])
    expect(await statuses(answers)).toEqual([['REJECTED', 2]])
  })

  it('what was told while nobody listened is looked up once somebody does again', async () => {
    const { ids, answers } = await awaited(1)
    const pid = await listenerOf(here)
    await reject(ids)
    await sql`select pg_terminate_backend(${pid}::int)`.execute(there.ctx.db)
    expect(await statuses(answers)).toEqual([['REJECTED', 1]])
  })

  it('a server that closes says what it has not said yet', async () => {
    const { ids, answers } = await awaited(1)
    await reject(ids)
    const leaving = await startWorld({ databaseUrl: urlOf(here) })
    leaving.ctx.notices.announce(orgId, ids)
    await leaving.close()
    expect(await statuses(answers)).toEqual([['REJECTED', 1]])
  })

  async function reject(ids: readonly string[]): Promise<void> {
    await there.ctx.db.updateTable('requests').set({ status: 'rejected' }).where('id', 'in', ids).execute()
  }
})

async function watching({ ctx }: World): Promise<number> {
  return (await ctx.metrics.watchers.get()).values[0]?.value ?? 0
}

function urlOf({ ctx: { config } }: World): string {
  return config.store.engine === 'postgres' ? config.store.url : ''
}
