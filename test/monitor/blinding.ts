import { sql } from 'kysely'
import type { Ctx } from '../../src/context.ts'
import type { Tx } from '../../src/store/open.ts'
import type { Dice } from '../helpers/dice.ts'
import {
  dropTexts,
  erasableRows,
  watchedErasable,
  erasedFields,
  eraseRow,
  tellErasure,
  type Erasable,
} from './erasing.ts'
import type { Tampering, Trick } from './tampering.ts'

/** Tables of which texts that are erased leave a row without what vouched for it. */
const blindable = watchedErasable.filter((table) => table !== 'votes')

/**
 * Ways to have the monitor look away: texts that are erased and then are others, with and without a leaf that tells of the
 * erasure.
 */
export const blindings: readonly Trick[] = [
  ...blindable.flatMap((table) => [secretly(table), partly(table), forgetting(table)]),
  ...watchedErasable.flatMap((table) => erasedFields[table].map((column) => replacing(table, column))),
  ...watchedErasable.map(claiming),
  rolesOnOthers(),
]

type Play = (tx: Tx, dice: Dice, ctx: Ctx) => Promise<Tampering | null>

function trick(name: string, play: Play): Trick {
  return { name, needsMemory: false, play }
}

/** The kept texts go without a leaf that says so, and the column is another. */
function secretly(table: Erasable): Trick {
  return trick(`blind ${table}: erase texts and edit`, async (tx, dice) => {
    const row = await pick(tx, table, dice)
    if (row === null) return null
    const leaves = await leavesWithTexts(tx, row.id)
    await dropTexts(tx, row.id)
    await sql`update ${sql.table(table)} set name = name || 'x' where id = ${row.id}`.execute(tx)
    return { what: row.id, rows: leaves }
  })
}

/** Of the kept texts one goes. */
function partly(table: Erasable): Trick {
  return trick(`blind ${table}: erase one text and edit`, async (tx, dice) => {
    const row = await pick(tx, table, dice)
    if (row === null) return null
    const text = table === 'principals' ? 'email' : 'name'
    const leaves = await leavesWithTexts(tx, row.id, text)
    if (leaves.length === 0) return null
    await sql`update audit_leaves set private = private - ${text} where subject_id = ${row.id}`.execute(tx)
    return { what: `${row.id} ${text}`, rows: leaves }
  })
}

/** A leaf tells of the erasure of something else than what is gone. */
function forgetting(table: Erasable): Trick {
  return trick(`blind ${table}: erase more than the leaf tells`, async (tx, dice, ctx) => {
    const row = await pick(tx, table, dice)
    if (row === null) return null
    const leaves = await leavesWithTexts(tx, row.id)
    await dropTexts(tx, row.id)
    await tellErasure(tx, ctx, row.id, ['hint'])
    return { what: row.id, rows: leaves }
  })
}

/** What was erased lawfully is another text since. */
function replacing(table: Erasable, column: string): Trick {
  return trick(`blind ${table}: erase and edit ${column}`, async (tx, dice, ctx) => {
    const row = await pick(tx, table, dice)
    if (row === null) return null
    await eraseRow(tx, ctx, table, row.id, row.seq)
    const where = row.seq === undefined ? sql`id = ${row.id}` : sql`request_id = ${row.id} and seq = ${row.seq}`
    const other = others[column] ?? `'other-${dice.roll(1_000)}'`
    await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sql.raw(other)} where ${where}`.execute(tx)
    return { what: row.id, rows: [named(table, row)] }
  })
}

const others: Readonly<Record<string, string>> = {
  metadata: `'{"other":1}'`,
  stages: `jsonb_set(stages, '{0,name}', '"other"')`,
}

/** A leaf tells of an erasure, and the row holds its texts still. */
function claiming(table: Erasable): Trick {
  return trick(`blind ${table}: tell of an erasure that was none`, async (tx, dice, ctx) => {
    const row = await pick(tx, table, dice)
    if (row === null) return null
    await tellErasure(tx, ctx, row.id, erasedFields[table], row.seq)
    return { what: row.id, rows: [named(table, row)] }
  })
}

/** Whoever's roles were told by the name of a template, now erased, has them on others too. */
function rolesOnOthers(): Trick {
  return trick('blind role_bindings: erase names of templates and insert', async (tx, dice, ctx) => {
    const { rows } = await sql<{ subject_id: string }>`select distinct subject_id from audit_leaves
      where kind = 'roles.assigned' and content like '%templateName%' order by 1`.execute(tx)
    const templates = await erasableRows(tx, 'policies')
    if (rows.length === 0 || templates.length === 0) return null
    const { subject_id: holder } = dice.pick(rows)
    await eraseRow(tx, ctx, 'principals', holder)
    const { rows: inserted } = await sql<{ scope_id: string }>`
      insert into role_bindings (org_id, principal_id, role_name, scope_type, scope_id, created_at)
      select org_id, ${holder}, 'WorkflowTemplateVoter', 'workflow_template', name, created_at
      from policies where id = ${dice.pick(templates).id} returning scope_id`.execute(tx)
    const row = `${holder}/WorkflowTemplateVoter/workflow_template/${inserted[0]?.scope_id}`
    return { what: 'inserted', rows: [{ table: 'role_bindings', row }] }
  })
}

async function pick(tx: Tx, table: Erasable, dice: Dice) {
  const rows = await erasableRows(tx, table)
  return rows.length === 0 ? null : dice.pick(rows)
}

async function leavesWithTexts(tx: Tx, id: string, text = 'name'): Promise<Tampering['rows']> {
  const { rows } = await sql<{ id: string }>`select id from audit_leaves where subject_id = ${id}
    and (private ? ${text} or (private ? 'displayName' and ${text} = 'name'))`.execute(tx)
  return rows.map((row) => ({ table: 'audit_leaves', row: row.id }))
}

function named(table: string, { id, seq }: { readonly id: string; readonly seq?: number }) {
  return { table, row: seq === undefined ? id : `${id}/${seq}` }
}
