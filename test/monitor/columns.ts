import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { watchedTables } from '../../src/monitor/watched-tables.ts'
import type { Db } from '../../src/store/open.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/monitor.md'), 'utf8')

/** The log, by which everything else is checked, and the counts that follow from requests: by what a row is named, and what is checked. */
export const logTables = {
  audit_leaves: { key: ['id'], columns: ['kind', 'subject_id', 'content', 'private', 'created_at'] },
  log_entries: { key: ['index'], columns: ['leaf_id', 'hash', 'subject_id'] },
  log_nodes: { key: ['level', 'index'], columns: ['hash'] },
  log_checkpoints: { key: ['size'], columns: ['root', 'note'] },
  log_heads: { key: ['org_id'], columns: ['origin', 'size', 'frontier'] },
  log_cosignatures: { key: ['size', 'name'], columns: ['line'] },
} as const

/** What the leaves tell of a request and a vote by a digest alone. */
export const digested: Readonly<Record<string, readonly string[]>> = {
  requests: ['description', 'metadata'],
  votes: ['reason', 'reason_salt'],
}

const counts = { request_counts: { key: ['policy_id', 'is_final'], columns: ['difference'] } } as const

export interface WatchedTable {
  readonly table: string
  readonly key: readonly string[]
  readonly columns: readonly string[]
}

/** Every table of which the monitor must notice an edit, with the columns in which it must. */
export const watched: readonly WatchedTable[] = Object.entries({ ...watchedTables, ...logTables, ...counts }).map(
  ([table, { key, columns }]) => ({ table, key, columns: [...columns, ...(digested[table] ?? [])] }),
)

/** What docs/monitor.md says it does not compare: `table.column`, or `table.*`. */
export const unwatched: ReadonlySet<string> = new Set(
  page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.matchAll(/`(\w+\.(?:\w+|\*))`/g)].map(([, name = '']) => name)),
)

/** The table of docs/monitor.md that lists what is compared. */
export const documented = Object.fromEntries(
  [...page.matchAll(/^\| `(\w+)` \| (.+) \| (.*)\|$/gm)].map(([, table = '', key = '', columns = '']) => {
    const names = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name)
    return [table, { key: names(key), columns: names(columns) }]
  }),
)

export interface Column {
  readonly table: string
  readonly column: string
  /** As PostgreSQL calls it: `int8`, `_text`. */
  readonly type: string
}

/** Every column of the store but those of its migrations. */
export async function columnsOf(db: Db): Promise<readonly Column[]> {
  const { rows } = await sql<Column>`select table_name as table, column_name as column, udt_name as type
    from information_schema.columns where table_schema = 'public' and table_name not like 'kysely_%'
    order by table_name, ordinal_position`.execute(db)
  return rows
}

/** Whether the monitor must notice that the column is another. A row under another organization is one that is missing. */
export function isWatched({ table, column }: Pick<Column, 'table' | 'column'>): boolean {
  const found = watched.find((one) => one.table === table)
  const isOrganization = column === 'org_id' && !unwatched.has(`${table}.org_id`)
  return found !== undefined && (isOrganization || [...found.key, ...found.columns].includes(column))
}

export function isUnwatched({ table, column }: Pick<Column, 'table' | 'column'>): boolean {
  return unwatched.has(`${table}.*`) || unwatched.has(`${table}.${column}`)
}
