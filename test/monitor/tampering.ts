import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Ctx } from '../../src/context.ts'
import type { Finding } from '../../src/monitor/finding.ts'
import type { TableName } from '../../src/monitor/watched-tables.ts'
import type { Tx } from '../../src/store/open.ts'
import type { Dice } from '../helpers/dice.ts'
import { orgId } from '../helpers/quorum.ts'
import { watched } from './columns.ts'

/** What was done, and how a finding may name the row that it was done to. */
export interface Tampering {
  readonly what: string
  readonly rows: readonly { readonly table: string; readonly row: string }[]
}

/** Something that a database owner may do; null when the store has nothing to do it to. */
export interface Trick {
  readonly name: string
  /** The log as it is left contradicts nothing: only who has seen it before can tell. */
  readonly needsMemory: boolean
  play(tx: Tx, dice: Dice, ctx: Ctx): Promise<Tampering | null>
}

/** Whether a finding names one of the rows: by its key, as part of a range, or with its whole table. */
export function isNamed({ rows }: Tampering, findings: readonly Finding[]): boolean {
  return rows.some(({ table, row }) => findings.some((finding) => finding.table === table && covers(finding.row, row)))
}

function covers(range: string, row: string): boolean {
  if (range === row || range === '') return true
  const [first, last] = range.split('..').map(Number)
  return last !== undefined && Number(row) >= (first ?? 0) && Number(row) <= last
}

type Row = Record<string, unknown>

interface Target {
  readonly table: string
  readonly key: readonly string[]
  readonly columns: readonly string[]
  /** SQL that leaves out rows of which nothing could be told. */
  readonly among?: string
}

const sealed = 'exists (select from log_entries e where e.org_id = t.org_id and e.leaf_id = t.id)'

// Nobody but the monitor's own tricks writes cosignatures here (key-tricks.ts), and counts have theirs.
const apart = ['log_cosignatures', 'request_counts']

const targets: readonly Target[] = watched
  .filter(({ table }) => !apart.includes(table))
  .map((target) => ({ ...target, ...(target.table === 'audit_leaves' && { among: sealed }) }))

/** Every trick there is. */
export const tricks: readonly Trick[] = [
  ...targets.flatMap((target) => [
    ...target.columns.map((column) => editing(target, column)),
    ...target.key.filter((column) => !isOwnKey(target, column)).map((column) => editing(target, column)),
    deleting(target),
    ...(isOne(target) ? [] : [inserting(target), truncating(target)]),
  ]),
  counting(),
  swappingVotes(),
  swapping('log_entries', 'index', ['leaf_id', 'hash', 'subject_id'], ''),
  swapping('audit_leaves', 'id', ['content', 'kind', 'subject_id', 'private', 'created_at'], `and ${sealed}`),
  swapping('log_checkpoints', 'size', ['root', 'note'], ''),
  cuttingVotes(),
  cuttingEntries(),
  wiping(),
]

/** Whether the database itself has refused it: a key that is taken, a word that is none, JSON that an index cannot read. */
export function isRefused(error: unknown): boolean {
  return ['23505', '23514', '22P02'].includes((error as { readonly code?: string }).code ?? '')
}

// The organization's id, and a person's, would be another organization and person.
function isOwnKey({ table }: Target, column: string): boolean {
  return column === 'org_id' || table === 'organizations'
}

/** Of what an organization has one row of. */
function isOne({ table }: Target): boolean {
  return table === 'log_heads' || table === 'fortanix_accounts'
}

function editing(target: Target, column: string): Trick {
  return {
    name: `edit ${target.table}.${column}`,
    needsMemory: false,
    async play(tx, dice) {
      const row = await pick(tx, target, dice)
      if (row === null) return null
      const type = await typeOf(tx, target.table, column)
      const value = altered(target.table, column, type, row[column], dice)
      await write(tx, target, row, { [column]: value })
      const rows = [named(target, row), named(target, { ...row, [column]: value })]
      return { what: `${shown(row[column])} → ${shown(value)}`, rows }
    },
  }
}

function deleting(target: Target): Trick {
  return {
    name: `delete ${target.table}`,
    needsMemory: target.table === 'log_checkpoints',
    async play(tx, dice) {
      const row = await pick(tx, target, dice)
      if (row === null) return null
      await sql`delete from ${sql.table(target.table)} where ${match(target, row)}`.execute(tx)
      return { what: 'deleted', rows: [named(target, row)] }
    },
  }
}

/** A copy of a row under a key that nothing has. */
function inserting(target: Target): Trick {
  return {
    name: `insert ${target.table}`,
    needsMemory: false,
    async play(tx, dice) {
      const row = await pick(tx, target, dice)
      if (row === null) return null
      const copy: Row = { ...row }
      for (const column of await columnsOf(tx, target.table)) copy[column.name] ??= null
      await freshen(tx, target, copy, dice)
      const names = Object.keys(copy)
      await sql`insert into ${sql.table(target.table)} (${sql.join(names.map((name) => sql.ref(name)))})
        overriding system value values (${sql.join(await Promise.all(names.map((name) => stored(tx, target.table, name, copy[name]))))})`.execute(
        tx,
      )
      return { what: 'inserted', rows: [named(target, copy)] }
    },
  }
}

function truncating(target: Target): Trick {
  return {
    name: `truncate ${target.table}`,
    needsMemory: false,
    async play(tx, dice) {
      const row = await pick(tx, target, dice)
      if (row === null) return null
      await sql`delete from ${sql.table(target.table)} t where ${sql.raw(target.among ?? 'true')}`.execute(tx)
      return { what: 'emptied', rows: [named(target, row)] }
    },
  }
}

/** The counts of requests that limits are held against. */
function counting(): Trick {
  const target = { table: 'request_counts', key: ['policy_id', 'is_final'], columns: ['difference'] }
  return {
    name: 'edit request_counts.difference',
    needsMemory: false,
    async play(tx, dice) {
      const row = await pick(tx, target, dice)
      if (row === null) return null
      await sql`update request_counts t set difference = difference + 1 where t.ctid = (
        select ctid from request_counts where policy_id = ${row['policy_id']} and is_final = ${row['is_final']} limit 1)`.execute(
        tx,
      )
      const key = `${String(row['policy_id'])}/${row['is_final'] === true ? 'final' : 'open'}`
      return { what: 'one more', rows: [{ table: 'request_counts', row: key }] }
    },
  }
}

/** Two rows have each other's contents. */
function swapping(table: string, key: string, columns: readonly string[], among: string): Trick {
  return {
    name: `reorder ${table}`,
    needsMemory: false,
    async play(tx, dice) {
      const { rows } = await sql<Row>`select * from ${sql.table(table)} t
        where org_id = ${orgId} ${sql.raw(among)} order by ${sql.ref(key)}`.execute(tx)
      if (rows.length < 2) return null
      const [a, b] = dice.shuffled(rows).slice(0, 2) as [Row, Row]
      // Under keys that nothing has meanwhile, or the first would meet the other.
      await sql`delete from ${sql.table(table)} where org_id = ${orgId} and ${sql.ref(key)} in (${a[key]}, ${b[key]})`.execute(
        tx,
      )
      for (const [own, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const row: Row = { ...own, ...Object.fromEntries(columns.map((column) => [column, other[column]])) }
        const names = Object.keys(row)
        const values = await Promise.all(names.map((name) => stored(tx, table, name, row[name])))
        await sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
          overriding system value values (${sql.join(values)})`.execute(tx)
      }
      return {
        what: `${shown(a[key])} ⇄ ${shown(b[key])}`,
        rows: [a, b].map((row) => ({ table, row: String(row[key]) })),
      }
    },
  }
}

function swappingVotes(): Trick {
  return {
    name: 'reorder votes',
    needsMemory: false,
    async play(tx, dice) {
      const { rows } = await sql<{ request_id: string; last: number }>`
        select request_id, max(seq) as last from votes group by request_id having max(seq) > 1 order by request_id`.execute(
        tx,
      )
      if (rows.length === 0) return null
      const { request_id: id, last } = dice.pick(rows)
      const [a, b] = dice.shuffled(Array.from({ length: last }, (_, index) => index + 1)) as [number, number]
      await sql`update votes set seq = -1 where request_id = ${id} and seq = ${a}`.execute(tx)
      await sql`update votes set seq = ${a} where request_id = ${id} and seq = ${b}`.execute(tx)
      await sql`update votes set seq = ${b} where request_id = ${id} and seq = -1`.execute(tx)
      return { what: `${a} ⇄ ${b}`, rows: [a, b].map((seq) => ({ table: 'votes', row: `${id}/${seq}` })) }
    },
  }
}

/** The last votes of a request. */
function cuttingVotes(): Trick {
  return {
    name: 'truncate votes of a request',
    needsMemory: false,
    async play(tx, dice) {
      const target = { table: 'votes', key: ['request_id', 'seq'], columns: [] }
      const row = await pick(tx, target, dice)
      if (row === null) return null
      await sql`delete from votes where request_id = ${row['request_id']} and seq >= ${row['seq']}`.execute(tx)
      return { what: 'cut', rows: [named(target, row)] }
    },
  }
}

/** The last entries of the log, and everything that tells of them but the leaves. */
function cuttingEntries(): Trick {
  return {
    name: 'truncate the log',
    needsMemory: true,
    async play(tx, dice) {
      const { rows } = await sql<{
        size: string
        root: Uint8Array
      }>`select size, root from log_checkpoints order by size`.execute(tx)
      if (rows.length < 2) return null
      const { size } = rows[dice.roll(rows.length - 1)] as { size: string }
      await sql`delete from log_checkpoints where size > ${size}`.execute(tx)
      await sql`delete from log_entries where index >= ${size}`.execute(tx)
      await sql`delete from log_nodes where (index + 1) * power(256, level) > ${size}`.execute(tx)
      await sql`update log_heads set size = ${size}, settled_leaf_id = (select max(leaf_id) from log_entries)`.execute(
        tx,
      )
      return { what: `from ${size} on`, rows: [{ table: 'log_entries', row: size }] }
    },
  }
}

/** The whole log but its leaves: as if nothing had ever been sealed. */
function wiping(): Trick {
  return {
    name: 'truncate everything of the log',
    needsMemory: true,
    async play(tx) {
      for (const table of ['log_checkpoints', 'log_entries', 'log_nodes', 'log_heads']) {
        await sql`delete from ${sql.table(table)}`.execute(tx)
      }
      return { what: 'wiped', rows: [{ table: 'log_entries', row: '0' }] }
    },
  }
}

async function pick(tx: Tx, { table, key, among = 'true' }: Target, dice: Dice): Promise<Row | null> {
  const order = sql.join(key.map((column) => sql.ref(`t.${column}`)))
  const { rows } = await sql<{
    count: string
  }>`select count(*) as count from ${sql.table(table)} t where ${sql.raw(among)}`.execute(tx)
  const count = Number(rows[0]?.count)
  if (count === 0) return null
  const found = await sql<Row>`select t.* from ${sql.table(table)} t where ${sql.raw(among)}
    order by ${order} offset ${dice.roll(count)} limit 1`.execute(tx)
  return found.rows[0] ?? null
}

function named({ table, key }: Target, row: Row): { table: string; row: string } {
  return { table, row: key.map((column) => String(row[column])).join('/') }
}

function match({ key }: Target, row: Row) {
  return sql.join(
    key.map((column) => sql`${sql.ref(column)} = ${row[column]}`),
    sql` and `,
  )
}

async function write(tx: Tx, target: Target, row: Row, change: Row): Promise<void> {
  const [column = '', value] = Object.entries(change)[0] ?? []
  const given = await stored(tx, target.table, column, value)
  await sql`update ${sql.table(target.table)} set ${sql.ref(column)} = ${given} where ${match(target, row)}`.execute(tx)
}

interface Column {
  readonly name: string
  readonly type: string
}

const known = new Map<string, readonly Column[]>()

async function columnsOf(tx: Tx, table: string): Promise<readonly Column[]> {
  const found = known.get(table)
  if (found !== undefined) return found
  const { rows } = await sql<Column>`select column_name as name, udt_name as type from information_schema.columns
    where table_schema = 'public' and table_name = ${table}`.execute(tx)
  known.set(table, rows)
  return rows
}

async function typeOf(tx: Tx, table: string, column: string): Promise<string> {
  return (await columnsOf(tx, table)).find(({ name }) => name === column)?.type ?? 'text'
}

async function stored(tx: Tx, table: string, column: string, value: unknown) {
  const type = await typeOf(tx, table, column)
  const given = type === 'jsonb' && value !== null ? JSON.stringify(value) : value
  return sql`${given}::${sql.raw(type)}`
}

/** Columns that the database itself holds to a few words. */
const closed: Readonly<Record<string, readonly string[]>> = {
  'principals.kind': ['human', 'agent'],
  'credentials.kind': ['password', 'client-secret'],
  'grants.kind': ['permanent', 'time-restricted', 'floating'],
  'request_grants.kind': ['permanent', 'time-restricted', 'floating'],
  'request_grants.operation': ['grant', 'remove'],
  'privx_workflows.operation': ['GRANT', 'REMOVE', 'BOTH'],
  'role_bindings.scope_type': ['org', 'space', 'group', 'workflow_template'],
  'person_credentials.kind': ['password', 'security-key'],
  'fortanix_members.role': ['administrator', 'member', 'auditor'],
  'fortanix_members.state': ['invited', 'joined'],
  'fortanix_keys.kind': ['AES', 'HMAC', 'RSA', 'EC'],
  'fortanix_requests.requester_kind': ['person', 'app'],
  'fortanix_requests.execution': ['waiting', 'due', 'succeeded', 'failed', 'denied'],
  'policies.status': ['active', 'pending-deprecation', 'deprecated'],
}

/** Another value that the column can hold. */
function altered(table: string, column: string, type: string, value: unknown, dice: Dice): unknown {
  const words = closed[`${table}.${column}`]
  if (words !== undefined) return dice.pick(words.filter((word) => word !== value))
  switch (type) {
    case 'uuid':
      return randomUUID()
    case 'bool':
      return value !== true
    case 'int2':
    case 'int4':
    case 'int8':
      return Number(value ?? 0) + 1 + dice.roll(3) + (column === 'index' || column === 'size' ? 100_000 : 0)
    case 'timestamptz':
      return new Date((value instanceof Date ? value.getTime() : 0) + 1 + dice.roll(7_200_000))
    case '_uuid':
      return [...((value ?? []) as string[]).slice(dice.roll(2)), randomUUID()]
    case '_text':
      return [...((value ?? []) as string[]).slice(dice.roll(2)), 'other']
    case 'jsonb':
      return alteredJson(value, dice)
    case 'bytea':
      return alteredBytes(value as Uint8Array | null, dice)
    default:
      return alteredText(value as string | null, dice)
  }
}

function alteredText(text: string | null, dice: Dice): string {
  if (text === null || text === '') return 'x'
  const at = dice.roll(text.length)
  const letter = text[at] === 'x' ? 'y' : 'x'
  return text.slice(0, at) + letter + text.slice(at + 1)
}

function alteredBytes(bytes: Uint8Array | null, dice: Dice): Buffer {
  const changed = Buffer.from(bytes ?? [])
  if (changed.length === 0) return Buffer.alloc(32)
  const at = dice.roll(changed.length)
  changed[at] = (changed[at] ?? 0) ^ (1 << dice.roll(8))
  return changed
}

/** With one value anywhere in it changed. */
function alteredJson(value: unknown, dice: Dice): unknown {
  if (typeof value === 'string') return alteredText(value, dice)
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  if (Array.isArray(value)) {
    if (value.length === 0) return ['x']
    const at = dice.roll(value.length)
    return value.map((item: unknown, index) => (index === at ? alteredJson(item, dice) : item))
  }
  const members = Object.entries(value ?? {})
  if (members.length === 0) return { other: { salt: 'x', text: 'x' } }
  const [chosen] = dice.pick(members)
  return Object.fromEntries(members.map(([name, item]) => [name, name === chosen ? alteredJson(item, dice) : item]))
}

/** Gives a copied row a key of its own, and what else must be unique. */
async function freshen(tx: Tx, { table }: Target, row: Row, dice: Dice): Promise<void> {
  const fresh = randomUUID()
  switch (table) {
    case 'votes':
      row['seq'] = 1_000 + dice.roll(1_000)
      return
    case 'memberships':
    case 'privx_users':
    case 'role_bindings':
    case 'former_owners':
    case 'fortanix_approvals':
      row['principal_id'] = fresh
      return
    case 'fortanix_apps':
      Object.assign(row, { principal_id: fresh, name: fresh })
      return
    case 'fortanix_groups':
    case 'fortanix_app_groups':
      row['group_id'] = fresh
      return
    case 'fortanix_users':
      row['person_id'] = fresh
      return
    case 'fortanix_members':
      Object.assign(row, { person_id: fresh, principal_id: null })
      return
    case 'fortanix_recovery_codes':
      row['code_hash'] = fresh
      return
    case 'person_credentials':
      if (row['kind'] === 'password') row['person_id'] = fresh
      else Object.assign(row, { id: fresh, name: fresh, credential_id: randomBytes(16) })
      return
    case 'privx_requests':
    case 'fortanix_requests':
    case 'request_grants':
      row['request_id'] = fresh
      return
    case 'organization_admins':
      row['principal_id'] = fresh
      row['id'] = randomUUID()
      return
    case 'audit_leaves':
      row['id'] = -1 - dice.roll(1_000_000)
      return
    case 'log_entries': {
      const { rows } = await sql<{ last: string }>`select max(index) as last from log_entries`.execute(tx)
      row['index'] = Number(rows[0]?.last) + 1
      row['leaf_id'] = 1_000_000 + dice.roll(1_000_000)
      return
    }
    case 'log_nodes':
      row['index'] = 1_000 + dice.roll(1_000)
      return
    case 'log_checkpoints': {
      const { rows } = await sql<{ size: number }>`select s::int as size from generate_series(1, ${row['size']}::int) s
        where not exists (select from log_checkpoints c where c.size = s)`.execute(tx)
      row['size'] = rows.length === 0 ? 1_000_000 : dice.pick(rows).size
      return
    }
    default: {
      row['id'] = fresh
      const unique: Readonly<Partial<Record<TableName, readonly string[]>>> = {
        organizations: ['name'],
        people: ['email'],
        groups: ['name'],
        spaces: ['name'],
        policies: ['name'],
        requests: ['name'],
        api_keys: ['secret_hash'],
        credentials: ['name'],
        fortanix_keys: ['name'],
      }
      for (const column of unique[table as TableName] ?? []) row[column] = fresh
      if (table === 'quotas') row['target_id'] = fresh
      if (table === 'api_keys') row['previous_hash'] = null
      if (table === 'principals')
        Object.assign(row, row['kind'] === 'human' ? { person_id: randomUUID() } : { name: fresh })
    }
  }
}

function shown(value: unknown): string {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : JSON.stringify(value)
  return (text ?? 'nothing').slice(0, 60)
}
