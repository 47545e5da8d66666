import type { Policy } from '../kernel/rule.ts'
import type { Db, Tx } from './open.ts'
import type { Dialect, NewRow, Row } from './schema.ts'

export type PolicyRow = Row<'policies'>

/** How the wire named a policy: one version by its id, or all of them by the name they share within a dialect. */
export type PolicyKey = { readonly id: string } | { readonly name: string }

/** What a policy decides by: never changes once the policy is written. */
export async function findPolicyRules(db: Db, orgId: string, policyId: string): Promise<Policy | undefined> {
  return await db
    .selectFrom('policies')
    .select(['stages', 'options'])
    .where('org_id', '=', orgId)
    .where('id', '=', policyId)
    .executeTakeFirst()
}

export async function insertPolicy(tx: Tx, policy: NewRow<'policies'>): Promise<PolicyRow> {
  return await tx.insertInto('policies').values(policy).returningAll().executeTakeFirstOrThrow()
}

/**
 * The version that has the id, or the newest of the name: only the active version is ever followed by another, so the
 * newest is the active one where there is one.
 */
export async function findPolicy(
  db: Db,
  orgId: string,
  key: PolicyKey,
  dialect: Dialect = 'native',
): Promise<PolicyRow | undefined> {
  const policies = db.selectFrom('policies').selectAll().where('org_id', '=', orgId).where('dialect', '=', dialect)
  return 'id' in key
    ? await policies.where('id', '=', key.id).executeTakeFirst()
    : await policies.where('name', '=', key.name).orderBy('version', 'desc').limit(1).executeTakeFirst()
}

export async function findActivePolicyByName(
  db: Db,
  orgId: string,
  name: string,
  dialect: Dialect = 'native',
): Promise<PolicyRow | undefined> {
  return await db
    .selectFrom('policies')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('dialect', '=', dialect)
    .where('name', '=', name)
    .where('status', '=', 'active')
    .executeTakeFirst()
}

/**
 * The policy as it is for as long as the transaction runs. Whoever makes a request of it reads it so: a change of its
 * status waits for them, and they for it.
 */
export async function findPolicyForRequest(tx: Tx, orgId: string, policyId: string): Promise<PolicyRow | undefined> {
  return await tx
    .selectFrom('policies')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', policyId)
    .forShare()
    .executeTakeFirst()
}

/** How many different names the policies of a space have, whatever their versions. */
export async function countPolicyNames(tx: Tx, orgId: string, spaceId: string): Promise<number> {
  const { names } = await tx
    .selectFrom('policies')
    .select((row) => row.fn.count('name').distinct().as('names'))
    .where('org_id', '=', orgId)
    .where('space_id', '=', spaceId)
    .executeTakeFirstOrThrow()
  return Number(names)
}
