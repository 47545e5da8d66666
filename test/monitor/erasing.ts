import { sql } from 'kysely'
import { appendLeaf } from '../../src/audit/append.ts'
import type { Ctx } from '../../src/context.ts'
import type { Stage } from '../../src/kernel/rule.ts'
import type { Tx } from '../../src/store/open.ts'
import { orgId } from '../helpers/quorum.ts'

/** What texts can be erased of: rows of these tables, all versions of a template at once. The monitor compares them. */
export const watchedErasable = [
  'principals',
  'groups',
  'spaces',
  'policies',
  'requests',
  'votes',
  'api_keys',
  'fortanix_keys',
] as const
/** The others have more to them than their columns. */
export const erasable = [...watchedErasable, 'privx_workflows', 'privx_settings', 'fortanix_users'] as const
export type Erasable = (typeof erasable)[number]

/** Columns that an erasure of a row names. */
export const erasedFields: Readonly<Record<Erasable, readonly string[]>> = {
  principals: ['email', 'name'],
  groups: ['description', 'name'],
  spaces: ['description', 'name'],
  policies: ['description', 'metadata', 'name', 'stages'],
  requests: ['description', 'metadata', 'name'],
  votes: ['reason', 'reason_salt'],
  api_keys: ['name'],
  privx_workflows: ['comment', 'name', 'steps'],
  // Of an account too: both are of the organization.
  privx_settings: ['description', 'sealed_password', 'settings'],
  fortanix_keys: ['description', 'name'],
  fortanix_users: ['email', 'first_name', 'last_name', 'name'],
}

/** Erases lawfully what is text in a row: the kept texts, the columns, and a leaf that says so. */
export async function eraseRow(tx: Tx, ctx: Ctx, table: Erasable, id: string, seq?: number): Promise<void> {
  if (table === 'privx_workflows') await eraseRulesOf(tx, ctx, id)
  if (table === 'principals') await eraseBehind(tx, ctx, id)
  if (table === 'fortanix_users') await shutOut(tx, ctx, id)
  const ids = table === 'policies' ? await versionsOf(tx, id) : [id]
  for (const one of ids) {
    if (table !== 'votes') await dropTexts(tx, one)
    await tellErasure(tx, ctx, one, erasedFields[table], seq)
  }
  await columns[table](tx, id, seq)
}

/** What an app has beside an API client, and a user beside what they are in the organization. */
async function eraseBehind(tx: Tx, ctx: Ctx, id: string): Promise<void> {
  const { rows: apps } =
    await sql`update fortanix_apps set name = ${`erased:${id}`}, description = null, app_type = 'erased'
    where principal_id = ${id} returning principal_id`.execute(tx)
  const { rows: made } = await sql`select from audit_leaves where subject_id = ${id} and kind = 'app.created'`.execute(
    tx,
  )
  if (apps.length + made.length > 0) await tellErasure(tx, ctx, id, ['app_type', 'description'])
  const { rows: users } = await sql<{ id: string }>`select u.person_id as id from fortanix_users u
    join principals m on m.person_id = u.person_id where m.id = ${id}`.execute(tx)
  for (const user of users) await eraseRow(tx, ctx, 'fortanix_users', user.id)
}

/** With whatever they prove themselves by. */
async function shutOut(tx: Tx, ctx: Ctx, id: string): Promise<void> {
  const { rows } = await sql`delete from person_credentials where person_id = ${id} returning id`.execute(tx)
  await sql`delete from fortanix_recovery_codes where person_id = ${id}`.execute(tx)
  if (rows.length === 0) return
  const at = ctx.clock.now()
  const leaf = { orgId, kind: 'person.shut-out', subjectId: id, actor: { kind: 'system' }, at, facts: {} } as const
  await appendLeaf(ctx, tx, leaf)
}

/** A workflow goes with every version of its rule, whatever each was called. */
async function eraseRulesOf(tx: Tx, ctx: Ctx, workflowId: string): Promise<void> {
  const { rows } = await sql<{
    id: string
  }>`select distinct content::jsonb -> 'facts' ->> 'policy' as id from audit_leaves
    where subject_id = ${workflowId} and kind in ('workflow.created', 'workflow.changed')`.execute(tx)
  for (const { id } of rows) if (!(await isErasedTemplate(tx, id))) await eraseRow(tx, ctx, 'policies', id)
}

/** All texts that can be erased. */
export async function eraseEverything(tx: Tx, ctx: Ctx): Promise<void> {
  for (const table of erasable) {
    for (const { id, seq } of await erasableRows(tx, table)) {
      // All versions of a template go with the first.
      if (!(await isErasedTemplate(tx, id))) await eraseRow(tx, ctx, table, id, seq)
    }
  }
}

export interface ErasableRow {
  readonly id: string
  /** Of a vote, `id` being its request's. */
  readonly seq?: number
}

/** Those first that have most to erase. */
export async function erasableRows(tx: Tx, table: Erasable): Promise<readonly ErasableRow[]> {
  if (table === 'votes') {
    const { rows } = await sql<ErasableRow>`select request_id as id, seq from votes where reason is not null
      order by request_id, seq`.execute(tx)
    return rows
  }
  if (table === 'fortanix_users') {
    const { rows } = await sql<ErasableRow>`select person_id as id from fortanix_users order by 1`.execute(tx)
    return rows
  }
  const order = { requests: 'metadata::text desc, id', policies: 'jsonb_array_length(stages) desc, version, id' }
  const by = sql.raw(order[table as keyof typeof order] ?? 'id')
  // A rule of a workflow goes with that.
  const which = sql.raw(table === 'policies' ? `where dialect = 'native'` : '')
  const { rows } = await sql<ErasableRow>`select id from ${sql.table(table)} ${which} order by ${by}`.execute(tx)
  return rows
}

async function isErasedTemplate(tx: Tx, id: string): Promise<boolean> {
  const { rows } = await sql<{ name: string }>`select name from policies where id = ${id}`.execute(tx)
  return rows[0]?.name.startsWith('erased:') === true
}

/** The leaf alone. @param seq of a vote, `id` being its request's */
export async function tellErasure(
  tx: Tx,
  ctx: Ctx,
  id: string,
  fields: readonly string[],
  seq?: number,
): Promise<void> {
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'text.erased',
    subjectId: id,
    actor: { kind: 'system' },
    at: ctx.clock.now(),
    facts: { fields, ...(seq !== undefined && { seq }) },
  })
}

/** Takes away the texts beside every leaf of a subject; the name of an organization stays. */
export async function dropTexts(tx: Tx, id: string): Promise<void> {
  await sql`update audit_leaves set private = null
    where subject_id = ${id} and private is not null and kind <> 'organization.created'`.execute(tx)
}

type Blank = (tx: Tx, id: string, seq?: number) => Promise<unknown>

const named =
  (table: string): Blank =>
  async (tx, id) =>
    await sql`update ${sql.table(table)} set name = ${`erased:${id}`}, description = null where id = ${id}`.execute(tx)

const columns: Readonly<Record<Erasable, Blank>> = {
  groups: async (tx, id) => {
    await named('groups')(tx, id)
    await sql`update groups set attributes = '{}' where id = ${id}`.execute(tx)
  },
  spaces: named('spaces'),
  principals: async (tx, id) => {
    const email = `erased:${id}`
    await sql`update organization_admins set email = ${email} where principal_id = ${id}`.execute(tx)
    await sql`update people p set email = ${email} from principals m
      where m.id = ${id} and m.kind = 'human' and m.person_id = p.id and p.email is not null`.execute(tx)
    await sql`update privx_users set username = ${email}, full_name = 'erased', attributes = '{}'
      where principal_id = ${id}`.execute(tx)
    await sql`update credentials set name = ${email}, hash = null
      where principal_id = ${id} and kind = 'password'`.execute(tx)
    await sql`update principals set email = case when kind = 'human' and email is not null then ${email} end,
      name = case kind when 'human' then 'erased' else ${email} end where id = ${id}`.execute(tx)
  },
  policies: async (tx, id) => {
    const name = `erased:${id}`
    const ids = await versionsOf(tx, id)
    await sql`update role_bindings b set scope_id = ${name} from policies p
      where p.id = ${id} and b.scope_type = 'workflow_template' and b.scope_id = p.name`.execute(tx)
    for (const version of ids) {
      const { stages, rule } = await tx
        .selectFrom('policies')
        .select(['stages', 'rule'])
        .where('id', '=', version)
        .executeTakeFirstOrThrow()
      await sql`update policies set name = ${name}, description = null, metadata = '{}',
        stages = ${JSON.stringify(withoutNames(stages))}::jsonb, rule = ${JSON.stringify(wordedWithoutNames(rule))}::jsonb
        where id = ${version}`.execute(tx)
    }
  },
  requests: async (tx, id) => {
    await sql`update fortanix_requests set operation = split_part(operation, '?', 1), body = null, result = null
      where request_id = ${id}`.execute(tx)
    await sql`delete from fortanix_approvals where request_id = ${id}`.execute(tx)
    await withoutStepNames(tx, 'privx_requests', 'request_id', id)
    await sql`update privx_requests set comment = '' where request_id = ${id}`.execute(tx)
    await sql`update requests set name = ${`erased:${id}`}, description = null, metadata = '{}'
      where id = ${id}`.execute(tx)
  },
  votes: async (tx, id, seq) =>
    await sql`update votes set reason = null, reason_salt = null where request_id = ${id} and seq = ${seq}`.execute(tx),
  api_keys: async (tx, id) => await sql`update api_keys set name = 'erased' where id = ${id}`.execute(tx),
  privx_workflows: async (tx, id) => {
    await withoutStepNames(tx, 'privx_workflows', 'id', id)
    await sql`update privx_workflows set name = ${`erased:${id}`}, comment = '' where id = ${id}`.execute(tx)
  },
  privx_settings: async (tx) => {
    await sql`update fortanix_accounts set description = null`.execute(tx)
    await sql`update privx_settings set settings = '{}', sealed_password = null`.execute(tx)
  },
  fortanix_keys: named('fortanix_keys'),
  fortanix_users: async (tx, id) => {
    await sql`update people set email = ${`erased:${id}`} where id = ${id} and email not like 'erased:%'`.execute(tx)
    await sql`update fortanix_users set first_name = null, last_name = null where person_id = ${id}`.execute(tx)
  },
}

async function withoutStepNames(tx: Tx, table: string, key: string, id: string): Promise<void> {
  const place = sql`where ${sql.ref(key)} = ${id}`
  const { rows } = await sql<{ steps: Stage[] }>`select steps from ${sql.table(table)} ${place}`.execute(tx)
  const steps = JSON.stringify(withoutNames(rows[0]?.steps ?? []))
  await sql`update ${sql.table(table)} set steps = ${steps}::jsonb ${place}`.execute(tx)
}

async function versionsOf(tx: Tx, id: string): Promise<string[]> {
  const { rows } = await sql<{
    id: string
  }>`select o.id from policies p join policies o on o.dialect = p.dialect and o.name = p.name
    where p.id = ${id} order by o.version`.execute(tx)
  return rows.map((row) => row.id)
}

function withoutNames(stages: readonly Stage[]): object[] {
  return stages.map(({ name, ...stage }) => ({ ...stage, ...(name !== undefined && { name: 'erased' }) }))
}

/** As the wires word it. */
function wordedWithoutNames(rule: object): object {
  const { rules, ...rest } = rule as { rules: { stages?: readonly Stage[] } | readonly Stage[] }
  if (Array.isArray(rules)) return { ...rest, rules: withoutNames(rules) }
  if (!('stages' in rules)) return rule
  return { ...rest, rules: rules.stages === undefined ? rules : { stages: withoutNames(rules.stages) } }
}
