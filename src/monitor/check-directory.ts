import { createHash } from 'node:crypto'
import { decidingPart, type DecidingPolicy } from '../audit/digest.ts'
import type { Tx } from '../store/open.ts'
import { compareTable } from './compare-rows.ts'
import { finderFor, type Finder, type Report } from './finding.ts'
import { literal, readRows } from './read-rows.ts'
import type { Told } from './replay.ts'
import { isUnknown } from './replay-roles.ts'
import { keyOf, type ToldRow, type ToldTable } from './told-table.ts'
import { watchedTables, type TableName } from './watched-tables.ts'

type Compared = (row: ToldRow, told: ToldRow | undefined) => ToldRow

/** How rows of some tables are made comparable with what the leaves tell of them. */
const compared: Readonly<Partial<Record<TableName, Compared>>> = {
  principals: (row) => ({ ...row, public_key: digestOf(row['public_key']) }),
  policies: (row, told) => (told?.['hasErasedNames'] === true ? withoutNames(row) : row),
}

/** Compares the organization's row and everything of it but requests and votes with what its leaves tell. */
export async function checkDirectory(tx: Tx, orgId: string, told: Told, report: Report): Promise<void> {
  const find = finderFor(orgId, report)
  const isUnknownRole = (binding: string) => isUnknownBinding(told, binding)
  await compareStored(tx, find, 'organizations', told.organizations, `where id = ${literal(orgId)}`)
  for (const table of ofOrganization) {
    const isUnknown = table === 'role_bindings' ? isUnknownRole : undefined
    await compareStored(tx, find, table, told[table], `where org_id = ${literal(orgId)}`, isUnknown)
  }
}

/** Those that are compared as a whole. Requests and votes are gone through one by one. */
const ofOrganization = [
  'principals',
  'former_owners',
  'organization_admins',
  'groups',
  'memberships',
  'grants',
  'request_grants',
  'role_bindings',
  'spaces',
  'policies',
  'quotas',
  'api_keys',
] as const satisfies readonly TableName[]

/** People belong to no organization: whoever is in several is one of them. */
export async function checkPeople(tx: Tx, people: ToldTable, report: Report): Promise<void> {
  await compareStored(tx, finderFor(null, report), 'people', people, '')
}

async function compareStored(
  tx: Tx,
  find: Finder,
  table: TableName,
  told: ToldTable,
  where: string,
  isUnknown?: (key: string) => boolean,
): Promise<void> {
  const { key, columns } = watchedTables[table]
  const names = [...new Set([...key, ...columns])].map((name) => `"${name}"`).join(', ')
  const rows = keyed(readRows<ToldRow>(tx, `select ${names} from ${table} ${where}`), key, told, compared[table])
  await compareTable(find, { table, told, columns, rows, ...(isUnknown !== undefined && { isUnknown }) })
}

async function* keyed(
  rows: AsyncIterable<ToldRow>,
  key: readonly string[],
  told: ToldTable,
  makeComparable?: Compared,
): AsyncGenerator<{ key: string; row: ToldRow }> {
  for await (const row of rows) {
    const name = keyOf(...key.map((column) => String(row[column])))
    yield { key: name, row: makeComparable?.(row, told.get(name)) ?? row }
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
