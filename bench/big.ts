import { sql } from 'kysely'
import { orgId, seats } from '../test/helpers/quorum.ts'
import { alternate, voteBody, voteCall, type Benchmark } from './benchmarks.ts'
import { openRequests, uuidV7Sql, type Ground } from './ground.ts'
import { median, runLoad, type Load } from './load.ts'
import type { BenchRow } from './report.ts'

const votes = 10_000
const members = 100_000

/** A vote in requests that have 10,000 votes already, beside a vote in fresh ones. */
export const bigRequest: Benchmark = async (ground, effort) => {
  const rule = seats(ground.groupId, 1_000_000)
  const requester = ground.voters[0]!.id
  const fresh = await openRequests(ground.ctx, rule, requester, 32)
  const full = await openRequests(ground.ctx, rule, requester, 32)
  await addVotes(ground, full)
  return [await compare(ground, effort, 'vote-in-10k-votes', full, ground.groupId, fresh, ground.groupId)]
}

/** A vote for a group of 100,000 members, beside a vote for a small one. */
export const bigGroup: Benchmark = async (ground, effort) => {
  const requester = ground.voters[0]!.id
  const crowd = ground.ctx.newId()
  await addCrowd(ground, crowd)
  const fresh = await openRequests(ground.ctx, seats(ground.groupId, 1_000_000), requester, 32)
  const crowded = await openRequests(ground.ctx, seats(crowd, 1_000_000), requester, 32)
  return [await compare(ground, effort, 'vote-in-100k-group', crowded, crowd, fresh, ground.groupId)]
}

async function compare(
  ground: Ground,
  effort: Parameters<Benchmark>[1],
  name: string,
  big: string[],
  bigGroupId: string,
  small: string[],
  smallGroupId: string,
): Promise<BenchRow> {
  const load = (requests: string[], groupId: string) => (seconds: number) =>
    runLoad({
      origin: ground.ours.origin,
      clients: 16,
      seconds,
      next: (n) => voteCall(ground, requests, voteBody(groupId), n),
    })
  const measured = await alternate(effort, { ours: load(big, bigGroupId), floor: load(small, smallGroupId) })
  const p50 = (loads: readonly Load[]) => median(loads.map((one) => one.p50))
  return {
    name,
    unit: 'ms',
    ours: p50(measured.ours),
    floor: p50(measured.floor),
    against: 'small',
    bar: { atMost: 1.5 },
  }
}

async function addVotes({ ctx, groupId }: Ground, requests: readonly string[]): Promise<void> {
  await sql`
    insert into votes (org_id, request_id, seq, stage, principal_id, stance, seats, assurance, digest, cast_at)
    select ${orgId}, r.id, n, 0, gen_random_uuid(), 'approve', array[${groupId}::uuid], '{}', r.digest, now()
    from requests r, generate_series(1, ${votes}::int) n where r.id = any(${requests}::uuid[])`.execute(ctx.db)
  await sql`update requests set vote_seq = ${votes}, tally = jsonb_build_object('approvals', jsonb_build_array(${votes}::int), 'vetoes', 0)
    where id = any(${requests}::uuid[])`.execute(ctx.db)
  await sql`analyze votes, requests`.execute(ctx.db)
}

async function addCrowd({ ctx, voters }: Ground, groupId: string): Promise<void> {
  const at = ctx.clock.now()
  await ctx.db
    .insertInto('groups')
    .values({
      org_id: orgId,
      id: groupId,
      name: `crowd-${groupId}`,
      member_count: members,
      created_at: at,
      updated_at: at,
    })
    .execute()
  await sql`
    with crowd as (
      insert into principals (org_id, id, kind, name, row_version, created_at)
      select ${orgId}::uuid, ${uuidV7Sql}, 'agent', 'crowd ' || n, 1, now() from generate_series(1, ${members}::int) n returning id
    )
    insert into memberships (org_id, group_id, principal_id, added_at)
    select ${orgId}::uuid, ${groupId}::uuid, id, now() from crowd
    union all select ${orgId}::uuid, ${groupId}::uuid, id, now() from unnest(${voters.map((voter) => voter.id)}::uuid[]) id`.execute(
    ctx.db,
  )
  await sql`analyze principals, memberships`.execute(ctx.db)
}
