import { createHash } from 'node:crypto'
import type { Tx } from '../store/open.ts'
import { compareTable } from './compare-rows.ts'
import { checkRoles } from './check-roles.ts'
import { finderFor, type Finder, type Report } from './finding.ts'
import { comparablePolicy, type ActionsDigest } from './comparable-policy.ts'
import { literal, readRows } from './read-rows.ts'
import type { Told } from './replay.ts'
import { keyOf, type ToldRow, type ToldTable } from './told-table.ts'
import { watchedTables, type TableName } from './watched-tables.ts'

/** How rows of a table are made comparable with what the leaves tell of them. */
type Compared = (row: ToldRow, told: ToldRow | undefined) => ToldRow

/** Compares the organization's row and everything of it but requests and votes with what its leaves tell. */
export async function checkDirectory(
  tx: Tx,
  orgId: string,
  told: Told,
  { digest, report }: { readonly digest: ActionsDigest | null; readonly report: Report },
): Promise<void> {
  const find = finderFor(orgId, report)
  const compared: Readonly<Partial<Record<TableName, Compared>>> = {
    principals: (row) => ({ ...row, public_key: digestOf(row['public_key']) }),
    policies: (row, policy) => comparablePolicy(row, policy, { templates: told.templates, digest }),
  }
  await compareStored(tx, find, 'organizations', told.organizations, `where id = ${literal(orgId)}`)
  for (const table of ofOrganization) {
    await compareStored(tx, find, table, told[table], `where org_id = ${literal(orgId)}`, compared[table])
  }
  await checkRoles(tx, orgId, told, find)
}

/** Those that are compared as a whole, row by row under their keys. Requests and votes are gone through one by one. */
const ofOrganization = [
  'principals',
  'former_owners',
  'organization_admins',
  'groups',
  'memberships',
  'grants',
  'request_grants',
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
  makeComparable?: Compared,
): Promise<void> {
  const { key, columns } = watchedTables[table]
  const names = [...new Set([...key, ...columns])].map((name) => `"${name}"`).join(', ')
  const rows = keyed(readRows<ToldRow>(tx, `select ${names} from ${table} ${where}`), key, told, makeComparable)
  await compareTable(find, { table, told, columns, rows })
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

function digestOf(text: unknown): string | null {
  return typeof text === 'string' ? createHash('sha256').update(text).digest('hex') : null
}
