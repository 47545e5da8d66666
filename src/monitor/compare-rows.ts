import { ErasedText } from './erased-text.ts'
import { textOf, type Finder } from './finding.ts'
import { guarded } from './guarded.ts'
import type { ToldRow, ToldTable } from './told-table.ts'

/** Reports each of `columns` in which a row is not what the leaves tell. A column that they do not tell of is passed over. */
export function compareRow(
  find: Finder,
  table: string,
  key: string,
  told: ToldRow,
  row: ToldRow,
  columns: readonly string[],
): boolean {
  let isSame = true
  for (const column of columns) {
    const [expected, found] = [told[column], row[column]]
    if (expected === undefined || isAsTold(expected, found, key)) continue
    isSame = false
    find(table, key, 'edited', { column, expected, found })
  }
  return isSame
}

function isAsTold(expected: unknown, found: unknown, key: string): boolean {
  if (expected instanceof ErasedText) return expected.isLeftIn(found, key)
  // A text may say "null" too.
  return (expected === null) === (found === null) && textOf(expected) === textOf(found)
}

export interface ComparedRow {
  readonly key: string
  readonly row: ToldRow
  /** How findings name it, where that is not its key. */
  readonly shown?: string
}

/** A row as what the leaves tell of it: a column of a digest holds a digest. */
export type MakeComparable = (row: ToldRow, told: ToldRow | undefined) => ToldRow

export interface Comparison {
  readonly table: string
  readonly told: ToldTable
  readonly columns: readonly string[]
  readonly rows: AsyncIterable<ComparedRow>
  readonly makeComparable?: MakeComparable
  /** How findings name a row that is missing; by its key unless this says otherwise. */
  readonly shownAs?: (key: string) => string
  /** Whether of this row nobody can say any more if it should be there. */
  readonly isUnknown?: (key: string) => boolean
}

/** Compares a table with what the leaves tell of it, both ways. */
export async function compareTable(
  find: Finder,
  { table, told, columns, rows, makeComparable = (row) => row, isUnknown, shownAs = (key) => key }: Comparison,
): Promise<void> {
  const missing = new Set(told.keys())
  let count = 0
  for await (const { key, row, shown = key } of rows) {
    count += 1
    const expected = told.get(key)
    // The same twice is one too many.
    if (expected !== undefined && missing.delete(key)) {
      guarded(find, { table, key: shown }, () =>
        compareRow(find, table, shown, expected, makeComparable(row, expected), columns),
      )
    } else if (isUnknown?.(key) !== true) find(table, shown, 'inserted')
  }
  if (count === 0 && told.size > 1) {
    find(table, '', 'truncated', { expected: `${told.size} rows`, found: 'none' })
    return
  }
  for (const key of missing) find(table, shownAs(key), 'deleted')
}
