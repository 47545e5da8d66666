import { erasedOf, withoutNames } from './erasure.ts'
import type { Tx } from './open.ts'
import type { Dialect } from './schema.ts'
import { statement } from './statement.ts'

/** All versions of the template that has this one, the first first, as the leaves tell: also of one that was deleted. */
export async function findLineage(tx: Tx, orgId: string, id: string): Promise<string[]> {
  return (await lineageStatement(tx, [orgId, id])).map((row) => row.version)
}

const lineageStatement = statement<{ version: string }>(`
  with recursive steps as materialized (
    select subject_id as version, (content::jsonb #>> '{facts,replaces}')::uuid as replaces
    from audit_leaves where org_id = $1 and kind = 'template.updated'
  ), earlier as (
    select $2::uuid as version
    union select s.replaces from earlier e join steps s on s.version = e.version where s.replaces is not null
  ), known as (
    select version from earlier union select s.version from known k join steps s on s.replaces = k.version
  )
  select k.version from known k left join audit_leaves l
    on l.org_id = $1 and l.subject_id = k.version and l.kind in ('template.created', 'template.updated')
  order by l.id`)

/** The versions of the rule that a workflow of the dialect privx was ever decided by, the first first, as its leaves tell. */
export async function findWorkflowVersions(tx: Tx, orgId: string, id: string): Promise<string[]> {
  return (await workflowVersionsStatement(tx, [orgId, id])).map((row) => row.version)
}

const workflowVersionsStatement = statement<{ version: string }>(`
  select content::jsonb #>> '{facts,policy}' as version from audit_leaves
  where org_id = $1 and subject_id = $2 and kind in ('workflow.created', 'workflow.changed') order by id`)

/** The workflow that one of these versions is the rule of; undefined for templates of other dialects. */
export async function findWorkflowDecidedBy(
  tx: Tx,
  orgId: string,
  versionIds: readonly string[],
): Promise<string | undefined> {
  const [row] = await decidedByStatement(tx, [orgId, versionIds])
  return row?.id
}

const decidedByStatement = statement<{ id: string }>(`
  select subject_id as id from audit_leaves
  where org_id = $1 and kind in ('workflow.created', 'workflow.changed')
    and content::jsonb #>> '{facts,policy}' = any($2::text[]) limit 1`)

/** A version of a template, held until the transaction ends. */
export interface ErasedVersion {
  readonly id: string
  readonly dialect: Dialect
  readonly name: string
  readonly status: string
}

/** Those of these versions that are there, and where a name stands for a template all others that have it. */
export async function lockVersions(tx: Tx, orgId: string, ids: readonly string[]): Promise<ErasedVersion[]> {
  return await versionsStatement(tx, [orgId, ids])
}

const versionsStatement = statement<ErasedVersion>(`
  select o.id, o.dialect, o.name, o.status from policies o
  where o.org_id = $1 and (o.id = any($2::uuid[]) or (o.dialect, o.name) in (
    select p.dialect, p.name from policies p
    where p.org_id = $1 and p.id = any($2::uuid[]) and p.dialect = 'native'))
  order by o.version for update`)

/** @param name that all its versions have from now on @returns how many rows held something else */
export async function eraseVersion(tx: Tx, orgId: string, id: string, name: string): Promise<number> {
  const { dialect, rule, stages } = await tx
    .selectFrom('policies')
    .select(['dialect', 'rule', 'stages'])
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const worded = JSON.stringify(dialect === 'privx' ? unnamedSteps(rule) : unnamed(rule))
  return (await versionStatement(tx, [orgId, id, name, worded, JSON.stringify(withoutNames(stages))])).length
}

const versionStatement = statement(`
  update policies set name = $3, description = null, metadata = '{}', rule = $4::jsonb, stages = $5::jsonb,
    row_version = row_version + 1
  where org_id = $1 and id = $2 and (name, description, metadata, rule, stages)
    is distinct from ($3, null, '{}'::jsonb, $4::jsonb, $5::jsonb) returning id`)

/** A dialect's wording, whose stages stand under that name. */
function unnamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unnamed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === 'stages' && Array.isArray(inner) ? withoutNames(inner) : unnamed(inner),
    ]),
  )
}

/** A workflow's wording is its steps. */
function unnamedSteps(rule: object): object {
  const steps = 'rules' in rule ? rule.rules : null
  return Array.isArray(steps) ? { ...rule, rules: withoutNames(steps) } : rule
}

/** Roles on a template stand under its name. Taken and given anew, so that whoever remembers them finds out. */
export async function renameRoleScope(tx: Tx, orgId: string, before: string, after: string): Promise<void> {
  await roleScopeStatement(tx, [orgId, before, after])
}

const roleScopeStatement = statement(`
  with gone as (
    delete from role_bindings where org_id = $1 and scope_type = 'workflow_template' and scope_id = $2 returning *
  )
  insert into role_bindings (org_id, principal_id, role_name, scope_type, scope_id, created_at)
  select org_id, principal_id, role_name, scope_type, $3, created_at from gone`)

/** The workflow, held until the transaction ends, and whether it can still be used. */
export async function lockErasedWorkflow(tx: Tx, orgId: string, id: string): Promise<{ is_used: boolean } | undefined> {
  const [row] = await lockWorkflowStatement(tx, [orgId, id])
  return row
}

const lockWorkflowStatement = statement<{ is_used: boolean }>(
  `select deleted_at is null as is_used from privx_workflows where org_id = $1 and id = $2 for update`,
)

/** @returns how many rows held something else */
export async function eraseWorkflowRow(tx: Tx, orgId: string, id: string): Promise<number> {
  const row = await tx
    .selectFrom('privx_workflows')
    .select('steps')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return 0
  return (await workflowStatement(tx, [orgId, id, erasedOf(id), JSON.stringify(withoutNames(row.steps))])).length
}

const workflowStatement = statement(`
  update privx_workflows set name = $3, comment = '', steps = $4::jsonb
  where org_id = $1 and id = $2 and (name, comment, steps) is distinct from ($3, '', $4::jsonb) returning id`)
