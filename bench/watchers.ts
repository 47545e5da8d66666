/**
 * `npm run bench:watch -- [WATCHERS]`: how soon those who wait at one process hear what another process decides, and what
 * they cost while nothing happens. A PostgreSQL of its own; each server a process; the watchers and the voters are this one.
 */
import { readFileSync } from 'node:fs'
import { Agent, get, type ClientRequest } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { loadConfig } from '../src/config/config.ts'
import { createContext, type Ctx } from '../src/context.ts'
import { signAccessToken } from '../src/identity/access-token.ts'
import { ensureDefaultOrganization } from '../src/identity/organization.ts'
import { inBatches, insertGroupOf, insertVoters } from '../test/helpers/crowd.ts'
import { startPostgres } from '../test/helpers/postgres.ts'
import { orgId, seats } from '../test/helpers/quorum.ts'
import { voteBody } from './benchmarks.ts'
import { openRequests } from './ground.ts'
import { quantile } from './load.ts'
import { startServer, type Server } from './servers.ts'

const count = Number(process.argv[2] ?? 5_000)
/** As many callers as have an even share under the limit for each. */
const callers = Math.ceil(count / 100)
const idleSeconds = 20

/** When each watcher heard of the decision, by the place of their request. */
interface Waiting {
  readonly heardAt: Promise<number>[]
  close(): void
}

async function main(): Promise<void> {
  const postgres = await startPostgres()
  try {
    const databaseUrl = await postgres.createDatabase('quorate_watchers')
    const env = { DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn', QUORATE_DEMO: '0', QUORATE_RATE_LIMIT: '0' }
    const ctx = await createContext(loadConfig({ DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn' }))
    await ensureDefaultOrganization(ctx)
    const voters = await insertVoters(
      ctx,
      Array.from({ length: callers }, () => ({})),
    )
    const tokens = await Promise.all(voters.map(({ id }) => tokenOf(ctx, id)))
    const groupId = await insertGroupOf(
      ctx,
      voters.map(({ id }) => id),
    )
    const opened = async (number: number) => await openRequests(ctx, seats(groupId, 1), voters[0]!.id, number)
    const watching = await startServer('src/main.ts', '/health', env)
    const voting = await startServer('src/main.ts', '/health', env)
    const vote = async (id: string) => {
      const body = voteBody(groupId)
      const headers = { authorization: `Bearer ${tokens[0]}`, 'content-type': 'application/json' }
      const answer = await fetch(`${voting.origin}/workflows/${id}/vote`, { method: 'POST', headers, body })
      if (!(await answer.text()).includes('APPROVED')) throw new Error(`the vote was answered with ${answer.status}`)
      return performance.now()
    }

    const [warm = ''] = await opened(1)
    const first = await streams(watching, tokens, [warm])
    await vote(warm)
    await Promise.all(first.heardAt)

    const before = residentKilobytes(watching)
    const ids = await opened(count)
    const all = await streams(watching, tokens, ids)
    await setTimeout(2_000)
    const [began, cpuBefore] = [performance.now(), cpuSeconds(watching)]
    await setTimeout(idleSeconds * 1000)
    const share = (cpuSeconds(watching) - cpuBefore) / ((performance.now() - began) / 1000)
    const grown = residentKilobytes(watching) - before
    print(
      `${count} idle watchers: ${(grown / count).toFixed(1)} KiB each (resident ${mebibytes(before)} before, ` +
        `${mebibytes(before + grown)} after), ${(share * 100).toFixed(1)} % of one core`,
    )
    const answeredAt = Array<number>(count)
    await inBatches(ids, 16, async (id, n) => void (answeredAt[n] = await vote(id)))
    await report('different-requests', all, (n) => answeredAt[n]!)

    const [one = '', other = ''] = await opened(2)
    const crowd = await streams(watching, tokens, Array<string>(count).fill(one))
    const decidedAt = await vote(one)
    await report('one-request', crowd, () => decidedAt)

    const polls = await longPolls(watching, tokens, Array<string>(count).fill(other))
    const answered = await vote(other)
    await report('one-request-long-poll', polls, () => answered)
    await Promise.all([watching.stop(), voting.stop()])
    await ctx.close()
  } finally {
    await postgres.stop()
  }
}

async function report(name: string, waiting: Waiting, answeredAt: (n: number) => number): Promise<void> {
  const heardAt = await Promise.all(waiting.heardAt)
  waiting.close()
  // Some hear of it before the voter does.
  const delays = heardAt.map((at, n) => Math.max(0, at - answeredAt(n))).toSorted((a, b) => a - b)
  const [p50, p99, most] = [quantile(delays, 0.5), quantile(delays, 0.99), delays.at(-1) ?? 0]
  print(
    `${name.padEnd(24)} from the vote's answer to the watcher: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, ` +
      `last ${most.toFixed(0)} ms (bar p99 ≤ 1000${p99 <= 1_000 ? '' : ', MISSED'})`,
  )
  print(`BENCH watch-${name} p50=${p50.toFixed(1)} p99=${p99.toFixed(1)} max=${most.toFixed(1)}`)
}

/** Streams that have told their first status. */
async function streams(server: Server, tokens: readonly string[], ids: readonly string[]): Promise<Waiting> {
  return await waiting(server, tokens, ids, (id) => `/v1/workflows/${id}/events`, 'EVALUATION_IN_PROGRESS')
}

/** Long polls; they say nothing until they answer, so they are given a moment to arrive. */
async function longPolls(server: Server, tokens: readonly string[], ids: readonly string[]): Promise<Waiting> {
  const all = await waiting(server, tokens, ids, (id) => `/v1/workflows/${id}?wait=60`, null)
  const metrics = async () => await (await fetch(`${server.origin}/metrics`)).text()
  while (!(await metrics()).includes(`\nquorate_watchers ${ids.length}\n`)) await setTimeout(100)
  return all
}

async function waiting(
  server: Server,
  tokens: readonly string[],
  ids: readonly string[],
  pathOf: (id: string) => string,
  greeting: string | null,
): Promise<Waiting> {
  const agent = new Agent({ maxSockets: Infinity })
  const calls: ClientRequest[] = []
  const heardAt: Promise<number>[] = []
  await inBatches(ids, 64, async (id, n) => {
    const headers = { authorization: `Bearer ${tokens[n % tokens.length]}` }
    const greeted = Promise.withResolvers<void>()
    if (greeting === null) greeted.resolve()
    heardAt[n] = new Promise((resolve, reject) => {
      const call = get(server.origin + pathOf(id), { agent, headers }, (answer) => {
        answer.on('data', (chunk: Buffer) => {
          const text = chunk.toString()
          if (greeting !== null && text.includes(greeting)) greeted.resolve()
          if (text.includes('APPROVED')) resolve(performance.now())
        })
        answer.on('end', () => reject(new Error(`${answer.statusCode}: ended without a decision`)))
      })
      call.on('error', reject)
      calls.push(call)
    })
    await greeted.promise
  })
  return { heardAt, close: () => calls.forEach((call) => call.destroy()) }
}

async function tokenOf(ctx: Ctx, principalId: string): Promise<string> {
  const subject = {
    orgId,
    principalId,
    kind: 'human',
    name: principalId,
    email: 'crowd@example.com',
    isAdmin: false,
  } as const
  return await signAccessToken(ctx.keys.token, ctx.clock, subject)
}

function residentKilobytes({ pid }: Server): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Processor time so far, user and system; the kernel counts in hundredths. */
function cpuSeconds({ pid }: Server): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const mebibytes = (kilobytes: number) => `${(kilobytes / 1024).toFixed(0)} MiB`
const print = (line: string) => void process.stdout.write(`${line}\n`)

await main()
