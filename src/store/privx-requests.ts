import { sql, type RawBuilder } from 'kysely'
import type { Stance } from '../kernel/request.ts'
import type { Db, Tx } from './open.ts'
import { containing, type Range } from './page.ts'
import type { RequestRow } from './requests.ts'
import type { NewRow, Row } from './schema.ts'

type GrantColumns = Pick<
  Row<'request_grants'>,
  | 'operation'
  | 'group_id'
  | 'kind'
  | 'starts_at'
  | 'ends_at'
  | 'floating_hours'
  | 'asked'
  | 'is_revocable'
  | 'revoked_at'
>

/** A request of the dialect with all that it shows, but for the votes. */
export type AccessRequestRow = RequestRow &
  Pick<Row<'privx_requests'>, 'workflow_id' | 'steps' | 'comment'> &
  GrantColumns & {
    /** Whom the role is for. */
    readonly target_id: string
    readonly revoked_by: string | null
    /** When it was last decided on, or its role taken back. */
    readonly touched_at: Date
    /** Who did that. */
    readonly touched_by: string
  }

export async function insertAccessRequest(tx: Tx, row: NewRow<'privx_requests'>): Promise<void> {
  await tx.insertInto('privx_requests').values(row).execute()
}

const columns = sql`
  r.*, x.workflow_id, x.steps, x.comment, g.operation, g.principal_id as target_id, g.group_id, g.kind, g.starts_at, g.ends_at,
  g.floating_hours, g.asked, g.is_revocable, g.revoked_at, g.revoked_by, ${touchedAt()} as touched_at,
  coalesce(g.revoked_by, (
    select v.principal_id from votes v where v.org_id = r.org_id and v.request_id = r.id order by v.seq desc limit 1
  ), r.requester_id) as touched_by`

const source = sql`requests r
  join privx_requests x on x.org_id = r.org_id and x.request_id = r.id
  join request_grants g on g.org_id = r.org_id and g.request_id = r.id`

function touchedAt(): RawBuilder<Date> {
  return sql<Date>`greatest(r.updated_at, g.revoked_at, (
    select max(v.cast_at) from votes v where v.org_id = r.org_id and v.request_id = r.id))`
}

export async function findAccessRequest(db: Db, orgId: string, id: string): Promise<AccessRequestRow | undefined> {
  const { rows } = await sql<AccessRequestRow>`
    select ${columns} from ${source} where r.org_id = ${orgId} and r.id = ${id} and r.dialect = 'privx'`.execute(db)
  return rows[0]
}

/** Whose requests, as seen by somebody who calls. */
export type Queue =
  | { readonly kind: 'all' }
  | { readonly kind: 'made'; readonly onlyOpen: boolean }
  | { readonly kind: 'to-decide'; readonly onlyOpen: boolean }

export interface AccessRequestFilter {
  readonly orgId: string
  readonly queue: Queue
  readonly callerId: string
  /** Whom the caller counts as; null for themselves alone. */
  readonly callerPersonId: string | null
  /** The roles that the caller holds now. */
  readonly heldGroups: readonly string[]
  /** Null for any. */
  readonly keywords: string | null
  /** Bounds of when it was made, both included; null for none. */
  readonly from: Date | null
  readonly to: Date | null
}

export type AccessRequestSortKey =
  | 'id'
  | 'name'
  | 'created'
  | 'updated'
  | 'status'
  | 'action'
  | 'requester'
  | 'target_user'
  | 'requested_role'

export interface AccessRequestOrder {
  readonly key: AccessRequestSortKey
  readonly direction: 'asc' | 'desc'
}

/** One page. Texts are compared by code point, on every engine alike; ties are broken by id, in the direction of the rest. */
export async function listAccessRequests(
  db: Db,
  filter: AccessRequestFilter,
  { key, direction }: AccessRequestOrder,
  { offset, limit }: Range,
): Promise<AccessRequestRow[]> {
  const way = sql.raw(direction)
  const { rows } = await sql<AccessRequestRow>`
    select ${columns} from ${source} where ${matching(filter)}
    order by ${sql.join([...sortTerms[key], sql`r.id`].map((term) => sql`${term} ${way}`))}
    limit ${limit} offset ${offset}`.execute(db)
  return rows
}

const named = (table: 'principals' | 'groups', id: string) => sql<string>`(
  select n.name from ${sql.table(table)} n where n.org_id = r.org_id and n.id = ${sql.ref(id)})`

const sortTerms: Readonly<Record<AccessRequestSortKey, readonly RawBuilder<unknown>[]>> = {
  id: [],
  name: [sql`r.name collate "C"`],
  created: [sql`r.created_at`],
  updated: [touchedAt()],
  // As the words on the wire are sorted: APPROVED, DENIED, WAITING.
  status: [sql`case r.status when 'approved' then 0 when 'open' then 2 else 1 end`],
  action: [sql`g.operation`],
  requester: [sql`${named('principals', 'r.requester_id')} collate "C"`],
  target_user: [sql`${named('principals', 'g.principal_id')} collate "C"`],
  requested_role: [sql`${named('groups', 'g.group_id')} collate "C"`],
}

export async function countAccessRequests(db: Db, filter: AccessRequestFilter): Promise<number> {
  const { orgId, queue, keywords, from, to } = filter
  const isEverything = queue.kind === 'all' && keywords === null && from === null && to === null
  const { rows } = isEverything ? await countAll(db, orgId) : await countMatching(db, filter)
  return Number(rows[0]?.total ?? 0)
}

/** Read from the counts, so it costs the same among a thousand and among a million. */
async function countAll(db: Db, orgId: string) {
  return await sql<{ total: string }>`
    select sum(c.difference) as total from request_counts c
    join policies p on p.org_id = c.org_id and p.id = c.policy_id
    where c.org_id = ${orgId} and p.dialect = 'privx'`.execute(db)
}

async function countMatching(db: Db, filter: AccessRequestFilter) {
  // Only keywords are looked for in the rows beside a request's own: joined for nothing they cost more than the rest together.
  const from = filter.keywords === null ? sql`requests r` : source
  return await sql<{ total: string }>`select count(*) as total from ${from} where ${matching(filter)}`.execute(db)
}

function matching(filter: AccessRequestFilter): RawBuilder<boolean> {
  const { orgId, keywords, from, to } = filter
  const conditions = [
    sql<boolean>`r.org_id = ${orgId} and r.dialect = 'privx'`,
    inQueue(filter),
    ...(keywords === null ? [] : [holds(keywords)]),
    ...(from === null ? [] : [sql<boolean>`r.created_at >= ${from}`]),
    ...(to === null ? [] : [sql<boolean>`r.created_at <= ${to}`]),
  ]
  return sql<boolean>`${sql.join(conditions, sql` and `)}`
}

function inQueue(filter: AccessRequestFilter): RawBuilder<boolean> {
  const { queue, callerId } = filter
  switch (queue.kind) {
    case 'all':
      return sql<boolean>`true`
    case 'made':
      return sql<boolean>`r.requester_id = ${callerId} and (${!queue.onlyOpen} or not r.is_final)`
    case 'to-decide':
      return queue.onlyOpen ? mayDecideNow(filter) : sql<boolean>`(${hasDecided(callerId)} or ${mayDecideNow(filter)})`
  }
}

function hasDecided(callerId: string): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from votes v where v.org_id = r.org_id and v.request_id = r.id and v.principal_id = ${callerId})`
}

// What the kernel would not refuse (contract privx §4.3): a place in the open stage that the caller may take and nobody has
// taken, on a request that is not about them, on which they have not decided in this stage; and no more has whoever else
// counts as their person. The place of a seat in the tally is its place in the step.
function mayDecideNow({ callerId, callerPersonId, heldGroups }: AccessRequestFilter): RawBuilder<boolean> {
  const isOfCaller = (id: string, personId: string): RawBuilder<boolean> =>
    sql<boolean>`(${sql.ref(id)} = ${callerId} or ${sql.ref(personId)} = ${callerPersonId}::uuid)`
  return sql<boolean>`(not r.is_final
    and ${isOfCaller('r.requester_id', 'r.requester_person_id')} is not true
    and ${isOfCaller('r.beneficiary_id', 'r.beneficiary_person_id')} is not true
    and r.policy_id in (
      select p.id from policies p where p.org_id = r.org_id and p.dialect = 'privx' and p.group_ids && ${heldGroups}::uuid[])
    and exists (
      select from privx_requests s
      cross join jsonb_array_elements(s.steps -> r.stage -> 'approvers') with ordinality seat (approver, place)
      where s.org_id = r.org_id and s.request_id = r.id and (seat.approver ->> 'groupId')::uuid = any (${heldGroups}::uuid[])
        and coalesce((r.tally -> 'approvals' ->> (seat.place::integer - 1))::integer, 0) = 0)
    and not exists (
      select from votes v where v.org_id = r.org_id and v.request_id = r.id and v.stage = r.stage
        and ${isOfCaller('v.principal_id', 'v.person_id')}))`
}

function holds(keywords: string): RawBuilder<boolean> {
  const pattern = containing(keywords)
  const texts = [
    named('principals', 'r.requester_id'),
    named('principals', 'g.principal_id'),
    named('groups', 'g.group_id'),
    sql`r.name`,
    sql`r.description`,
    sql`x.comment`,
  ]
  return sql<boolean>`(${sql.join(
    texts.map((text) => sql`${text} ilike ${pattern}`),
    sql` or `,
  )})`
}

export interface DecisionRow {
  readonly request_id: string
  readonly stage: number
  readonly principal_id: string
  readonly stance: Stance
  /** The group of the place that was taken. */
  readonly seats: string[]
  readonly reason: string | null
  readonly cast_at: Date
}

/** All votes on some requests, in the order in which they were committed. */
export async function listDecisions(db: Db, orgId: string, requestIds: readonly string[]): Promise<DecisionRow[]> {
  return await db
    .selectFrom('votes')
    .select(['request_id', 'stage', 'principal_id', 'stance', 'seats', 'reason', 'cast_at'])
    .where('org_id', '=', orgId)
    .where('request_id', '=', sql<string>`any(${[...requestIds]}::uuid[])`)
    .orderBy('request_id')
    .orderBy('seq')
    .execute()
}

/** Holds up whoever asks for the same role and person until the transaction ends, so that open requests can be counted. */
export async function lockAsking(tx: Tx, principalId: string, groupId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${principalId}/${groupId}`}, 1))`.execute(tx)
}

export async function countOpenFor(tx: Tx, orgId: string, principalId: string, groupId: string): Promise<number> {
  const { rows } = await sql<{ total: string }>`
    select count(*) as total from request_grants g join requests r on r.org_id = g.org_id and r.id = g.request_id
    where g.org_id = ${orgId} and g.principal_id = ${principalId} and g.group_id = ${groupId} and not r.is_final`.execute(
    tx,
  )
  return Number(rows[0]?.total)
}
