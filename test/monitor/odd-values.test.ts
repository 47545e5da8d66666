import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf } from '../../src/monitor/finding.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import type { Tx } from '../../src/store/open.ts'
import { makeBusy } from '../helpers/busy.ts'
import { putsAllOdd } from '../helpers/odd-input.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld, type World } from '../helpers/world.ts'
import { columnsOf, isUnwatched, isWatched, watched, type Column } from './columns.ts'
import { isNamed, type Tampering } from './tampering.ts'
import { findingsOf, tried } from './tried.ts'

let world: World
let seen: SeenLogs
let columns: readonly Column[]
beforeAll(async () => {
  world = await startWorld({ engine: 'postgres' })
  await makeBusy(world)
  await vi.waitUntil(sealedAndSettled, { timeout: 100_000 })
  await cosign()
  const first = await findingsOf(world, new Map())
  expect(first.found.map(lineOf)).toEqual([])
  seen = first.seen
  columns = await columnsOf(world.ctx.db)
}, 120_000)
afterAll(() => world.close())

/** What is sealed is settled once no transaction runs any more that began before, in whichever database of the PostgreSQL. */
async function sealedAndSettled(): Promise<boolean> {
  await sealNow(world.ctx, orgId)
  const newest = sql<boolean>`settled_leaf_id = (select max(id) from audit_leaves)`
  const head = await world.ctx.db.selectFrom('log_heads').select(newest.as('is_settled')).executeTakeFirstOrThrow()
  return head.is_settled
}

/** A witness that nobody knows. */
async function cosign(): Promise<void> {
  const line = `— witness.example ${Buffer.alloc(4 + 8 + 64, 1).toString('base64')}`
  await sql`insert into log_cosignatures (org_id, size, name, line, created_at)
    select org_id, size, 'witness.example+01010101', ${line}, created_at from log_checkpoints`.execute(world.ctx.db)
}

const deep = (open: string, close: string) => `(repeat('${open}', 10000) || 'null' || repeat('${close}', 10000))::jsonb`

/** SQL of values of a type that no server writes, or not there. */
const odd: Readonly<Record<string, readonly string[]>> = {
  text: [`''`, `'null'`, `repeat('x', 1000000)`, `E'a\\n\\u2028b'`, `repeat('[', 10000)`],
  uuid: [`'00000000-0000-0000-0000-000000000000'::uuid`],
  bool: ['not $column'],
  int2: ['32767', '-32768', '0'],
  int4: ['2147483647', '-2147483648', '0'],
  int8: ['9223372036854775807', '-9223372036854775808', '0', '$column + 9007199254740992'],
  timestamptz: [`'infinity'`, `'-infinity'`, `'4714-11-24 00:00:00+00 BC'`, `'294276-12-31 23:59:59+00'`],
  jsonb: [
    ...['null', '5', '1e400', '"x"', 'true', '[]', '[null]', '[{"name":null}]', '{}', '{"a":null}'].map(
      (json) => `'${json}'::jsonb`,
    ),
    'to_jsonb(repeat($$x$$, 1000000))',
    deep('[', ']'),
    deep('{"a":', '}'),
    `jsonb_build_object('name', ${deep('[', ']')})`,
  ],
  _text: [`'{}'`, `'{NULL}'`, `'{{a,b},{c,d}}'`, `array_fill('x'::text, array[100000])`],
  _uuid: [`'{}'`, `'{NULL}'`],
  xid8: [`'18446744073709551615'`, `'0'`],
  bytea: [`''`, `'\\x00'`, `decode(repeat('00', 1000000), 'hex')`],
}

interface Oddity extends Column {
  readonly value: string
}

/** A sixth of its values for each column, beginning with another of them from one to the next; all with `putsAllOdd`. */
const share = putsAllOdd ? 1 : 6

const oddities = (of: readonly Column[]): Oddity[] =>
  of.flatMap((column, place) =>
    ['null', ...(odd[column.type] ?? [])]
      .filter((_, index) => (index + place) % share === 0)
      .map((value) => ({ ...column, value })),
  )

class Refused extends Error {}

/** As findings name it. */
const isFinal = (row: string) => `case when ${row}.is_final then 'final' else 'open' end`

/** Sets it in one row that holds something else. @returns null when there is none */
async function set(tx: Tx, { table, column, type, value }: Oddity): Promise<Tampering | null> {
  const key = watched.find((one) => one.table === table)?.key ?? []
  const name = (row: string) =>
    key.length === 0
      ? `''`
      : `concat_ws('/', ${key.map((one) => (one === 'is_final' ? isFinal(row) : `${row}."${one}"`)).join()})`
  const valueOf = (row: string) => value.replaceAll('$column', `${row}."${column}"`)
  const { rows } = await sql
    .raw<{ before: string; after: string }>(
      `with picked as (select ctid as place, t.* from "${table}" t
          where "${column}" is distinct from (${valueOf('t')})::${type} limit 1),
        changed as (update "${table}" t set "${column}" = (${valueOf('t')})::${type} from picked
          where t.ctid = picked.place returning t.*)
        select ${name('picked')} as before, ${name('changed')} as after from picked, changed`,
    )
    .execute(tx)
    .catch((cause: unknown) => {
      throw new Refused('by the database', { cause })
    })
  const [row] = rows
  return row === undefined ? null : { what: value, rows: [row.before, row.after].map((at) => ({ table, row: at })) }
}

function told({ table, column, value }: Oddity): string {
  return `${table}.${column} = ${value.slice(0, 60)}`
}

describe('a value that no server writes ends no run', () => {
  it('every column is compared, or docs/monitor.md says that it is not', () => {
    const both = columns.filter((column) => isWatched(column) && isUnwatched(column))
    const neither = columns.filter((column) => !isWatched(column) && !isUnwatched(column))
    expect({ both, neither }).toEqual({ both: [], neither: [] })
    expect(columns.filter(({ type }) => odd[type] === undefined)).toEqual([])
  })

  it('and is named, where the column is compared', { timeout: 600_000 }, async () => {
    const missed: string[] = []
    let played = 0
    for (const one of oddities(columns.filter(isWatched))) {
      try {
        const done = await tried(world, seen, (tx) => set(tx, one))
        if (done === null) continue
        played += 1
        if (!isNamed(done.done, done.found))
          missed.push(`${told(one)}: ${done.found.map(lineOf).join('; ').slice(0, 300)}`)
      } catch (error) {
        if (!(error instanceof Refused)) missed.push(`${told(one)}: ${(error as Error).stack?.slice(0, 600)}`)
      }
    }
    expect(missed).toEqual([])
    expect(played).toBeGreaterThan(700 / share)
  })

  it.each([
    ['log_checkpoints', 'created_at', `'infinity'`],
    ['log_checkpoints', 'created_at', `'294276-12-31 23:59:59+00'`],
    ['log_heads', 'settled_leaf_id', '9223372036854775807'],
  ])('%s.%s = %s is named too, though a time and a place that might be are not', async (table, column, value) => {
    const type = columns.find((one) => one.table === table && one.column === column)?.type ?? ''
    const done = await tried(world, seen, (tx) => set(tx, { table, column, type, value }))
    expect(done?.found.map((finding) => finding.table)).toContain(table)
  })

  it('where it is not compared', { timeout: 600_000 }, async () => {
    const ended: string[] = []
    for (const one of oddities(columns.filter(isUnwatched))) {
      try {
        await tried(world, seen, (tx) => set(tx, one))
      } catch (error) {
        if (!(error instanceof Refused)) ended.push(`${told(one)}: ${(error as Error).stack?.slice(0, 600)}`)
      }
    }
    expect(ended).toEqual([])
  })
})
