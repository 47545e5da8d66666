import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { countFaults } from '../test/helpers/history.ts'
import { startPostgres } from '../test/helpers/postgres.ts'
import { giveRole, seats } from '../test/helpers/quorum.ts'
import { voteBody, voteCall } from './benchmarks.ts'
import { openRequests, prepareOurs, type OurGround } from './ground.ts'
import { median, send, type Call } from './load.ts'
import { startServer, type Server } from './servers.ts'
import { startSink } from './sink.ts'
import { middleP99, quietWindows, runSteadily, type SteadyLoad } from './steady.ts'

const help = `npm run bench:cancel -- [--count N] [--actions] [--kills N] [--rate N]

Sixteen clients vote under one template while another one goes out of use and its requests are canceled, by a worker that is
killed (SIGKILL) again and again. Then checks that each was canceled once, and that nobody could vote on one any more.
  --count        requests to cancel (100000)
  --actions      each cancellation calls a webhook
  --kills        of the worker while it cancels; as often as before that (5)
  --kill-every   seconds between them (6)
  --rate         votes a second (600)

Exits with 1 when anything was wrong.
`

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    actions: { type: 'boolean', default: false },
    kills: { type: 'string', default: '5' },
    'kill-every': { type: 'string', default: '6' },
    rate: { type: 'string', default: '600' },
    help: { type: 'boolean', default: false },
  },
})

const count = Number(values.count)
const kills = Number(values.kills)
const windowSeconds = 5
const priorWindows = 6

interface Condemned {
  readonly policyId: string
  readonly ids: readonly string[]
}

if (values.help) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const heard = new Map<string, number>()
  const postgres = await startPostgres()
  try {
    await using sink = await startSink('http', (taskId) => void heard.set(taskId, (heard.get(taskId) ?? 0) + 1))
    await using ground = await prepareOurs(postgres, { QUORATE_WEBHOOK_ALLOW: '127.0.0.1' }, 'serve')
    const condemned = await openCondemned(ground, sink.port)
    const body = voteBody(ground.groupId)
    const others = await openRequests(ground.ctx, seats(ground.groupId, 1_000), ground.voters[0]!.id, 2_000)
    const next = (n: number) => voteCall(ground, others, body, n)
    const faults = await measure(ground, condemned, next)
    faults.push(...(await faultsIn(ground, condemned, heard)))
    for (const fault of faults) print(`FAULT ${fault}`)
    if (faults.length > 0) process.exitCode = 1
  } finally {
    await postgres.stop()
  }
}

async function openCondemned({ ctx, voters, groupId }: OurGround, port: number): Promise<Condemned> {
  const hook = { type: 'WEBHOOK', url: `http://127.0.0.1:${port}/in`, method: 'POST', on: ['CANCELED'] } as const
  const ids = await openRequests(ctx, seats(groupId, 1_000), voters[0]!.id, count, values.actions ? [hook] : [])
  await giveRole(ctx, voters[0]!.id, 'OrgWideWorkflowTemplateFullAccess')
  const row = await ctx.db
    .selectFrom('requests')
    .select('policy_id')
    .where('id', '=', ids[0]!)
    .executeTakeFirstOrThrow()
  return { policyId: row.policy_id, ids }
}

/** Votes in windows before, while and after requests are canceled; the worker is killed before and while. */
async function measure(ground: OurGround, { policyId, ids }: Condemned, next: (n: number) => Call): Promise<string[]> {
  const faults: string[] = []
  const rate = Number(values.rate)
  const { origin } = ground.ours
  const windowOf = async (seconds = windowSeconds) => await runSteadily({ origin, clients: 16, rate, seconds, next })
  const worker = await startKilledWorker(ground)
  await windowOf(10)
  worker.killAgain(kills)
  const before: SteadyLoad[] = []
  for (let window = 0; window < priorWindows; window++) before.push(await windowOf())
  await worker.killed()

  const token = ground.voters[0]!.token
  const asked = performance.now()
  const began = new Date()
  const deprecating = { method: 'POST', path: `/workflow-templates/${policyId}/deprecate`, token } as const
  await send(origin, new Agent(), { ...deprecating, body: '{"cancelWorkflows":true}' })
  print(`the deprecation was answered after ${(performance.now() - asked).toFixed(0)} ms`)
  const trying = keepTrying(ground, ids)
  worker.killAgain(kills)
  const during: SteadyLoad[] = []
  while (await isStillInUse(ground, policyId)) during.push(await windowOf())
  const seconds = (performance.now() - asked) / 1000
  const leftOver = worker.killsLeft()
  await worker.killed()
  const { tried, accepted } = await trying.end()
  if (accepted > 0) faults.push(`${accepted} votes were accepted after the deprecation's answer`)
  if (leftOver > 0) faults.push(`it was over ${leftOver} kills too soon`)
  const delivering: SteadyLoad[] = []
  while (values.actions && (await pendingSince(ground, began)) > 0) delivering.push(await windowOf())
  await worker.stop()

  print(
    `${count} canceled in ${seconds.toFixed(0)} s, ${kills} kills; ${tried} votes on them tried, ${accepted} accepted`,
  )
  printWindows('before', before, before)
  printWindows('canceling', during, before)
  if (values.actions) printWindows('delivering', delivering, before)
  return faults
}

function printWindows(name: string, windows: readonly SteadyLoad[], before: readonly SteadyLoad[]): void {
  const ratio = middleP99(windows) / middleP99(before)
  print(
    `CANCEL ${name.padEnd(10)} p50=${median(windows.map((load) => load.p50)).toFixed(2)} p99=${middleP99(windows).toFixed(2)} ` +
      `p99-ratio=${ratio.toFixed(2)}${ratio > 1.2 ? ' (bar 1.2, MISSED)' : ''} ` +
      `quiet=${quietWindows(windows)} windows: ${windows.flatMap((load) => load.windows.map(({ p99, isQuiet }) => `${p99.toFixed(0)}${isQuiet ? '' : '~'}`)).join(' ')}`,
  )
}

/** A worker in a process of its own that is killed and started again as often as it is told. */
async function startKilledWorker({ env }: OurGround) {
  const start = async () => await startServer('src/main.ts', '/health', env, ['work'])
  let worker: Server = await start()
  let left = 0
  let killing = Promise.resolve()
  return {
    killAgain(times: number) {
      left = times
      killing = (async () => {
        while (left > 0) {
          await sleep(Number(values['kill-every']) * 1000 * (0.75 + Math.random() / 2))
          await worker.kill()
          left--
          worker = await start()
        }
      })()
    },
    killsLeft: () => left,
    killed: async () => await killing,
    stop: async () => await worker.stop(),
  }
}

/** Tries to vote on what is being canceled, all the time. */
function keepTrying({ ours, voters, groupId }: OurGround, ids: readonly string[]) {
  let isOver = false
  let [tried, accepted] = [0, 0]
  const running = (async () => {
    while (!isOver) {
      const id = ids[Math.floor(Math.random() * ids.length)]!
      const answer = await fetch(`${ours.origin}/workflows/${id}/vote`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${voters[tried % voters.length]!.token}`,
          'content-type': 'application/json',
        },
        body: voteBody(groupId),
      })
      await answer.arrayBuffer()
      tried++
      if (answer.ok) accepted++
      await sleep(100)
    }
  })()
  return {
    async end() {
      isOver = true
      await running
      return { tried, accepted }
    },
  }
}

async function isStillInUse({ ctx }: OurGround, policyId: string): Promise<boolean> {
  const row = await ctx.db.selectFrom('policies').select('status').where('id', '=', policyId).executeTakeFirst()
  return row?.status !== 'deprecated'
}

async function pendingSince({ ctx }: OurGround, since: Date): Promise<number> {
  const { rows } = await sql<{ pending: number }>`
    select count(*)::int as pending from deliveries where status = 'pending' and created_at >= ${since}`.execute(ctx.db)
  return rows[0]!.pending
}

/** What is in the store once all is over, and what the receiver heard. */
async function faultsIn(
  { ctx, ours, voters }: OurGround,
  { policyId }: Condemned,
  heard: ReadonlyMap<string, number>,
): Promise<string[]> {
  const faults = await countFaults(ctx)
  const expect = (what: string, found: unknown, expected: unknown) => {
    print(`${what}: ${String(found)}`)
    if (found !== expected) faults.push(`${what}: ${String(found)}, not ${String(expected)}`)
  }
  const { rows } = await sql<{ canceled: number; leaves: number; subjects: number; votes: number }>`
    with of_policy as (select id, status, is_final from requests where policy_id = ${policyId}),
    told as (select subject_id from audit_leaves where kind = 'request.canceled' and subject_id in (select id from of_policy))
    select (select count(*)::int from of_policy where status = 'canceled' and is_final) as canceled,
      (select count(*)::int from told) as leaves, (select count(distinct subject_id)::int from told) as subjects,
      (select count(*)::int from votes where request_id in (select id from of_policy)) as votes`.execute(ctx.db)
  const found = rows[0]!
  expect('canceled', found.canceled, count)
  expect('leaves', found.leaves, count)
  expect('requests with a leaf', found.subjects, count)
  expect('votes on them', found.votes, 0)
  const answer = await fetch(`${ours.origin}/workflow-templates/${policyId}`, {
    headers: { authorization: `Bearer ${voters[0]!.token}` },
  })
  expect('the template', ((await answer.json()) as { status: string }).status, 'DEPRECATED')
  if (!values.actions) return faults
  const ended = await ctx.db
    .selectFrom('deliveries')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('status', '=', 'completed')
    .where('to_status', '=', 'canceled')
    .executeTakeFirstOrThrow()
  expect('deliveries completed', ended.count, count)
  expect('tasks that the receiver heard of', heard.size, count)
  print(`calls heard again, under the same key: ${[...heard.values()].reduce((sum, times) => sum + times - 1, 0)}`)
  return faults
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
