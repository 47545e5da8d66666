import { readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { retire } from '../../src/approvals/deprecate-policy.ts'
import { eraseText } from '../../src/audit/erase-text.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf } from '../../src/monitor/finding.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import { findingsOf } from '../monitor/tried.ts'
import { startScene, steps, world } from '../audit/steps.ts'
import { engine } from '../helpers/access.ts'
import { placesOf } from '../helpers/places-of.ts'
import { orgId } from '../helpers/quorum.ts'
import type { Client } from '../helpers/world.ts'

it('leaves nothing of any text that any kind of leaf has, wherever it stood', { timeout: 300_000 }, async () => {
  await using _ = await startScene()
  for (const { does } of steps) await does()
  expect(await kindsWithTexts()).toEqual(await documentedKinds())
  await putOutOfUse(await world.person('Last', { admin: true }))
  await sealNow(world.ctx, orgId)
  const before = await findingsOf(world, new Map())
  expect(before.found.map(lineOf)).toEqual([])
  expect(await placesOf(world.ctx.db, 'zebra')).toContain('privx_workflows')

  const erased = await eraseAll()
  expect(erased).toEqual(
    new Set(
      'user,agent,API client,group,space,template,workflow,request,API key,test,settings of,person,account,key'.split(
        ',',
      ),
    ),
  )
  // What was sent of a decision is kept for some days (docs/log.md).
  expect(await placesOf(world.ctx.db, 'zebra')).toEqual(['deliveries'])
  let seen: SeenLogs = before.seen
  for (const isSealed of [false, true]) {
    if (isSealed) await sealNow(world.ctx, orgId)
    const after = await findingsOf(world, seen)
    expect(after.found.map(lineOf)).toEqual([])
    expect(after.erased).toBeGreaterThan(50)
    seen = after.seen
  }
})

/** Ends what is not erased while it is used. */
async function putOutOfUse(last: Client): Promise<void> {
  const { db } = world.ctx
  const templates = await db.selectFrom('policies').select('id').where('dialect', '=', 'native').execute()
  for (const { id } of templates) await last.post(`/workflow-templates/${id}/deprecate`, { cancelWorkflows: true })
  const open = await db.selectFrom('requests').select(['id', 'dialect']).where('is_final', '=', false).execute()
  for (const { id, dialect } of open) {
    if (dialect === 'native') await last.post(`/v1/workflows/${id}/cancel`)
    else await last.delete(`${engine}/requests/${id}`)
  }
  // Rules of a dialect that have no workflow are only made by tests.
  await db.transaction().execute(async (tx) => {
    const active = await tx.selectFrom('policies').selectAll().where('status', '=', 'active').execute()
    for (const policy of active) await retire(world.ctx, tx, { kind: 'system' }, policy, false, world.clock.now())
  })
  const people = await db.selectFrom('principals').select('id').where('kind', '=', 'human').execute()
  for (const { id } of people) if (id !== last.id) await last.post(`/v1/users/${id}/disable`)
}

/** @returns what it was of */
async function eraseAll(): Promise<Set<string>> {
  const erased = new Set<string>()
  const erase = async (organization: string, id: string, seq: number | null) => {
    const { what } = await eraseText(world.ctx, { organization, id, seq })
    if (seq === null) erased.add(what)
  }
  const { rows: votes } = await sql<{ org: string; id: string; seq: number }>`
    select org_id as org, request_id as id, seq from votes where reason is not null`.execute(world.ctx.db)
  for (const { org, id, seq } of votes) await erase(org, id, seq)
  for (;;) {
    // Rules of workflows go with these; the role that the server itself makes has no name of anybody's.
    const { rows } = await sql<{
      org: string
      id: string
    }>`select l.org_id as org, l.subject_id as id from audit_leaves l
      where l.private is not null and (l.kind <> 'organization.created' or l.org_id <> ${orgId})
        and l.subject_id <> (select id from principals where name = 'Last')
        and not exists (select from groups g where g.id = l.subject_id and g.attributes @> '{"system":true}')
      order by l.kind not like 'workflow.%', l.id limit 1`.execute(world.ctx.db)
    if (rows[0] === undefined) return erased
    await erase(rows[0].org, rows[0].id, null)
  }
}

async function kindsWithTexts(): Promise<string[]> {
  const { rows } = await sql<{ kind: string }>`select distinct kind from audit_leaves
    where content::jsonb -> 'committed' is not null`.execute(world.ctx.db)
  return rows.map(({ kind }) => kind).toSorted()
}

/** Those of docs/leaves.md that commit to any. */
async function documentedKinds(): Promise<string[]> {
  const text = await readFile(new URL('../../docs/leaves.md', import.meta.url), 'utf8')
  const rows = text.split('\n').flatMap((line) => {
    const [, kind, , , committed = ''] = line.split(/ *\| */)
    return /^`[a-z-]+\.[a-z-]+`$/.test(kind ?? '') && committed !== '' ? [kind?.slice(1, -1) as string] : []
  })
  return rows.toSorted()
}
