import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lineOf, type Finding } from '../../src/monitor/finding.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import type { Tx } from '../../src/store/open.ts'
import { startWorld, type World } from '../helpers/world.ts'
import {
  dropTexts,
  erasable,
  erasableRows,
  erasedFields,
  eraseEverything,
  eraseRow,
  tellErasure,
  type Erasable,
  type ErasableRow,
} from './erasing.ts'
import { makeWatched } from './tamper-run.ts'
import { tried } from './tried.ts'

let world: World
let seen: SeenLogs
beforeAll(async () => {
  world = await startWorld({ engine: 'postgres' })
  seen = await makeWatched(world)
}, 120_000)
afterAll(() => world.close())

/** Erases the first row of a table lawfully. */
async function eraseFirst(tx: Tx, table: Erasable): Promise<ErasableRow> {
  const [first] = await erasableRows(tx, table)
  const { id, seq } = first as ErasableRow
  await eraseRow(tx, world.ctx, table, id, seq)
  return { id, ...(seq !== undefined && { seq }) }
}

const after = async <T>(work: (tx: Tx) => Promise<T>) => {
  const result = await tried(world, seen, async (tx) => ({ value: await work(tx) }))
  if (result === null) throw new Error('nothing was done')
  return { value: result.done.value, found: result.found, erased: result.erased }
}

const columnsFound = (found: readonly Finding[]) => found.map(({ table, row, column }) => `${table} ${row} ${column}`)

describe('what was erased lawfully', () => {
  it.each(erasable)('is no finding in %s, and is counted', async (table) => {
    const { found, erased } = await after((tx) => eraseFirst(tx, table))
    expect(found.map(lineOf)).toEqual([])
    expect(erased).toBeGreaterThan(0)
  })

  it('is no finding where all texts of all rows were', async () => {
    const { found, erased } = await after((tx) => eraseEverything(tx, world.ctx))
    expect(found.map(lineOf)).toEqual([])
    expect(erased).toBeGreaterThan(100)
  })

  it.each(['template.deleted', 'space.deleted'])('leaves none behind %s', async (kind) => {
    const { found } = await after(async (tx) => {
      const { rows } = await sql<{
        subject_id: string
      }>`select subject_id from audit_leaves where kind = ${kind}`.execute(tx)
      for (const { subject_id: id } of rows) {
        await dropTexts(tx, id)
        await tellErasure(tx, world.ctx, id, ['description', 'metadata', 'name', 'stages'])
      }
      return rows.length
    })
    expect(found.map(lineOf)).toEqual([])
  })

  it('is no finding where the names of templates that roles were on are gone, and the templates after them', async () => {
    const { found } = await after(async (tx) => {
      const { rows } = await sql<{ id: string }>`select subject_id as id from audit_leaves
        where kind in ('roles.assigned', 'roles.removed', 'template.deleted', 'space.deleted')`.execute(tx)
      for (const { id } of rows) {
        await dropTexts(tx, id)
        await tellErasure(tx, world.ctx, id, ['description', 'metadata', 'name', 'stages'])
      }
      const people = await sql<{ id: string }>`select id from principals`.execute(tx)
      for (const { id } of people.rows)
        if (rows.some((row) => row.id === id)) await eraseRow(tx, world.ctx, 'principals', id)
    })
    expect(found.map(lineOf)).toEqual([])
  })
})

describe('what was erased otherwise', () => {
  it.each([
    ['principals', 'email'],
    ['principals', 'name'],
    ['groups', 'name'],
    ['groups', 'description'],
    ['spaces', 'name'],
    ['policies', 'description'],
    ['policies', 'metadata'],
    ['policies', 'stages'],
    ['policies', 'name'],
    ['requests', 'name'],
    ['requests', 'description'],
    ['requests', 'metadata'],
    ['api_keys', 'name'],
    ['fortanix_keys', 'name'],
    ['fortanix_keys', 'description'],
    ['votes', 'reason'],
  ] as const)('tells when a text of %s was erased and %s is another by now', async (table, column) => {
    const other =
      column === 'metadata'
        ? `'{"other": 1}'`
        : column === 'stages'
          ? `jsonb_set(stages, '{0,name}', '"x"')`
          : `'other'`
    const { value, found } = await after(async (tx) => {
      const row = await eraseFirst(tx, table)
      const where = row.seq === undefined ? sql`id = ${row.id}` : sql`request_id = ${row.id} and seq = ${row.seq}`
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sql.raw(other)} where ${where}`.execute(tx)
      return row
    })
    const key = value.seq === undefined ? value.id : `${value.id}/${value.seq}`
    expect(columnsFound(found)).toContain(`${table} ${key} ${column}`)
  })

  it.each(erasable.filter((table) => table !== 'votes'))(
    'tells of texts of %s that no leaf says were erased',
    async (table) => {
      const { value, found } = await after(async (tx) => {
        const [{ id }] = (await erasableRows(tx, table)) as [ErasableRow]
        await dropTexts(tx, id)
        const { rows } = await sql<{ id: string }>`select id from audit_leaves where subject_id = ${id}
        and kind in ('user.created', 'agent.registered', 'group.created', 'space.created', 'template.created',
          'template.updated', 'request.created', 'api-key.created', 'workflow.created', 'api-client.created',
          'access-settings.changed', 'key.created', 'person.registered')`.execute(tx)
        return rows[0]?.id
      })
      expect(columnsFound(found).filter((line) => line.startsWith(`audit_leaves ${value} private.`))).not.toEqual([])
    },
  )

  it('tells of a reason that no leaf says was erased, and of one where another vote was', async () => {
    const blank = sql`update votes set reason = null, reason_salt = null`
    const { value, found } = await after(async (tx) => {
      const rows = await erasableRows(tx, 'votes')
      const [one, other] = rows as [ErasableRow, ErasableRow]
      await tellErasure(tx, world.ctx, other.id, erasedFields.votes, (other.seq ?? 0) + 1)
      await tellErasure(tx, world.ctx, one.id, erasedFields.requests)
      await blank.execute(tx)
      return rows
    })
    const expected = value.map(({ id, seq }) => `votes ${id}/${seq} reason`)
    const lines = columnsFound(found).filter((line) => line.startsWith('votes'))
    expect(lines.toSorted()).toEqual(expected.toSorted())
  })

  it('tells of an address that was exchanged for another under an erasure of the name alone', async () => {
    const { found } = await after(async (tx) => {
      const { rows } = await sql<{ id: string }>`select id from principals where name = 'Ben'`.execute(tx)
      const [ben] = rows as [{ id: string }]
      await tellErasure(tx, world.ctx, ben.id, ['name'])
      await dropTexts(tx, ben.id)
      await sql`update principals set name = 'erased', email = 'mallory@evil.example' where id = ${ben.id}`.execute(tx)
      await sql`update people set email = 'mallory@evil.example' where email = 'ben@example.com'`.execute(tx)
      return ben
    })
    expect(found.map(({ table, column }) => [table, column])).toContainEqual(['audit_leaves', 'private.email'])
  })

  it('tells of addresses that two people have exchanged, erased or not', async () => {
    const swap = async (tx: Tx) => {
      for (const table of ['people', 'principals', 'organization_admins']) {
        await sql`update ${sql.table(table)} set email = case email when 'ben@example.com' then 'cleo@example.com'
          when 'cleo@example.com' then 'ben@example.com' else email end`.execute(tx)
      }
    }
    const { found } = await after(async (tx) => {
      const { rows } = await sql<{ id: string }>`select id from principals where name in ('Ben', 'Cleo')`.execute(tx)
      await sql`drop index people_email`.execute(tx)
      for (const { id } of rows) {
        await dropTexts(tx, id)
        await tellErasure(tx, world.ctx, id, erasedFields.principals)
      }
      await sql`update principals set name = 'erased' where name in ('Ben', 'Cleo')`.execute(tx)
      await swap(tx)
    })
    const tables = found.filter(({ column }) => column === 'email').map(({ table }) => table)
    expect(tables.toSorted()).toEqual(['people', 'people', 'principals', 'principals'])
  })

  it('tells of a role on another template, though the text of its name be erased', async () => {
    const { value, found } = await after(async (tx) => {
      const [template, other] = (await erasableRows(tx, 'policies')) as [ErasableRow, ErasableRow]
      const { rows } = await sql<{ subject_id: string }>`select subject_id from audit_leaves
        where kind = 'roles.assigned' and content like '%templateName%' order by id desc limit 1`.execute(tx)
      const holder = rows[0]?.subject_id as string
      await eraseRow(tx, world.ctx, 'principals', holder)
      await sql`insert into role_bindings (org_id, principal_id, role_name, scope_type, scope_id, created_at)
        select org_id, ${holder}, 'WorkflowTemplateVoter', 'workflow_template', name, created_at
        from policies where id in (${template.id}, ${other.id})`.execute(tx)
      return holder
    })
    const rows = found.map(({ table, row, what }) => [table, row.split('/')[0], what])
    expect(rows).toEqual([
      ['role_bindings', value, 'inserted'],
      ['role_bindings', value, 'inserted'],
    ])
  })

  it('does not take a text of something else for erased', async () => {
    const { value, found } = await after(async (tx) => {
      const [{ id }, { id: other }] = (await erasableRows(tx, 'groups')) as [ErasableRow, ErasableRow]
      await tellErasure(tx, world.ctx, other, erasedFields.groups)
      await dropTexts(tx, id)
      await sql`update groups set name = 'erased', description = null where id = ${id}`.execute(tx)
      return other
    })
    const lines = columnsFound(found)
    // The leaf whose texts are gone, and the row that holds its own although a leaf says that they were erased.
    expect(lines.filter((line) => line.startsWith('audit_leaves'))).toHaveLength(2)
    expect(lines).toContain(`groups ${value} name`)
  })
})
