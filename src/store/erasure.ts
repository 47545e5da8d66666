import type { Tx } from './open.ts'
import { statement } from './statement.ts'

/** Stands where a text was erased; with the id of its row where it has to be unique. */
export const erased = 'erased'
export const erasedOf = (id: string) => `${erased}:${id}`

/** SQL that tells whether a column holds what `erasedOf` puts there, of whatever id. */
export const isErased = (column: string) => `${column} ~ '^${erased}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'`

/** Steps or stages under no name of theirs. */
export function withoutNames(named: readonly unknown[]): unknown[] {
  return named.map((one) => (typeof one === 'object' && one !== null && 'name' in one ? { ...one, name: erased } : one))
}

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

/**
 * Removes the texts, and their salts, beside all leaves of a subject.
 * @param keepsName whether names stay
 * @returns beside how many there were any
 */
export async function dropKeptTexts(tx: Tx, orgId: string, subjectId: string, keepsName: boolean): Promise<number> {
  const dropped = await dropStatement(tx, [orgId, subjectId, keepsName])
  return dropped.length
}

const dropStatement = statement(`
  update audit_leaves set private = case when $3::boolean and private ? 'name'
    then jsonb_build_object('name', private -> 'name') end
  where org_id = $1 and subject_id = $2 and private is not null
    and not ($3::boolean and private ? 'name' and private - 'name' = '{}')
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

/** What a person is in organizations that nobody made as an account of theirs. */
function mayStill(person: string): string {
  return `select from principals m where m.person_id = ${person} and m.kind = 'human' and m.disabled_at is null
    and not exists (select from fortanix_accounts a where a.org_id = m.org_id and a.creator_id is not null)`
}

/** The principal, held until the transaction ends, whether the person may sign in anywhere, and whether by a name and a password. */
export async function lockErasedPrincipal(tx: Tx, orgId: string, id: string) {
  const [row] = await principalStatement(tx, [orgId, id])
  return row
}

interface ErasedPrincipal {
  readonly may_sign_in: boolean
  readonly is_local: boolean
}

const principalStatement = statement<ErasedPrincipal>(`
  select exists (select from people o where o.id = p.person_id and o.email is null and p.kind = 'human') as is_local,
    p.kind = 'human' and exists (${mayStill('p.person_id')}) as may_sign_in
  from principals p where p.org_id = $1 and p.id = $2 for update`)

/** Whether a person may sign in to any organization, other than to an account by what an erasure takes away. */
export async function maySignIn(tx: Tx, personId: string): Promise<boolean> {
  const rows = await maySignInStatement(tx, [personId])
  return rows.length > 0
}

const maySignInStatement = statement(mayStill('$1'))

/** @returns how many rows held something else */
export async function erasePrincipal(tx: Tx, orgId: string, id: string): Promise<number> {
  let count = 0
  for (const erase of principalStatements) count += (await erase(tx, [orgId, id, erased, erasedOf(id)])).length
  return count
}

const principalStatements = [
  // What another organization, or the person's own erasure, has put there already stays.
  `update people p set email = $4 from principals m
    where m.org_id = $1 and m.id = $2 and m.kind = 'human' and m.person_id = p.id and not ${isErased('p.email')} and $3 <> '' returning p.id`,
  `update organization_admins set email = $4
    where org_id = $1 and principal_id = $2 and email <> $4 and $3 <> '' returning id`,
  `update privx_users set username = $4, full_name = $3, attributes = '{}'
    where org_id = $1 and principal_id = $2 and (username, full_name, attributes) is distinct from ($4, $3, '{}'::jsonb)
    returning principal_id`,
  // Nobody signs in by a name that is known to everyone: whoever is to come back is given both anew.
  `update credentials set name = $4, hash = null
    where org_id = $1 and principal_id = $2 and kind = 'password' and name <> $4 and $3 <> '' returning id`,
  // A machine goes on signing in, by its own id.
  `update credentials set name = principal_id::text
    where org_id = $1 and principal_id = $2 and kind = 'client-secret' and name <> principal_id::text and $3 <> $4 returning id`,
  // Who never had an address has none to erase.
  `update principals set row_version = row_version + 1, name = case kind when 'human' then $3 else $4 end,
      email = case when email is not null then $4 end
    where org_id = $1 and id = $2
      and (name <> case kind when 'human' then $3 else $4 end or email <> $4) returning id`,
].map((text) => statement(text))

/** The group, held until the transaction ends. */
export async function lockErasedGroup(tx: Tx, orgId: string, id: string) {
  return await tx
    .selectFrom('groups')
    .select(['dialect', 'attributes'])
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

export async function eraseGroup(tx: Tx, orgId: string, id: string): Promise<number> {
  return (await groupStatement(tx, [orgId, id, erasedOf(id)])).length
}

const groupStatement = statement(`
  update groups set name = $3, description = null, attributes = '{}', row_version = row_version + 1
  where org_id = $1 and id = $2 and (name <> $3 or description is not null or attributes <> '{}') returning id`)

export async function eraseSpace(tx: Tx, orgId: string, id: string): Promise<number> {
  return (await spaceStatement(tx, [orgId, id, erasedOf(id)])).length
}

const spaceStatement = statement(`
  update spaces set name = $3, description = null, row_version = row_version + 1
  where org_id = $1 and id = $2 and (name <> $3 or description is not null) returning id`)

/** With what the dialect privx shows beside it: the names of its steps and its comment. */
export async function eraseRequest(tx: Tx, orgId: string, id: string): Promise<number> {
  const request = await requestStatement(tx, [orgId, id, erasedOf(id)])
  const shown = await tx
    .selectFrom('privx_requests')
    .select('steps')
    .where('org_id', '=', orgId)
    .where('request_id', '=', id)
    .executeTakeFirst()
  if (shown === undefined) return request.length
  const steps = JSON.stringify(withoutNames(shown.steps))
  return request.length + (await shownRequestStatement(tx, [orgId, id, steps])).length
}

const requestStatement = statement(`
  update requests set name = $3, description = null, metadata = '{}'
  where org_id = $1 and id = $2 and (name <> $3 or description is not null or metadata <> '{}') returning id`)

const shownRequestStatement = statement(`
  update privx_requests set steps = $3::jsonb, comment = ''
  where org_id = $1 and request_id = $2 and (steps, comment) is distinct from ($3::jsonb, '') returning request_id`)

/** The settings of the dialect privx, held until the transaction ends. */
export async function lockSettings(tx: Tx, orgId: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const row = await tx
    .selectFrom('privx_settings')
    .select('settings')
    .where('org_id', '=', orgId)
    .forUpdate()
    .executeTakeFirst()
  return row?.settings as Readonly<Record<string, unknown>> | undefined
}

/** All texts in them; numbers and switches stay. The password goes with the name that it belongs to. */
export async function eraseSettings(
  tx: Tx,
  orgId: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<number> {
  const bare = Object.entries(settings).map(([name, value]) => [name, typeof value === 'string' ? '' : value])
  return (await settingsStatement(tx, [orgId, JSON.stringify(Object.fromEntries(bare))])).length
}

const settingsStatement = statement(`
  update privx_settings set settings = $2::jsonb, sealed_password = null
  where org_id = $1 and (settings <> $2::jsonb or sealed_password is not null) returning id`)

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
