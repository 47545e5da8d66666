import { sql } from 'kysely'
import type { Status } from '../kernel/request.ts'
import type { Db, Tx } from './open.ts'
import type { StoredApprover } from './schema-custody.ts'
import type { NewRow, Row } from './schema.ts'

/** An operation that somebody asked approval for, with what the engine has of its request. */
export type OperationRow = Row<'fortanix_requests'> & {
  readonly status: Status
  readonly description: string | null
  readonly metadata: Record<string, unknown>
}

export async function insertOperation(tx: Tx, operation: NewRow<'fortanix_requests'>): Promise<void> {
  await tx.insertInto('fortanix_requests').values(operation).execute()
}

const operations = (db: Db, orgId: string) =>
  db
    .selectFrom('fortanix_requests as f')
    .innerJoin('requests as r', (join) => join.onRef('r.org_id', '=', 'f.org_id').onRef('r.id', '=', 'f.request_id'))
    .selectAll('f')
    .select(['r.status', 'r.description', 'r.metadata'])
    .where('f.org_id', '=', orgId)

export async function findOperation(db: Db, orgId: string, id: string): Promise<OperationRow | undefined> {
  return await operations(db, orgId).where('f.request_id', '=', id).executeTakeFirst()
}

/** As `findOperation`, and holds up whoever does the operation or reads its result until the transaction ends. */
export async function lockOperation(tx: Tx, orgId: string, id: string): Promise<OperationRow | undefined> {
  return await operations(tx, orgId).where('f.request_id', '=', id).forUpdate('f').executeTakeFirst()
}

export interface OperationFilter {
  readonly orgId: string
  /** Only requests that this person or app made or may review; null for all of the account. */
  readonly concerning: string | null
  readonly requester: string | null
  readonly reviewer: string | null
  readonly subject: string | null
  /** Null for any. */
  readonly executions: readonly Row<'fortanix_requests'>['execution'][] | null
  /** Only those that have not expired then; null for all. */
  readonly unexpiredAt: Date | null
  readonly limit: number
  readonly offset: number
}

/** So much of bodies is read for one list, in bytes. */
const mostBytes = 8_000_000

/** An operation without what came of it, and without its body where a list has no room for it. */
export type ListedOperation = Omit<OperationRow, 'result' | 'metadata'>

/** The newest first. Whoever asks for large operations fills no list with them: those behind the first megabytes lack their bodies. */
export async function listOperations(db: Db, filter: OperationFilter): Promise<ListedOperation[]> {
  const page = pageOf(db, filter).as('page')
  const body = sql<Uint8Array | null>`case when sum(octet_length(body)) over newest <= ${mostBytes} then body end`
  return await db
    .selectFrom(page)
    .select(['org_id', 'request_id', 'requester_kind', 'requester_id', 'method', 'operation', body.as('body')])
    .select(['subjects', 'subject_ids', 'reviewers', 'reviewer_ids', 'execution', 'created_at', 'expires_at'])
    .select(['is_sensitive', 'result_status', 'executed_at', 'is_result_viewed', 'status', 'description'])
    .modifyEnd(sql`window newest as (order by created_at desc, request_id desc)
      order by created_at desc, request_id desc`)
    .execute()
}

function pageOf(db: Db, filter: OperationFilter) {
  const { orgId, concerning, requester, reviewer, subject, executions, unexpiredAt, limit, offset } = filter
  return operations(db, orgId)
    .$if(concerning !== null, (query) =>
      query.where(sql<boolean>`(f.requester_id = ${concerning} or f.reviewer_ids @> array[${concerning}]::uuid[])`),
    )
    .$if(requester !== null, (query) => query.where('f.requester_id', '=', requester ?? ''))
    .$if(reviewer !== null, (query) => query.where(sql<boolean>`f.reviewer_ids @> array[${reviewer}]::uuid[]`))
    .$if(subject !== null, (query) => query.where(sql<boolean>`f.subject_ids @> array[${subject}]::uuid[]`))
    .$if(executions !== null, (query) => query.where('f.execution', 'in', executions ?? []))
    .$if(unexpiredAt !== null, (query) => query.where('f.expires_at', '>', unexpiredAt ?? new Date()))
    .orderBy('f.created_at', 'desc')
    .orderBy('f.request_id', 'desc')
    .limit(limit)
    .offset(offset)
}

/** What may be changed of an operation. */
export type OperationChange = Partial<
  Pick<
    NewRow<'fortanix_requests'>,
    'execution' | 'expires_at' | 'result_status' | 'result' | 'executed_at' | 'is_result_viewed'
  >
>

export async function updateOperation(tx: Tx, orgId: string, id: string, change: OperationChange): Promise<void> {
  await tx
    .updateTable('fortanix_requests')
    .set(change)
    .where('org_id', '=', orgId)
    .where('request_id', '=', id)
    .execute()
}

export async function insertApprovalBody(tx: Tx, row: NewRow<'fortanix_approvals'>): Promise<void> {
  await tx.insertInto('fortanix_approvals').values(row).execute()
}

/** A decision on an operation, by whoever gave it. */
export interface OperationVoteRow extends StoredApprover {
  readonly requestId: string
  readonly isApproval: boolean
  readonly reason: string | null
}

/** Who decided on some operations, in the order in which they did. */
export async function findOperationVotes(db: Db, orgId: string, ids: readonly string[]): Promise<OperationVoteRow[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<OperationVoteRow>`
    select v.request_id as "requestId", v.stance = 'approve' as "isApproval", v.reason,
      case a.kind when 'human' then 'person' else 'app' end as kind,
      case a.kind when 'human' then a.person_id else a.id end as id
    from votes v join principals a on a.org_id = v.org_id and a.id = v.principal_id
    where v.org_id = ${orgId} and v.request_id = any (${[...ids]}::uuid[]) order by v.request_id, v.seq`.execute(db)
  return rows
}

/** What an app or a person votes as in the account, by their id; those who never joined it are missing. */
export async function findPrincipalsOfPeople(
  db: Db,
  orgId: string,
  people: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('fortanix_members')
    .select(['person_id', 'principal_id'])
    .where('org_id', '=', orgId)
    .where('person_id', '=', sql<string>`any(${[...people]}::uuid[])`)
    .execute()
  return new Map(rows.flatMap(({ person_id: person, principal_id: id }) => (id === null ? [] : [[person, id]])))
}
