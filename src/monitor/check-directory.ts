import { createHash } from 'node:crypto'
import { decidingPart, type DecidingPolicy } from '../audit/digest.ts'
import type { Tx } from '../store/open.ts'
import { compareTable } from './compare-rows.ts'
import { finderFor, type Report } from './finding.ts'
import { literal, readRows } from './read-rows.ts'
import type { Told } from './replay.ts'
import { isUnknown } from './replay-roles.ts'
import { keyOf, type ToldRow, type ToldTable } from './told-table.ts'

/** A table that is compared as a whole with what the leaves tell of it, and the columns that are. */
interface Watched {
  readonly table: keyof Told & string
  readonly key: readonly string[]
  readonly columns: readonly string[]
  /** The row as it can be compared with what the leaves tell of it. */
  readonly compared?: (row: ToldRow, told: ToldRow | undefined) => ToldRow
}

const watched: readonly Watched[] = [
  {
    table: 'principals',
    key: ['id'],
    columns: [
      'kind',
      'person_id',
      'name',
      'email',
      'public_key',
      'disabled_at',
      'dpop_required',
      'revoked_by_admin',
      'created_at',
    ],
    compared: (row) => ({ ...row, public_key: digestOf(row['public_key']) }),
  },
  { table: 'organization_admins', key: ['principal_id'], columns: ['id', 'email', 'created_at'] },
  { table: 'groups', key: ['id'], columns: ['name', 'description', 'member_count', 'created_at', 'updated_at'] },
  { table: 'memberships', key: ['group_id', 'principal_id'], columns: ['added_at'] },
  {
    table: 'role_bindings',
    key: ['principal_id', 'role_name', 'scope_type', 'scope_id'],
    columns: ['created_at'],
  },
  { table: 'spaces', key: ['id'], columns: ['name', 'description', 'created_at', 'updated_at'] },
  {
    table: 'policies',
    key: ['id'],
    columns: [
      'dialect',
      'space_id',
      'name',
      'version',
      'description',
      'status',
      'takes_votes_when_inactive',
      'stages',
      'options',
      'natural_persons',
      'group_ids',
      'default_expires_in_hours',
      'created_at',
      'updated_at',
    ],
    compared: (row, told) => (told?.['hasErasedNames'] === true ? withoutNames(row) : row),
  },
  {
    table: 'quotas',
    key: ['id'],
    columns: ['quota_type', 'scope', 'target_id', 'limit', 'created_at', 'updated_at'],
  },
  {
    table: 'api_keys',
    key: ['id'],
    columns: [
      'principal_id',
      'name',
      'scopes',
      'secret_hash',
      'previous_hash',
      'previous_expires_at',
      'expires_at',
      'revoked_at',
      'created_by',
      'created_at',
    ],
  },
]

/** Every table and column that the replayed leaves are compared with, for the documentation and its test. */
export const watchedColumns: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  watched.map(({ table, key, columns }) => [table, [...key, ...columns]]),
)

/** Compares the organization's row and everything of it but requests and votes with what its leaves tell. */
export async function checkDirectory(tx: Tx, orgId: string, told: Told, report: Report): Promise<void> {
  const find = finderFor(orgId, report)
  await compareTable(find, {
    table: 'organizations',
    told: told.organizations,
    columns: ['name', 'created_at'],
    rows: keyed(readRows(tx, `select * from organizations where id = ${literal(orgId)}`), ['id'], told.organizations),
  })
  for (const { table, key, columns, compared } of watched) {
    const names = [...new Set([...key, ...columns])].map((name) => `"${name}"`).join(', ')
    const rows = readRows<ToldRow>(tx, `select ${names} from ${table} where org_id = ${literal(orgId)}`)
    const expected = told[table] as ToldTable
    await compareTable(find, {
      table,
      told: expected,
      columns,
      rows: keyed(rows, key, expected, compared),
      ...(table === 'role_bindings' && { isUnknown: (binding: string) => isUnknownBinding(told, binding) }),
    })
  }
}

/** People belong to no organization: whoever is in several is one of them. */
export async function checkPeople(tx: Tx, people: ToldTable, report: Report): Promise<void> {
  await compareTable(finderFor(null, report), {
    table: 'people',
    told: people,
    columns: ['email', 'created_at'],
    rows: keyed(readRows(tx, 'select id, email, created_at from people'), ['id'], people),
  })
}

async function* keyed(
  rows: AsyncIterable<ToldRow>,
  key: readonly string[],
  told: ToldTable,
  compared?: Watched['compared'],
): AsyncGenerator<{ key: string; row: ToldRow }> {
  for await (const row of rows) {
    const name = keyOf(...key.map((column) => String(row[column])))
    yield { key: name, row: compared === undefined ? row : compared(row, told.get(name)) }
  }
}

function isUnknownBinding(told: Told, binding: string): boolean {
  const [principal = '', role = '', scopeType = ''] = binding.split('/')
  return isUnknown(told, principal, role, scopeType)
}

function withoutNames(row: ToldRow): ToldRow {
  return { ...row, stages: decidingPart(row as unknown as DecidingPolicy).stages }
}

function digestOf(text: unknown): string | null {
  return typeof text === 'string' ? createHash('sha256').update(text).digest('hex') : null
}
