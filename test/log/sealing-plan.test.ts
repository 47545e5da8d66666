import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { lockHead, sealLeaves } from '../../src/store/log.ts'
import type { Tx } from '../../src/store/open.ts'
import { addLeaves } from '../helpers/log.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld } from '../helpers/world.ts'

it('reads leaves and entries side by side, however small PostgreSQL still believes them to be', async () => {
  await using world = await startWorld({ engine: 'postgres' })
  const { db } = world.ctx
  await addLeaves(world.ctx, ['the log as it was when it was last looked at'])
  await sealNow(world.ctx, orgId)
  await sql`analyze audit_leaves, log_entries`.execute(db)
  await addLeaves(
    world.ctx,
    Array.from({ length: 2_000 }, (_, index) => `leaf ${index}`),
  )
  await db.transaction().execute(async (tx) => {
    const head = await lockHead(tx, orgId, true)
    if (head === undefined) throw new Error('the log has no head')
    await sealLeaves(tx, orgId, head, 1, [])
    const { joins, hashLookup } = await planOfSealing(tx)
    expect(joins).toEqual(['Merge Join'])
    expect(hashLookup).toMatch(/hash = .*hash/)
  })
})

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

/** How this connection carries out the sealing statement once it has kept a plan for it. */
async function planOfSealing(tx: Tx): Promise<{ joins: string[]; hashLookup: string | undefined }> {
  await sql`set local plan_cache_mode = force_generic_plan`.execute(tx)
  const prepared = await sql<{ name: string }>`
    select name from pg_prepared_statements where statement like '%insert into log_entries%'`.execute(tx)
  expect(prepared.rows).toHaveLength(1)
  const explain = `explain (format json) execute "${prepared.rows[0]?.name}"('${orgId}', 0, 0, 1000, '{}')`
  const { rows } = await sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>`${sql.raw(explain)}`.execute(tx)
  const nodes = nodesOf((rows[0] as (typeof rows)[0])['QUERY PLAN'][0].Plan)
  return {
    joins: nodes.map((node) => node['Node Type']).filter((type) => /join|nested loop/i.test(type)),
    hashLookup: nodes.find((node) => node['Index Name'] === 'log_entries_hash')?.['Index Cond'],
  }
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}
