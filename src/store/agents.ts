import type { Db } from './open.ts'
import { offsetOf, type Page } from './page.ts'

export interface AgentSummaryRow {
  id: string
  name: string
}

// A machine that signs in by a secret is none.
const agents = (db: Db, orgId: string) =>
  db
    .selectFrom('principals')
    .where('org_id', '=', orgId)
    .where('kind', '=', 'agent')
    .where('public_key', 'is not', null)

/** Oldest first. */
export async function listAgents(db: Db, orgId: string, page: Page): Promise<AgentSummaryRow[]> {
  return await agents(db, orgId)
    .select(['id', 'name'])
    .orderBy('created_at')
    .orderBy('id')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function countAgents(db: Db, orgId: string): Promise<number> {
  const { total } = await agents(db, orgId)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

export async function isAgentNameTaken(db: Db, orgId: string, name: string): Promise<boolean> {
  return (await agents(db, orgId).select('id').where('name', '=', name).executeTakeFirst()) !== undefined
}
