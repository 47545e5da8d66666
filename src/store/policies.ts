import type { Policy } from '../kernel/rule.ts'
import type { Db } from './open.ts'
import type { Row } from './schema.ts'

export type PolicyRow = Row<'policies'>

/** What a policy decides by: never changes once the policy is written. */
export async function findPolicyRules(db: Db, orgId: string, policyId: string): Promise<Policy | undefined> {
  return await db
    .selectFrom('policies')
    .select(['stages', 'options'])
    .where('org_id', '=', orgId)
    .where('id', '=', policyId)
    .executeTakeFirst()
}
