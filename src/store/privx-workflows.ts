import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { Range } from './page.ts'
import type { NewRow, Row } from './schema.ts'

export type WorkflowRow = Row<'privx_workflows'>

export async function insertWorkflow(tx: Tx, workflow: NewRow<'privx_workflows'>): Promise<void> {
  await tx.insertInto('privx_workflows').values(workflow).execute()
}

const standing = (db: Db, orgId: string) =>
  db.selectFrom('privx_workflows').where('org_id', '=', orgId).where('deleted_at', 'is', null)

export async function findWorkflow(db: Db, orgId: string, id: string): Promise<WorkflowRow | undefined> {
  return await standing(db, orgId).selectAll().where('id', '=', id).executeTakeFirst()
}

/** Nobody makes a request of it, or changes it, until the transaction ends. */
export async function lockWorkflow(tx: Tx, orgId: string, id: string): Promise<WorkflowRow | undefined> {
  return await standing(tx, orgId).selectAll().where('id', '=', id).forNoKeyUpdate().executeTakeFirst()
}

/** It is as it is until the transaction ends; other readers are not held up. */
export async function findWorkflowForShare(tx: Tx, orgId: string, id: string): Promise<WorkflowRow | undefined> {
  return await standing(tx, orgId).selectAll().where('id', '=', id).forShare().executeTakeFirst()
}

export interface WorkflowUse {
  readonly groupId: string
  readonly operation: 'GRANT' | 'REMOVE'
  /** The roles of whoever wants to use it. */
  readonly heldGroups: readonly string[]
}

/** The oldest workflow that the role can be asked for by, shared as `findWorkflowForShare` does. */
export async function findOldestWorkflowForShare(
  tx: Tx,
  orgId: string,
  { groupId, operation, heldGroups }: WorkflowUse,
): Promise<WorkflowRow | undefined> {
  return await standing(tx, orgId)
    .selectAll()
    .where(sql<boolean>`target_groups @> array[${groupId}]::uuid[]`)
    .where('operation', 'in', [operation, 'BOTH'])
    .where(openTo(heldGroups))
    .where((where) => where.or([where('is_by_admin', '=', true), where.not(givesAdmin(orgId, groupId))]))
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .forShare()
    .executeTakeFirst()
}

/** A workflow that names nobody is for everybody. */
function openTo(heldGroups: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`(requester_groups = '{}' or requester_groups && ${heldGroups}::uuid[])`
}

const givesAdmin = (orgId: string, groupId: string): RawBuilder<SqlBool> => sql<SqlBool>`exists (
  select from groups g where g.org_id = ${orgId} and g.id = ${groupId} and 'privx-admin' = any (g.permissions))`

/** Whether a role makes whoever holds it an administrator. */
export async function makesAdmin(tx: Tx, orgId: string, groupId: string): Promise<boolean> {
  const { rows } = await sql<{ is: boolean }>`select ${givesAdmin(orgId, groupId)} as "is"`.execute(tx)
  return rows[0]?.is === true
}

export type WorkflowChange = Omit<
  NewRow<'privx_workflows'>,
  'org_id' | 'id' | 'author_id' | 'created_at' | 'deleted_at'
>

export async function updateWorkflow(tx: Tx, orgId: string, id: string, change: WorkflowChange): Promise<void> {
  await tx.updateTable('privx_workflows').set(change).where('org_id', '=', orgId).where('id', '=', id).execute()
}

/** What was made by it goes on. */
export async function markWorkflowDeleted(tx: Tx, orgId: string, id: string, by: string, at: Date): Promise<void> {
  await tx
    .updateTable('privx_workflows')
    .set({ deleted_at: at, updated_at: at, updated_by: by })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute()
}

export type WorkflowSortKey = 'id' | 'name' | 'created' | 'updated' | 'action'

export interface WorkflowOrder {
  /** Null: all are alike. */
  readonly key: WorkflowSortKey | null
  readonly direction: 'asc' | 'desc'
}

const sortTerms: Readonly<Record<WorkflowSortKey, readonly string[]>> = {
  id: [],
  name: [`left(name, 200) collate "C"`, `name collate "C"`],
  created: ['created_at'],
  updated: ['updated_at'],
  action: ['operation'],
}

/** Names are compared by code point, on every engine alike; ties are broken by id. */
export async function listWorkflows(
  db: Db,
  orgId: string,
  { key, direction }: WorkflowOrder,
  range: Range,
): Promise<WorkflowRow[]> {
  const terms = [...(key === null ? [] : sortTerms[key]), 'id'].map((term) => sql.raw(`${term} ${direction}`))
  return await standing(db, orgId)
    .selectAll()
    .orderBy(sql`${sql.join(terms)}`)
    .limit(range.limit)
    .offset(range.offset)
    .execute()
}

export async function countWorkflows(db: Db, orgId: string): Promise<number> {
  const { total } = await standing(db, orgId)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

export interface RequestableRow extends Pick<
  WorkflowRow,
  'operation' | 'grant_kinds' | 'max_floating_hours' | 'max_restricted_days'
> {
  readonly group_id: string
  readonly group_name: string
}

const requestableFrom = (orgId: string, heldGroups: readonly string[]) => sql`
  from privx_workflows w cross join unnest(w.target_groups) as target (group_id)
  join groups g on g.org_id = w.org_id and g.id = target.group_id and g.deleted_at is null
  where w.org_id = ${orgId} and w.deleted_at is null and (w.is_by_admin or not 'privx-admin' = any (g.permissions))
    and (w.requester_groups = '{}' or w.requester_groups && ${heldGroups}::uuid[])`

/** Each role with each workflow that it can be asked for by, by the names of the roles. */
export async function listRequestable(
  db: Db,
  orgId: string,
  heldGroups: readonly string[],
  { offset, limit }: Range,
): Promise<RequestableRow[]> {
  const { rows } = await sql<RequestableRow>`
    select g.id as group_id, g.name as group_name, w.operation, w.grant_kinds, w.max_floating_hours, w.max_restricted_days
    ${requestableFrom(orgId, heldGroups)}
    order by g.name collate "C", g.id, w.created_at, w.id limit ${limit} offset ${offset}`.execute(db)
  return rows
}

export async function countRequestable(db: Db, orgId: string, heldGroups: readonly string[]): Promise<number> {
  const { rows } = await sql<{ total: string }>`select count(*) as total ${requestableFrom(orgId, heldGroups)}`.execute(
    db,
  )
  return Number(rows[0]?.total)
}
