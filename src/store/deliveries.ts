import type { Status } from '../kernel/request.ts'
import type { Db, Tx } from './open.ts'
import type { Row } from './schema.ts'
import { statement } from './statement.ts'

export type DeliveryRow = Row<'deliveries'>

export interface NewDelivery {
  readonly id: string
  readonly requestId: string
  readonly from: Status
  readonly to: Status
  readonly occurredAt: Date
  readonly kind: DeliveryRow['kind']
  /** Sealed. */
  readonly action: Buffer
}

// A repetition of the same event finds its rows there and adds nothing.
const insertStatement = statement(`
  insert into deliveries
    (org_id, id, request_id, request_name, from_status, to_status, occurred_at, kind, action, status, created_at, updated_at)
  select $1, d.id, r.id, r.name, d.from_status, d.to_status, d.occurred_at, d.kind, decode(d.action, 'base64'), 'pending', $2, $2
  from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::text[], $9::text[])
    d (id, request_id, from_status, to_status, occurred_at, kind, action)
  join requests r on r.org_id = $1 and r.id = d.request_id
  on conflict (org_id, id) do nothing`)

export async function insertDeliveries(
  tx: Db,
  orgId: string,
  at: Date,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  await insertStatement(tx, [
    orgId,
    at,
    deliveries.map(({ id }) => id),
    deliveries.map(({ requestId }) => requestId),
    deliveries.map(({ from }) => from),
    deliveries.map(({ to }) => to),
    deliveries.map(({ occurredAt }) => occurredAt),
    deliveries.map(({ kind }) => kind),
    deliveries.map(({ action }) => action.toString('base64')),
  ])
}

// Leases are measured by the database's clock, the one that every worker shares.
const lockStatement = statement<DeliveryRow>(`
  update deliveries d set locked_by = $1, locked_until = now() + make_interval(secs => $2)
  from unnest($3::uuid[], $4::uuid[]) wanted (org_id, id)
  where d.org_id = wanted.org_id and d.id = wanted.id and d.status = 'pending'
    and (d.locked_until is null or d.locked_until <= now())
  returning d.*`)

/** Takes those deliveries that are still to be made for `worker` alone; not those that are made, gone, or in another's hands. */
export async function lockDeliveries(
  db: Db,
  keys: readonly { readonly orgId: string; readonly id: string }[],
  worker: string,
  leaseSeconds: number,
): Promise<DeliveryRow[]> {
  return await lockStatement(db, [worker, leaseSeconds, keys.map(({ orgId }) => orgId), keys.map(({ id }) => id)])
}

export async function findDelivery(db: Db, orgId: string, id: string): Promise<DeliveryRow | undefined> {
  return await db
    .selectFrom('deliveries')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** What an attempt made of a delivery. */
export interface AttemptRecord {
  readonly status: DeliveryRow['status']
  readonly attempts: number
  readonly reason: string | null
  readonly response: DeliveryRow['response']
}

const recordStatement = statement<{ id: string }>(`
  update deliveries d
  set status = made.status, attempts = made.attempts, reason = made.reason, response = made.response::jsonb,
    locked_by = null, locked_until = null, updated_at = $2
  from unnest($3::uuid[], $4::uuid[], $5::text[], $6::integer[], $7::text[], $8::text[])
    made (org_id, id, status, attempts, reason, response)
  where d.org_id = made.org_id and d.id = made.id and d.status = 'pending' and d.locked_by = $1
  returning d.id`)

/** Writes what came of attempts and lets the deliveries go. @returns the ids of those that `worker` still held */
export async function recordAttempts(
  tx: Tx,
  worker: string,
  at: Date,
  records: readonly (AttemptRecord & { readonly row: Pick<DeliveryRow, 'org_id' | 'id'> })[],
): Promise<string[]> {
  const rows = await recordStatement(tx, [
    worker,
    at,
    records.map(({ row }) => row.org_id),
    records.map(({ row }) => row.id),
    records.map(({ status }) => status),
    records.map(({ attempts }) => attempts),
    records.map(({ reason }) => reason),
    records.map(({ response }) => (response === null ? null : JSON.stringify(response))),
  ])
  return rows.map(({ id }) => id)
}

/** Lets go of what a worker holds: it ends before it could finish. */
export async function releaseDeliveries(db: Db, worker: string): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ locked_by: null, locked_until: null })
    .where('locked_by', '=', worker)
    .execute()
}

/** Ends what still waits to be sent of the requests of every version of a policy. What is being sent at this moment may arrive. */
export async function stopDeliveries(
  tx: Tx,
  orgId: string,
  policyName: string,
  reason: string,
  at: Date,
): Promise<void> {
  await tx
    .updateTable('deliveries')
    .set({ status: 'error', reason, locked_by: null, locked_until: null, updated_at: at })
    .where('org_id', '=', orgId)
    .where('status', '=', 'pending')
    .where('request_id', 'in', (query) =>
      query
        .selectFrom('requests as r')
        .innerJoin('policies as p', (join) => join.onRef('p.org_id', '=', 'r.org_id').onRef('p.id', '=', 'r.policy_id'))
        .select('r.id')
        .where('p.org_id', '=', orgId)
        .where('p.dialect', '=', 'native')
        .where('p.name', '=', policyName),
    )
    .execute()
}

/** Lets go of what anybody holds: only right when nobody else can have the store open. */
export async function releaseAllDeliveries(db: Db): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ locked_by: null, locked_until: null })
    .where('locked_by', 'is not', null)
    .execute()
}

/** Ends deliveries whose workers were lost again and again. */
export async function giveUpDeliveries(
  db: Db,
  lost: readonly { orgId: string; id: string }[],
  at: Date,
): Promise<void> {
  for (const { orgId, id } of lost) {
    await db
      .updateTable('deliveries')
      .set({
        status: 'error',
        reason: 'The server was lost at it too often.',
        locked_by: null,
        locked_until: null,
        updated_at: at,
      })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .execute()
  }
}
