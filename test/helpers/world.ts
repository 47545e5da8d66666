import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { loadConfig } from '../../src/config/config.ts'
import type { RawEnv } from '../../src/config/env.ts'
import { createContext, type Clock, type Ctx } from '../../src/context.ts'
import { prepareStore } from '../../src/demo/seed.ts'
import { signAccessToken } from '../../src/identity/access-token.ts'
import type { StepUp } from '../../src/identity/actor.ts'
import { defaultOrganization } from '../../src/identity/organization.ts'
import { registerPerson } from '../../src/identity/register-person.ts'
import type { Network } from '../../src/outgoing/network.ts'
import { buildServer } from '../../src/server.ts'
import { findActorRow } from '../../src/store/principals.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { freshDatabase } from './fresh-database.ts'

/** A clock that a test sets. */
export interface TestClock extends Clock {
  set(instant: Date): void
  advance(milliseconds: number): void
}

export function testClock(start = new Date('2026-11-21T12:00:00.000Z')): TestClock {
  let now = start.getTime()
  return {
    now: () => new Date(now),
    set: (instant) => void (now = instant.getTime()),
    advance: (milliseconds) => void (now += milliseconds),
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  // Answers are compared with literal expectations, so their type is whatever the test says.
  // oxlint-disable-next-line no-explicit-any
  readonly body: any
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Call = (url: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

export type Calls = Readonly<Record<Method, Call>>

/** Someone who calls the API with an access token. */
export type Client = Calls & { readonly id: string; readonly token: string }

export interface World extends AsyncDisposable {
  readonly ctx: Ctx
  readonly app: FastifyInstance
  readonly clock: TestClock
  /** Without a token. */
  readonly anyone: Calls
  /** Registers a person in the default organization and signs them in. */
  person(name: string, options?: { admin?: boolean }): Promise<Client>
  /** A client for a principal that exists, human or agent. */
  signedIn(principalId: string, stepUp?: StepUp): Promise<Client>
  /** A client that calls with this very token. */
  withToken(principalId: string, token: string): Client
  close(): Promise<void>
}

export interface WorldOptions {
  /** Unless `databaseUrl` says which: a database of its own on the run's PostgreSQL, or PGlite in memory. */
  readonly engine?: 'postgres' | 'pglite'
  /** A PostgreSQL database to share with another world. */
  readonly databaseUrl?: string
  readonly env?: RawEnv
  readonly start?: Date
  /** Where calls to receivers lead. */
  readonly network?: Network
  /** How often watchers are seen to. */
  readonly watchBeatMilliseconds?: number
}

/** The engine of worlds that do not say: PostgreSQL starts twenty times as fast; `npm run test:pglite` runs all on the other. */
const defaultEngine = process.env['QUORATE_TEST_ENGINE'] === 'pglite' ? 'pglite' : 'postgres'

/** The whole server on a real store. Nothing listens; calls are injected. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const config = loadConfig({
    ...(await storeOf(options)),
    QUORATE_DEMO: '0',
    QUORATE_RATE_LIMIT: '0',
    LOG_LEVEL: 'silent',
    ...options.env,
  })
  const clock = testClock(options.start)
  const { network, watchBeatMilliseconds } = options
  const ctx = await createContext(config, {
    clock,
    log: pino({ level: config.logLevel }),
    ...(network !== undefined && { network }),
    ...(watchBeatMilliseconds !== undefined && { watchBeatMilliseconds }),
  })
  await prepareStore(ctx)
  const app = await buildServer(ctx)
  const orgId = defaultOrganization.id
  const close = async () => {
    await app.close()
    await ctx.close()
  }
  const withToken = (id: string, token: string): Client => ({
    ...calls(app, { authorization: `Bearer ${token}` }),
    id,
    token,
  })
  const signedIn = async (principalId: string, stepUp?: StepUp): Promise<Client> => {
    const row = await findActorRow(ctx.db, orgId, principalId)
    if (row === undefined) throw new Error(`no principal ${principalId}`)
    const subject = { orgId, principalId, kind: row.kind, name: row.name, email: row.email, isAdmin: row.is_admin }
    const token = await signAccessToken(ctx.keys.token, clock, subject, stepUp)
    return withToken(principalId, token)
  }
  return {
    ctx,
    app,
    clock,
    anyone: calls(app, {}),
    async person(name, { admin = false } = {}) {
      const person = { orgId, email: `${name.toLowerCase()}@example.com`, displayName: name, isAdmin: admin }
      return await signedIn(await transact(ctx, null, (tx) => registerPerson(ctx, tx, { kind: 'system' }, person)))
    },
    signedIn,
    withToken,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function storeOf({ engine = defaultEngine, databaseUrl }: WorldOptions): Promise<RawEnv> {
  if (databaseUrl !== undefined) return { DATABASE_URL: databaseUrl }
  return engine === 'pglite' ? { QUORATE_DATA_DIR: 'memory://' } : { DATABASE_URL: await freshDatabase() }
}

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly payload?: string
}

/** The calls of someone who always sends these headers, over whatever carries them. */
export function callsBy(
  carry: (sent: Sent) => Promise<{ status: number; headers: Record<string, unknown>; text: string }>,
  base: Record<string, string>,
): Calls {
  const call =
    (method: Method): Call =>
    async (url, body, extra = {}) => {
      const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      const payload = typeof body === 'string' ? body : JSON.stringify(body)
      const sent = { method: method.toUpperCase(), url, headers: { ...type, ...base, ...extra } }
      const { status, headers, text } = await carry(payload === undefined ? sent : { ...sent, payload })
      const answered = headers['content-type']
      const isJson = typeof answered === 'string' && /\bjson\b/.test(answered)
      return { status, headers, body: isJson ? JSON.parse(text) : text }
    }
  return { get: call('get'), post: call('post'), put: call('put'), patch: call('patch'), delete: call('delete') }
}

function calls(app: FastifyInstance, base: Record<string, string>): Calls {
  return callsBy(async ({ method, ...sent }) => {
    const answer = await app.inject({ method: method as 'GET', ...sent })
    return { status: answer.statusCode, headers: answer.headers, text: answer.body }
  }, base)
}
