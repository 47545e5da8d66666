import type { Db } from './open.ts'
import { containing, offsetOf, type Page } from './page.ts'

export interface UserSummaryRow {
  id: string
  name: string
  email: string | null
}

const matching = (db: Db, orgId: string, search: string | null) =>
  db
    .selectFrom('principals')
    .where('org_id', '=', orgId)
    .where('kind', '=', 'human')
    .$if(search !== null, (query) => {
      const pattern = containing(search ?? '')
      return query.where((or) => or.or([or('name', 'ilike', pattern), or('email', 'ilike', pattern)]))
    })

/** Humans whose name or e-mail contains `search`, oldest first. */
export async function listUsers(db: Db, orgId: string, search: string | null, page: Page): Promise<UserSummaryRow[]> {
  return await matching(db, orgId, search)
    .select(['id', 'name', 'email'])
    .orderBy('created_at')
    .orderBy('id')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function countUsers(db: Db, orgId: string, search: string | null): Promise<number> {
  const { total } = await matching(db, orgId, search)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}
