import type { Policy } from '../kernel/rule.ts'
import type { Db, Tx } from './open.ts'
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

/** A policy that must not change its status until the transaction ends; other readers are not held up. */
export async function findPolicyForShare(tx: Tx, orgId: string, policyId: string): Promise<PolicyRow | undefined> {
  return await tx
    .selectFrom('policies')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', policyId)
    .forShare()
    .executeTakeFirst()
}
