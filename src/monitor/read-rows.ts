import { sql } from 'kysely'
import type { Tx } from '../store/open.ts'

let cursors = 0

/** Rows that are in memory at a time. */
const rowsAtOnce = 500

/**
 * The rows of a query, fetched as they are asked for, so that any number of them costs the same memory.
 * @param query its values are taken from the store, as `literal` writes them
 */
export async function* readRows<Row>(tx: Tx, query: string): AsyncGenerator<Row, void, undefined> {
  const cursor = `monitor_${++cursors}`
  await sql.raw(`declare ${cursor} no scroll cursor for ${query}`).execute(tx)
  for (;;) {
    const { rows } = await sql.raw<Row>(`fetch ${rowsAtOnce} from ${cursor}`).execute(tx)
    yield* rows
    if (rows.length < rowsAtOnce) break
  }
  await sql.raw(`close ${cursor}`).execute(tx)
}

/** Rows in an order, of which the next can be looked at before it is taken. */
export interface Peekable<Row> {
  /** Undefined at the end. */
  peek(): Promise<Row | undefined>
  next(): Promise<Row | undefined>
}

export function peekable<Row>(rows: AsyncGenerator<Row, void, undefined>): Peekable<Row> {
  let ahead: Promise<IteratorResult<Row, void>> | null = null
  const look = () => (ahead ??= rows.next())
  const valueOf = ({ done, value }: IteratorResult<Row, void>) => (done === true ? undefined : (value as Row))
  return {
    async peek() {
      return valueOf(await look())
    },
    async next() {
      const value = valueOf(await look())
      ahead = null
      return value
    },
  }
}

/** Text as SQL writes it. The cursors' queries take no parameters. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
