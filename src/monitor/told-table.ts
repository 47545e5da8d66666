/** A row as the leaves tell of it, by column; a column that is undefined they do not tell of. */
export type ToldRow = Record<string, unknown>

/** The rows of one table that the leaves tell of, by key. */
export type ToldTable = Map<string, ToldRow>

/** The parts of a key, as findings name a row. */
export function keyOf(...parts: readonly string[]): string {
  return parts.join('/')
}

export function change(table: ToldTable, key: string, columns: ToldRow): void {
  const row = table.get(key)
  if (row !== undefined) Object.assign(row, columns)
}
