import { Client } from 'pg'
import { sql } from 'kysely'
import type { Action } from '../src/approvals/actions.ts'
import { loadConfig } from '../src/config/config.ts'
import { createContext, type Ctx } from '../src/context.ts'
import { signAccessToken } from '../src/identity/access-token.ts'
import { ensureDefaultOrganization } from '../src/identity/organization.ts'
import { registerPerson } from '../src/identity/register-person.ts'
import { initialState } from '../src/kernel/request.ts'
import type { Rule } from '../src/kernel/rule.ts'
import { transact } from '../src/store/unit-of-work.ts'
import type { PostgresServer } from '../test/helpers/postgres.ts'
import { giveRole, insertGroup, insertPolicy, nativeOptions, orgId } from '../test/helpers/quorum.ts'
import { startServer, type Server } from './servers.ts'

export interface Voter {
  readonly id: string
  readonly token: string
}

/** Our server on a database of its own, and the rows that every benchmark needs. */
export interface OurGround extends AsyncDisposable {
  readonly ctx: Ctx
  readonly ours: Server
  /** What a process needs to be another one of ours. */
  readonly env: Readonly<Record<string, string>>
  readonly voters: readonly Voter[]
  /** A group that all voters are members of. */
  readonly groupId: string
}

/** The same with the floor beside it, on a database of its own. */
export interface Ground extends OurGround {
  readonly floor: Server
  readonly floorUrl: string
}

export const voterCount = 16

export async function prepareGround(postgres: PostgresServer): Promise<Ground> {
  const floorUrl = await postgres.createDatabase('floor_bench')
  await prepareFloor(floorUrl)
  const ground = await prepareOurs(postgres)
  const floor = await startServer('bench/floor.ts', '/', { DATABASE_URL: floorUrl })
  return {
    ...ground,
    floor,
    floorUrl,
    async [Symbol.asyncDispose]() {
      await floor.stop()
      await ground[Symbol.asyncDispose]()
    },
  }
}

/**
 * @param settings of our server beside those of every benchmark
 * @param command of `quorate`: what the process does of its work
 */
export async function prepareOurs(
  postgres: PostgresServer,
  settings: Readonly<Record<string, string>> = {},
  ...command: readonly string[]
): Promise<OurGround> {
  const databaseUrl = await postgres.createDatabase('quorate_bench')
  const ctx = await createContext(loadConfig({ DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn' }))
  await ensureDefaultOrganization(ctx)
  const voters: Voter[] = []
  for (let n = 0; n < voterCount; n++) voters.push(await newVoter(ctx, n))
  const groupId = await insertGroup(
    ctx,
    voters.map((voter) => voter.id),
  )
  const env = { DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn', QUORATE_DEMO: '0', QUORATE_RATE_LIMIT: '0', ...settings }
  const ours = await startServer('src/main.ts', '/health', env, command)
  return {
    ctx,
    ours,
    env,
    voters,
    groupId,
    async [Symbol.asyncDispose]() {
      await ours.stop()
      await ctx.close()
    },
  }
}

async function newVoter(ctx: Ctx, n: number): Promise<Voter> {
  const person = { orgId, email: `voter${n}@example.com`, displayName: `Voter ${n}`, isAdmin: false }
  const id = await transact(ctx, null, (tx) => registerPerson(ctx, tx, { kind: 'system' }, person))
  await giveRole(ctx, id)
  const subject = {
    orgId,
    principalId: id,
    kind: 'human',
    name: person.displayName,
    email: person.email,
    isAdmin: false,
  } as const
  return { id, token: await signAccessToken(ctx.keys.token, ctx.clock, subject) }
}

/** Opens `count` requests under a new policy with this rule and these actions; returns their ids. */
export async function openRequests(
  ctx: Ctx,
  rule: Rule,
  requesterId: string,
  count: number,
  actions: readonly Action[] = [],
): Promise<string[]> {
  const policyId = await insertPolicy(ctx, rule, {}, { actions })
  const stages = [{ binding: true, rule }]
  const expiresAt = new Date(Date.now() + 30 * 86_400_000)
  const state = initialState(
    { stages, options: nativeOptions },
    { digest: 'd', expiresAt: expiresAt.getTime(), requester: { principal: requesterId, person: null } },
  )
  const { rows } = await sql<{ id: string }>`
    insert into requests (org_id, id, dialect, policy_id, name, metadata, requester_id, digest, status, tally, expires_at, created_at, updated_at)
    select ${orgId}, ${uuidV7Sql}, 'native', ${policyId}, 'bench-' || ${policyId} || '-' || n, '{}', ${requesterId}::uuid,
      md5(n::text), 'open', ${JSON.stringify(state.tally)}::jsonb, ${expiresAt}, now() - n * interval '1 ms', now() - n * interval '1 ms'
    from generate_series(1, ${count}::int) n returning id`.execute(ctx.db)
  await ctx.db
    .insertInto('request_counts')
    .values({ org_id: orgId, policy_id: policyId, is_final: false, difference: count })
    .execute()
  // What autovacuum would do within the minute, or else plans are made for an empty table.
  await sql`analyze requests`.execute(ctx.db)
  return rows.map((row) => row.id)
}

/** A UUID of version 7 made by PostgreSQL: milliseconds, then chance. */
export const uuidV7Sql = sql.raw(
  `encode(overlay(overlay(uuid_send(gen_random_uuid()) placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6)
    placing set_byte('\\x00', 0, 112 + (random() * 15)::int) from 7 for 1), 'hex')::uuid`,
)

async function prepareFloor(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`
    create table requests (id uuid primary key, name text not null, seq integer not null, created_at timestamptz not null);
    create table votes (request_id uuid not null, seq integer not null, voter text not null, primary key (request_id, seq))`)
  await client.end()
}

/** The same number of rows for the floor; returns their ids. */
export async function openFloorRequests(url: string, count: number): Promise<string[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ id: string }>(
    `insert into requests select gen_random_uuid(), 'bench-' || n, 0, now() from generate_series(1, $1::int) n returning id`,
    [count],
  )
  await client.query('analyze requests')
  await client.end()
  return rows.map((row) => row.id)
}
