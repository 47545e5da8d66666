import { sql } from 'kysely'
import type { Tx } from './open.ts'
import { statement } from './statement.ts'

/** Stands where a text was erased; with the id of its row where it has to be unique. */
export const erased = 'erased'
export const erasedOf = (id: string) => `${erased}:${id}`

/** The id of an organization, by that or by its name. */
export async function findOrganizationId(tx: Tx, idOrName: string): Promise<string | undefined> {
  const [row] = await organizationStatement(tx, [idOrName])
  return row?.id
}

const organizationStatement = statement<{ id: string }>(
  `select id from organizations where id::text = lower($1) or name = $1 limit 1`,
)

/** The kind of the leaf that tells of a subject's making, one of `kinds`; undefined without such a leaf. */
export async function findMaking(
  tx: Tx,
  orgId: string,
  subjectId: string,
  kinds: readonly string[],
): Promise<string | undefined> {
  const [row] = await makingStatement(tx, [orgId, subjectId, kinds])
  return row?.kind
}

const makingStatement = statement<{ kind: string }>(
  `select kind from audit_leaves where org_id = $1 and subject_id = $2 and kind = any($3::text[]) order by id limit 1`,
)

/** Whether a leaf says already that texts of the subject were erased. */
export async function isToldErased(tx: Tx, orgId: string, subjectId: string): Promise<boolean> {
  const kind = await findMaking(tx, orgId, subjectId, ['text.erased'])
  return kind !== undefined
}

/** Removes the texts, and their salts, beside all leaves of these subjects. @returns beside how many there were any */
export async function dropKeptTexts(tx: Tx, orgId: string, subjectIds: readonly string[]): Promise<number> {
  const dropped = await dropStatement(tx, [orgId, subjectIds])
  return dropped.length
}

const dropStatement = statement(`
  update audit_leaves set private = null where org_id = $1 and subject_id = any($2::uuid[]) and private is not null
  returning id`)

/** Removes the name of a template beside the leaves of roles on it, which are about whoever holds them. */
export async function dropTemplateNames(tx: Tx, orgId: string, versionIds: readonly string[]): Promise<number> {
  const dropped = await dropNamesStatement(tx, [orgId, versionIds])
  return dropped.length
}

// With the last of its texts nothing is left to keep.
const dropNamesStatement = statement(`
  update audit_leaves l set private = nullif(l.private - named.names, '{}')
  from (
    select l.id, array_agg('roles[' || role.place - 1 || '].templateName') as names from audit_leaves l
    cross join lateral jsonb_array_elements(l.content::jsonb #> '{facts,roles}') with ordinality as role (it, place)
    where l.org_id = $1 and l.kind in ('roles.assigned', 'roles.removed') and l.private is not null
      and role.it ->> 'template' = any($2::text[])
    group by l.id
  ) named
  where l.org_id = $1 and l.id = named.id and l.private ?| named.names
  returning l.id`)

/** The principal, held until the transaction ends, and whether the person may sign in anywhere. */
export async function lockErasedPrincipal(tx: Tx, orgId: string, id: string) {
  const [row] = await principalStatement(tx, [orgId, id])
  return row
}

const principalStatement = statement<{ readonly kind: 'human' | 'agent'; readonly may_sign_in: boolean }>(`
  select p.kind, p.kind = 'human' and exists (
    select from principals m where m.person_id = p.person_id and m.kind = 'human' and m.disabled_at is null) as may_sign_in
  from principals p where p.org_id = $1 and p.id = $2 for update`)

/** @returns how many rows held something else */
export async function erasePrincipal(tx: Tx, orgId: string, id: string): Promise<number> {
  let count = 0
  for (const erase of principalStatements) count += (await erase(tx, [orgId, id, erased, erasedOf(id)])).length
  return count
}

const principalStatements = [
  `update people p set email = $4 from principals m
    where m.org_id = $1 and m.id = $2 and m.kind = 'human' and m.person_id = p.id and p.email <> $4 and $3 <> '' returning p.id`,
  `update organization_admins set email = $4
    where org_id = $1 and principal_id = $2 and email <> $4 and $3 <> '' returning id`,
  `update principals set row_version = row_version + 1, name = case kind when 'human' then $3 else $4 end,
      email = case kind when 'human' then $4 end
    where org_id = $1 and id = $2
      and (name, email) is distinct from
        (case kind when 'human' then $3 else $4 end, case kind when 'human' then $4 end) returning id`,
].map((text) => statement(text))

/** Of a group or a space. */
export async function eraseNamed(tx: Tx, table: 'groups' | 'spaces', orgId: string, id: string): Promise<number> {
  const { rows } = await sql`
    update ${sql.table(table)} set name = ${erasedOf(id)}, description = null, row_version = row_version + 1
    where org_id = ${orgId} and id = ${id} and (name <> ${erasedOf(id)} or description is not null) returning id`.execute(
    tx,
  )
  return rows.length
}

export async function eraseRequest(tx: Tx, orgId: string, id: string): Promise<number> {
  return (await requestStatement(tx, [orgId, id, erasedOf(id)])).length
}

const requestStatement = statement(`
  update requests set name = $3, description = null, metadata = '{}'
  where org_id = $1 and id = $2 and (name <> $3 or description is not null or metadata <> '{}') returning id`)

export async function eraseApiKey(tx: Tx, orgId: string, id: string): Promise<number> {
  return (await apiKeyStatement(tx, [orgId, id, erased])).length
}

const apiKeyStatement = statement(
  `update api_keys set name = $3 where org_id = $1 and id = $2 and name <> $3 returning id`,
)

/** The reason of a vote, with its salt. @returns undefined where there is no such vote */
export async function eraseReason(tx: Tx, orgId: string, requestId: string, seq: number): Promise<number | undefined> {
  const [vote] = await reasonStatement(tx, [orgId, requestId, seq])
  return vote === undefined ? undefined : Number(vote.had_text)
}

const reasonStatement = statement<{ readonly had_text: boolean }>(`
  with before as (
    select reason is not null or reason_salt is not null as had_text from votes
    where org_id = $1 and request_id = $2 and seq = $3 for update
  ), gone as (
    update votes set reason = null, reason_salt = null
    where org_id = $1 and request_id = $2 and seq = $3 and (select had_text from before)
  )
  select had_text from before`)

/** A version of a template, held until the transaction ends. */
export interface ErasedVersion {
  readonly id: string
  readonly name: string
  readonly status: string
}

/** All versions of the template that has this one, the first first; none where it is gone. */
export async function lockVersions(tx: Tx, orgId: string, id: string): Promise<ErasedVersion[]> {
  return await versionsStatement(tx, [orgId, id])
}

const versionsStatement = statement<ErasedVersion>(`
  select o.id, o.name, o.status from policies p
  join policies o on o.org_id = p.org_id and o.dialect = p.dialect and o.name = p.name
  where p.org_id = $1 and p.id = $2 order by o.version for update`)

/** @param name that all its versions have from now on */
export async function eraseVersion(tx: Tx, orgId: string, id: string, name: string): Promise<number> {
  const { rule, stages } = await tx
    .selectFrom('policies')
    .select(['rule', 'stages'])
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return (
    await versionStatement(tx, [orgId, id, name, JSON.stringify(unnamed(rule)), JSON.stringify(unnamedStages(stages))])
  ).length
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
      name === 'stages' && Array.isArray(inner) ? unnamedStages(inner) : unnamed(inner),
    ]),
  )
}

function unnamedStages(stages: readonly unknown[]): unknown[] {
  return stages.map((stage) =>
    typeof stage === 'object' && stage !== null && 'name' in stage ? { ...stage, name: erased } : stage,
  )
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
