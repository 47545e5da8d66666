import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inBatches, insertGroupOf, insertRequests, insertVoters, voteBody, type Voter } from '../helpers/crowd.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { startHttpSink, type HttpSink } from '../helpers/http-sink.ts'
import { insertPolicy, seats } from '../helpers/quorum.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import { startWorld, type World } from '../helpers/world.ts'

/** Two processes that decide and others that send, on one database. */
describe('several workers', { timeout: 180_000 }, () => {
  const decisions = 300
  const effects = 2 * decisions
  let env: Record<string, string>
  let world: World
  let sink: HttpSink
  let servers: ServerProcess[]
  let voters: readonly Voter[]
  let group: string
  let policyId: string
  let answer = (response: ServerResponse) => void response.end()

  beforeAll(async () => {
    const databaseUrl = await freshDatabase()
    env = { DATABASE_URL: databaseUrl, QUORATE_WEBHOOK_ALLOW: '127.0.0.1' }
    world = await startWorld({ databaseUrl })
    // A server's own clock is real, so tokens are signed by one that is too.
    world.clock.set(new Date())
    sink = await startHttpSink((response) => answer(response), false)
    voters = await insertVoters(world.ctx, [{}, {}])
    group = await insertGroupOf(
      world.ctx,
      voters.map(({ id }) => id),
    )
    const hook = { type: 'WEBHOOK', method: 'POST', url: `http://127.0.0.1:${sink.port}/in` } as const
    policyId = await insertPolicy(world.ctx, seats(group, 1), {}, { actions: [hook, hook] })
    servers = await Promise.all([startServer(env, 'serve'), startServer(env, 'serve')])
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    await sink[Symbol.asyncDispose]()
    await world.close()
  })

  /** Decides as many requests as there are `decisions`, and gives their ids. */
  async function decideAll(): Promise<string[]> {
    const tokens = await Promise.all(voters.map(async ({ id }) => (await world.signedIn(id)).token))
    const requests = await insertRequests(world.ctx, policyId, voters[0] as Voter, decisions)
    await inBatches(requests, 4, async (id, round) => {
      const answered = await fetch(`${servers[round % 2]?.url}/workflows/${id}/vote`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tokens[round % 2]}`, 'content-type': 'application/json' },
        body: JSON.stringify(voteBody('approve', [group], `vote ${round}`)),
      })
      expect(await answered.json()).toEqual({ workflowStatus: 'APPROVED' })
    })
    return requests
  }

  const deliveriesOf = (requests: readonly string[]) =>
    world.ctx.db.selectFrom('deliveries').selectAll().where('request_id', 'in', requests).execute()

  /** How often each key arrived, once nothing is left to do. */
  async function arrivedOf(requests: readonly string[]): Promise<Map<string, number>> {
    await expect
      .poll(async () => (await deliveriesOf(requests)).filter(({ status }) => status === 'completed').length, {
        timeout: 120_000,
        interval: 250,
      })
      .toBe(effects)
    const keys = sink.calls
      .filter(({ body }) => requests.includes((JSON.parse(body) as { workflowId: string }).workflowId))
      .map(({ headers }) => String(headers['idempotency-key']))
    const arrived = new Map([...Map.groupBy(keys, (key) => key)].map(([key, same]) => [key, same.length]))
    const rows = await deliveriesOf(requests)
    expect([...arrived.keys()].toSorted()).toEqual(rows.map(({ id }) => id).toSorted())
    expect((await world.ctx.store.jobs.depths()).filter(({ count }) => count > 0)).toEqual([])
    return arrived
  }

  const until = async (hasCome: () => boolean): Promise<void> => {
    while (!hasCome()) await sleep(5)
  }

  it('share the work, and everything is sent exactly once', async () => {
    const workers = await Promise.all([startServer(env, 'work'), startServer(env, 'work')])
    const arrived = await arrivedOf(await decideAll())
    expect(new Set(arrived.values())).toEqual(new Set([1]))
    const shares = await Promise.all(workers.map(sentBy))
    expect(shares.reduce((all, share) => all + share, 0)).toBe(effects)
    expect(Math.min(...shares)).toBeGreaterThan(0)
    expect(await Promise.all(workers.map((worker) => worker.stop()))).toEqual([0, 0])
  })

  it('take over from one that is killed and from one that is stopped', async () => {
    const [killed, stopped] = await Promise.all([startServer(env, 'work'), startServer(env, 'work')])
    const before = sink.calls.length
    const deciding = decideAll()
    await until(() => sink.calls.length >= before + 100)
    await killed.kill()

    // From here on nobody is answered, so the other one has calls in hand that do not end before it must.
    const unanswered: ServerResponse[] = []
    answer = (response) => void unanswered.push(response)
    await until(() => unanswered.length > 0)
    const held = sink.calls.slice(-unanswered.length).map(({ headers }) => headers['idempotency-key'])
    const code = await Promise.race([stopped.stop(), sleep(10_000, 'still there after 10 s')])
    expect(code).toBe(0)
    const requests = await deciding
    const holders = (await deliveriesOf(requests)).map((row) => row.locked_by)
    expect(holders.filter((holder) => holder?.includes(`/${stopped.pid}/`))).toEqual([])

    answer = (response) => void response.end()
    const last = await startServer(env, 'work')
    const arrived = await arrivedOf(requests)
    for (const key of held) expect(arrived.get(String(key))).toBeGreaterThan(1)
    expect(await last.stop()).toBe(0)
  })
})

/** How many deliveries a worker says that it completed. */
async function sentBy({ url }: ServerProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const [, count = '0'] = /^quorate_deliveries_total\{[^}]*outcome="completed"[^}]*\} (\d+)/m.exec(metrics) ?? []
  return Number(count)
}
