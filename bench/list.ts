import { sql } from 'kysely'
import { seats } from '../test/helpers/quorum.ts'
import { alternate, type Benchmark, type Effort } from './benchmarks.ts'
import { openRequests, type Ground } from './ground.ts'
import { median, runLoad, type Load } from './load.ts'
import type { BenchRow } from './report.ts'

const small = 1_000
const large = 1_000_000

/** Every filter that a list offers, each among a thousand and among a million requests: p99 of a page of 20. */
export const listBenchmark: Benchmark = async (ground, effort) => {
  const filters = await fillWith(ground, small)
  const ofSmall = await measure(ground, effort, filters)
  await fillWith(ground, large - small)
  const ofLarge = await measure(ground, effort, filters)
  return Object.keys(filters).map((name): BenchRow => {
    const p99 = (loads: readonly Load[] | undefined) => median((loads ?? []).map((load) => load.p99))
    return {
      name: `list ${name}`.replaceAll(' ', '-'),
      unit: 'ms',
      ours: p99(ofLarge[name]),
      floor: p99(ofSmall[name]),
      against: '1,000',
      bar: { atMost: 2 },
    }
  })
}

/** Adds `count` requests: most under one policy, some under a few others with another group, a tenth of them decided. */
async function fillWith(ground: Ground, count: number): Promise<Record<string, string>> {
  const { ctx, groupId } = ground
  const requester = ground.voters[0]!.id
  const main = await openRequests(ctx, seats(groupId, 1000), requester, Math.floor(count * 0.9))
  const rareGroup = rareGroups.get(ground) ?? ctx.newId()
  rareGroups.set(ground, rareGroup)
  await openRequests(ctx, seats(rareGroup, 1), requester, Math.ceil(count * 0.1))
  await decideEveryTenth(ground, main)
  await sql`analyze`.execute(ctx.db)
  const policyOf = async (id: string) =>
    (await ctx.db.selectFrom('requests').select('policy_id').where('id', '=', id).executeTakeFirstOrThrow()).policy_id
  return {
    all: '',
    open: '&includeOnlyNonTerminalState=true',
    'by template': `&workflowTemplateIdentifier=${await policyOf(main[0]!)}`,
    'by template and open': `&includeOnlyNonTerminalState=true&workflowTemplateIdentifier=${await policyOf(main[0]!)}`,
    'by group': `&includeGroups=${rareGroup}`,
    'oldest first': '&orderBy=CREATED_AT:ASC',
    'by both fields': '&orderBy=UPDATED_AT:ASC,CREATED_AT:DESC',
  }
}

async function decideEveryTenth({ ctx }: Ground, ids: readonly string[]): Promise<void> {
  const decided = ids.filter((_, n) => n % 10 === 0)
  await sql`
    with decided as (
      update requests set status = 'approved', is_final = true where id = any(${decided}::uuid[]) returning org_id, policy_id
    )
    insert into request_counts (org_id, policy_id, is_final, difference)
    select org_id, policy_id, is_final, count(*) * case when is_final then 1 else -1 end
    from decided, unnest('{true,false}'::boolean[]) is_final group by org_id, policy_id, is_final`.execute(ctx.db)
}

const rareGroups = new WeakMap<Ground, string>()

async function measure(ground: Ground, effort: Effort, filters: Record<string, string>) {
  const loads = Object.entries(filters).map(([name, filter]) => {
    const next = (n: number) => {
      const path = `/workflows?limit=20&page=${1 + (n % 5)}${filter}`
      return { method: 'GET', path, token: ground.voters[n % ground.voters.length]!.token } as const
    }
    return [
      name,
      (length: number) => runLoad({ origin: ground.ours.origin, clients: 4, seconds: length, next }),
    ] as const
  })
  return await alternate(
    { ...effort, seconds: effort.seconds / 2, warmUp: effort.warmUp / 3 },
    Object.fromEntries(loads),
  )
}
