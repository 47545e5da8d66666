import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Ctx } from '../../src/context.ts'
import type { StoreEnv } from '../crash/store.ts'
import { mostLateMilliseconds, type Granted, type Ledger } from './granted.ts'
import { call } from './role-calls.ts'

/** By how many milliseconds after the end of a grant its membership was still there, and the leaf of its end was not. */
export interface Lateness {
  readonly membership: number
  readonly leaf: number
}

const betweenLooksMilliseconds = 100

/** Looks at the rows of a PostgreSQL store, whether or not a server lives; null for a store that only its server can read. */
export async function watchRows(
  { DATABASE_URL: url }: StoreEnv,
  roles: readonly string[],
): Promise<{ lateness(): Lateness | null; readonly faults: string[] } & AsyncDisposable> {
  const faults: string[] = []
  if (url === undefined) return { lateness: () => null, faults, async [Symbol.asyncDispose]() {} }
  const worst = { membership: 0, leaf: 0 }
  const stop = new AbortController()
  const client = new Client({ connectionString: url })
  await client.connect()
  const looking = (async () => {
    while (!stop.signal.aborted) {
      const at = new Date()
      const { rows } = await client.query<LateRow>(lateText, [at, roles])
      for (const { id, ends_at: end, is_member: isMember, has_leaf: hasLeaf } of rows) {
        const late = at.getTime() - end.getTime()
        if (isMember) worst.membership = Math.max(worst.membership, late)
        if (!hasLeaf) worst.leaf = Math.max(worst.leaf, late)
        if (late > mostLateMilliseconds) faults.push(`grant ${id}: its end is not written a minute later`)
      }
      await sleep(betweenLooksMilliseconds)
    }
  })()
  return {
    lateness: () => worst,
    faults,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
      await client.end()
    },
  }
}

interface LateRow {
  readonly id: string
  readonly ends_at: Date
  readonly is_member: boolean
  readonly has_leaf: boolean
}

const lateText = `
  select * from (
    select g.id, g.ends_at,
      exists (select from memberships m where m.org_id = g.org_id and m.group_id = g.group_id
        and m.principal_id = g.principal_id and m.ends_at = g.ends_at) as is_member,
      exists (select from audit_leaves l where l.org_id = g.org_id and l.subject_id = g.id and l.kind = 'grant.ended') as has_leaf
    from grants g where g.ends_at <= $1 and g.group_id = any ($2::uuid[])
  ) late where is_member or not has_leaf`

/** The same from outside: a membership and the leaf of its end are written with the role's count of members, in one transaction. */
export function watchByCounts(ledger: Ledger, roles: readonly string[]) {
  const faults: string[] = []
  let worst = 0
  const ours = new Set(roles)
  return {
    faults,
    lateness: (): Lateness => ({ membership: worst, leaf: worst }),
    async keepLooking(url: string, token: string, stop: AbortSignal): Promise<null> {
      while (!stop.aborted) {
        const at = Date.now()
        const answer = await call(url, 'GET', '/role-store/api/v1/roles?limit=1000', token)
        if (answer === null) return null
        for (const { id, member_count: count } of answer.body['items'] as { id: string; member_count: number }[]) {
          const grant = ledger.current(id)
          if (!ours.has(id) || grant === undefined || at < grant.sentAt) continue
          if (count > 1) faults.push(`role ${id}: has ${count} members, of one`)
          if (count === 0 || grant.hours !== null || grant.endsAt === null || at < grant.endsAt) continue
          worst = Math.max(worst, at - grant.endsAt)
          if (at - grant.endsAt > mostLateMilliseconds) faults.push(`role ${id}: counts a member a minute later`)
        }
        await sleep(betweenLooksMilliseconds)
      }
      return null
    },
  }
}

/** What is wrong with the rows once the server is gone: each grant once, with one beginning and at most one end. */
export async function storedFaults(
  { db, clock }: Ctx,
  roles: readonly string[],
  all: readonly Granted[],
): Promise<{ readonly faults: string[]; readonly ended: number }> {
  const faults: string[] = []
  const grants = await db.selectFrom('grants').selectAll().where('group_id', 'in', roles).execute()
  const memberships = await db.selectFrom('memberships').selectAll().where('group_id', 'in', roles).execute()
  const leaves = await db
    .selectFrom('audit_leaves')
    .select(['subject_id', 'kind', 'content'])
    .where('kind', 'like', 'grant.%')
    .execute()
  const leavesOf = Map.groupBy(leaves, ({ subject_id: id }) => id)
  const unmatched = new Set(grants)
  for (const { userId, roleId, hours, endsAt, isUncertain } of all) {
    const row = [...unmatched].find(
      (grant) =>
        grant.group_id === roleId &&
        grant.principal_id === userId &&
        (hours === null
          ? grant.ends_at?.getTime() === endsAt
          : grant.floating_hours === hours || grant.used_at !== null),
    )
    if (row !== undefined) unmatched.delete(row)
    else if (!isUncertain) faults.push(`role ${roleId}: granted, and no row is there`)
  }
  for (const { id } of unmatched) faults.push(`grant ${id}: there, and nobody gave it`)
  const now = clock.now()
  for (const { id, group_id: role, principal_id: user, ended_at, ended_because, ...grant } of grants) {
    const kinds = (leavesOf.get(id) ?? []).map(({ kind }) => kind).toSorted()
    const told = ['grant.made', ...(grant.used_at ? ['grant.used'] : []), ...(ended_at ? ['grant.ended'] : [])]
    if (kinds.join() !== told.toSorted().join()) faults.push(`grant ${id}: its leaves are ${kinds.join()}`)
    const isMember = memberships.some(
      (row) =>
        row.group_id === role && row.principal_id === user && row.ends_at?.getTime() === grant.ends_at?.getTime(),
    )
    if (isMember === (ended_at !== null)) faults.push(`grant ${id}: it and its membership are not the same`)
    if (ended_at === null && grant.ends_at !== null && grant.ends_at <= now) faults.push(`grant ${id}: never ended`)
    if (ended_at !== null && (ended_because !== 'expired' || ended_at.getTime() !== grant.ends_at?.getTime())) {
      faults.push(`grant ${id}: ended at ${ended_at.toISOString()} because ${ended_because}`)
    }
  }
  const standing = grants.filter(({ ended_at }) => ended_at === null).length
  if (memberships.length !== standing) faults.push(`${memberships.length} memberships of ${standing} standing grants`)
  const counts = await db.selectFrom('groups').select(['id', 'member_count']).where('id', 'in', roles).execute()
  for (const { id, member_count: count } of counts) {
    const members = memberships.filter(({ group_id }) => group_id === id).length
    if (count !== members) faults.push(`role ${id}: counts ${count} members, of ${members}`)
  }
  return { faults, ended: grants.length - standing }
}
