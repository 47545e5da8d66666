import type { Status, Tally } from '../kernel/request.ts'
import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'
import { statement } from './statement.ts'
import type { RequestKey } from './voting.ts'

export type RequestRow = Row<'requests'>

/** A request as it is read; the members of the caller tell whether who asks may still ask. */
export type FoundRequest = RequestRow & {
  readonly caller_disabled: boolean
  readonly caller_ended_sessions: string[]
}

const findText = (match: string) => `
  select r.*, a.disabled_at is not null as caller_disabled, a.ended_sessions as caller_ended_sessions
  from principals a left join requests r on r.org_id = a.org_id and ${match}
  where a.org_id = $1 and a.id = $3`

const findById = statement<FoundRequest>(findText('r.id = $2::uuid'))
const findByName = statement<FoundRequest>(findText("r.dialect = 'native' and r.name = $2"))

/** One request and its reader in one round trip; `id` is null when there is no such request, no row when no such reader. */
export async function findRequestFor(
  db: Db,
  orgId: string,
  key: RequestKey,
  readerId: string,
): Promise<FoundRequest | undefined> {
  const rows =
    'id' in key ? await findById(db, [orgId, key.id, readerId]) : await findByName(db, [orgId, key.name, readerId])
  return rows[0]
}

const findRow = statement<RequestRow>(`select * from requests where org_id = $1 and id = $2`)

export async function findRequest(db: Db, orgId: string, id: string): Promise<RequestRow | undefined> {
  return (await findRow(db, [orgId, id]))[0]
}

/** The request's row, locked until the transaction ends. */
export async function findRequestForUpdate(tx: Tx, orgId: string, id: string): Promise<RequestRow | undefined> {
  return await tx
    .selectFrom('requests')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

/** Inserts a request and counts it. @throws the unique violation that stands for WORKFLOW_ALREADY_EXISTS */
export async function insertRequest(tx: Tx, request: NewRow<'requests'>): Promise<void> {
  await tx
    .with('counted', (query) =>
      query.insertInto('request_counts').values({
        org_id: request.org_id,
        policy_id: request.policy_id,
        is_final: false,
        difference: 1,
      }),
    )
    .insertInto('requests')
    .values(request)
    .execute()
}

export interface RequestChange {
  readonly status: Status
  readonly isFinal: boolean
  readonly stage: number
  readonly tally: Tally
  readonly updatedAt: Date
}

/** Writes what a command or the clock made of a locked request, and counts it anew when that was final. */
export async function updateRequest(tx: Tx, row: RequestRow, change: RequestChange): Promise<void> {
  await tx
    .updateTable('requests')
    .set({
      status: change.status,
      is_final: change.isFinal,
      stage: change.stage,
      tally: JSON.stringify(change.tally),
      updated_at: change.updatedAt,
    })
    .where('org_id', '=', row.org_id)
    .where('id', '=', row.id)
    .execute()
  if (change.isFinal && !row.is_final) {
    const counted = { org_id: row.org_id, policy_id: row.policy_id }
    await tx
      .insertInto('request_counts')
      .values([
        { ...counted, is_final: false, difference: -1 },
        { ...counted, is_final: true, difference: 1 },
      ])
      .execute()
  }
}

/** Requests whose time is up and on which nothing has written so, oldest deadline first; locked, leaving out what others hold. */
export async function findDueRequests(
  tx: Tx,
  now: Date,
  limit: number,
  exceptPolicies: readonly string[],
): Promise<RequestRow[]> {
  return await tx
    .selectFrom('requests')
    .selectAll()
    .where('is_final', '=', false)
    .where('expires_at', '<=', now)
    .$if(exceptPolicies.length > 0, (query) => query.where('policy_id', 'not in', exceptPolicies))
    .orderBy('expires_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute()
}

/** The nearest deadline of all open requests. */
export async function findNextDeadline(db: Db): Promise<Date | undefined> {
  const row = await db
    .selectFrom('requests')
    .select('expires_at')
    .where('is_final', '=', false)
    .orderBy('expires_at')
    .limit(1)
    .executeTakeFirst()
  return row?.expires_at
}

/** Says that a locked request has changed in something that stands beside it. */
export async function touchRequest(tx: Tx, { org_id, id }: RequestRow, at: Date): Promise<void> {
  await tx.updateTable('requests').set({ updated_at: at }).where('org_id', '=', org_id).where('id', '=', id).execute()
}

/** Deletes a locked request with its votes and whatever else is of it, and counts it no more. */
export async function deleteRequestRow(tx: Tx, row: RequestRow): Promise<void> {
  await tx.deleteFrom('requests').where('org_id', '=', row.org_id).where('id', '=', row.id).execute()
  const { org_id, policy_id, is_final } = row
  await tx.insertInto('request_counts').values({ org_id, policy_id, is_final, difference: -1 }).execute()
}
