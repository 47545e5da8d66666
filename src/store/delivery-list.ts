import { sql } from 'kysely'
import type { DeliveryRow } from './deliveries.ts'
import type { Db } from './open.ts'

export interface DeliveryFilter {
  /** Only deliveries in one of these; null for all. */
  readonly statuses: readonly DeliveryRow['status'][] | null
  /** Only deliveries of one of these; null for all. */
  readonly kinds: readonly DeliveryRow['kind'][] | null
  /** Only deliveries about this request; null for all. */
  readonly requestId: string | null
}

export interface DeliveryPlace {
  readonly at: Date
  readonly id: string
}

/** A delivery as it is listed: `locked_by` only while a worker has it in hand. */
export type ListedDelivery = Omit<DeliveryRow, 'locked_until'>

const allStatuses: readonly DeliveryRow['status'][] = ['pending', 'completed', 'error']
const allKinds: readonly DeliveryRow['kind'][] = ['EMAIL', 'WEBHOOK', 'SLACK']

// Leases are measured by the database's clock.
const columns = sql`id, org_id, request_id, request_name, from_status, to_status, occurred_at, kind, action, status, attempts,
  reason, response, case when locked_until > now() then locked_by end as locked_by, created_at, updated_at`

/** The kinds and statuses that are looked for, a row for each pair, as `pair`. */
function pairsOf({ kinds, statuses }: Pick<DeliveryFilter, 'kinds' | 'statuses'>) {
  return sql`(select distinct kind, status from unnest(${kinds ?? allKinds}::text[]) kind,
    unnest(${statuses ?? allStatuses}::text[]) status) pair`
}

function ofPair(orgId: string, requestId: string | null) {
  const ofRequest = requestId === null ? sql`true` : sql`request_id = ${requestId}::uuid`
  return sql`org_id = ${orgId}::uuid and ${ofRequest} and kind = pair.kind and status = pair.status`
}

/**
 * Newest first, after `place`, at most `limit`. A page is read for each kind and status in the order of an index and the
 * pages are merged: whatever is asked for, nothing is read that is not shown but the rest of nine pages.
 */
export async function listDeliveries(
  db: Db,
  orgId: string,
  filter: DeliveryFilter,
  { place, limit }: { place: DeliveryPlace | null; limit: number },
): Promise<ListedDelivery[]> {
  const isAfter = place === null ? sql`true` : sql`(created_at, id) < (${place.at}::timestamptz, ${place.id}::uuid)`
  const { rows } = await sql<ListedDelivery>`
    select l.* from ${pairsOf(filter)} cross join lateral (
      select ${columns} from deliveries where ${ofPair(orgId, filter.requestId)} and ${isAfter}
      order by created_at desc, id desc limit ${limit}
    ) l order by l.created_at desc, l.id desc limit ${limit}`.execute(db)
  return rows
}

export async function findListedDelivery(db: Db, orgId: string, id: string): Promise<ListedDelivery | undefined> {
  const { rows } = await sql<ListedDelivery>`
    select ${columns} from deliveries where org_id = ${orgId}::uuid and id = ${id}::uuid`.execute(db)
  return rows[0]
}

/** Ids of the deliveries that failed, oldest first. */
export async function findFailedDeliveries(
  db: Db,
  orgId: string,
  filter: Omit<DeliveryFilter, 'statuses'>,
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select l.id from ${pairsOf({ ...filter, statuses: ['error'] })} cross join lateral (
      select id, created_at from deliveries where ${ofPair(orgId, filter.requestId)}
      order by created_at, id limit ${limit}
    ) l order by l.created_at, l.id limit ${limit}`.execute(db)
  return rows.map(({ id }) => id)
}

/** Makes failed deliveries as if none had been tried, and gives them oldest first; what has not failed is left out. */
export async function reopenDeliveries(
  db: Db,
  orgId: string,
  ids: readonly string[],
  at: Date,
): Promise<ListedDelivery[]> {
  // Two calls lock in one order, and whoever waited finds that nothing has failed any more.
  const { rows } = await sql<ListedDelivery>`
    with failed as (
      select id as failed_id from deliveries where org_id = ${orgId}::uuid and id = any(${[...ids]}::uuid[]) and status = 'error'
      order by id for update
    ), reopened as (
      update deliveries set status = 'pending', attempts = 0, reason = null, response = null, updated_at = ${at}
      from failed where org_id = ${orgId}::uuid and id = failed_id returning ${columns}
    ) select * from reopened order by created_at, id`.execute(db)
  return rows
}
