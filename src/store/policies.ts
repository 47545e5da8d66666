import { sql } from 'kysely'
import type { Policy } from '../kernel/rule.ts'
import type { Db, Tx } from './open.ts'
import type { Dialect, NewRow, Row } from './schema.ts'
import { statement } from './statement.ts'

export type PolicyRow = Row<'policies'>

/** How the wire named a policy: one version by its id, or all of them by the name they share within a dialect. */
export type PolicyKey = { readonly id: string } | { readonly name: string }

/** What a policy decides by: never changes once the policy is written. */
export async function findPolicyRules(
  db: Db,
  orgId: string,
  policyId: string,
): Promise<(Policy & { name: string; spaceId: string | null; dialect: Dialect }) | undefined> {
  return await db
    .selectFrom('policies')
    .select(['stages', 'options', 'name', 'space_id as spaceId', 'dialect'])
    .where('org_id', '=', orgId)
    .where('id', '=', policyId)
    .executeTakeFirst()
}

/** What happens after a decision by this version, sealed: never changes once the policy is written. */
export async function findPolicyActions(db: Db, orgId: string, policyId: string): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom('policies')
    .select('actions')
    .where('org_id', '=', orgId)
    .where('id', '=', policyId)
    .executeTakeFirst()
  return row?.actions
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

export async function findPolicy(db: Db, orgId: string, policyId: string): Promise<PolicyRow | undefined> {
  return await db
    .selectFrom('policies')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', policyId)
    .executeTakeFirst()
}

export async function findPoliciesById(db: Db, orgId: string, ids: readonly string[]): Promise<PolicyRow[]> {
  return await db
    .selectFrom('policies')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', sql<string>`any (${[...ids]}::uuid[])`)
    .execute()
}

export async function insertPolicy(tx: Tx, policy: NewRow<'policies'>): Promise<PolicyRow> {
  return await tx.insertInto('policies').values(policy).returningAll().executeTakeFirstOrThrow()
}

/** The policy of the dialect `fortanix` that has this name, which tells all that it says; made if there is none. */
export async function ensureNamedPolicy(
  tx: Tx,
  policy: NewRow<'policies'> & { readonly dialect: 'fortanix' },
): Promise<{ readonly policy: PolicyRow; readonly isNew: boolean }> {
  const find = async () =>
    await tx
      .selectFrom('policies')
      .selectAll()
      .where('org_id', '=', policy.org_id)
      .where('dialect', '=', policy.dialect)
      .where('name', '=', policy.name)
      .forShare()
      .executeTakeFirst()
  const known = await find()
  if (known !== undefined) return { policy: known, isNew: false }
  // Waits here for whoever makes the same, and finds theirs then.
  const made = await tx
    .insertInto('policies')
    .values(policy)
    // The word itself: with a parameter in its place a plan that serves all of them finds no such index.
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'name']).where('dialect', '=', sql.lit('fortanix')).doNothing(),
    )
    .returningAll()
    .executeTakeFirst()
  const kept = made ?? (await find())
  if (kept === undefined) throw new Error(`policy ${policy.name} is neither there nor made`)
  return { policy: kept, isNew: made !== undefined }
}

/**
 * The version that has the id, or the newest of the name: only the active version is ever followed by another, so the
 * newest is the active one where there is one.
 */
export async function findPolicyByKey(
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

/** As `findPolicyByKey`, and nobody makes a request of it, or changes it, until the transaction ends. Call `lockFacts` first. */
export async function lockPolicy(
  tx: Tx,
  orgId: string,
  key: PolicyKey,
  dialect: Dialect = 'native',
): Promise<PolicyRow | undefined> {
  const policies = tx
    .selectFrom('policies')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('dialect', '=', dialect)
    .forNoKeyUpdate()
  return 'id' in key
    ? await policies.where('id', '=', key.id).executeTakeFirst()
    : await policies.where('name', '=', key.name).orderBy('version', 'desc').limit(1).executeTakeFirst()
}

/** Takes a version out of use. Its requests go on, or take no more votes at all. */
export async function retirePolicy(
  tx: Tx,
  orgId: string,
  policyId: string,
  { takesVotes, at }: { takesVotes: boolean; at: Date },
): Promise<PolicyRow> {
  return await tx
    .updateTable('policies')
    .set((row) => ({
      status: 'pending-deprecation',
      takes_votes_when_inactive: takesVotes,
      row_version: row('row_version', '+', '1'),
      updated_at: at,
    }))
    .where('org_id', '=', orgId)
    .where('id', '=', policyId)
    .returningAll()
    .executeTakeFirstOrThrow()
}

// Every vote that ends a request holds a key share of its policy's row, by the foreign key of what it counts. "no key" lets
// two of them at once queue here instead of waiting for each other.
const lockRetired = statement<{ id: string }>(`
  select id from policies where org_id = $1 and id = $2 and status = 'pending-deprecation' for no key update`)

const closeRetired = statement<{ id: string }>(`
  update policies set status = 'deprecated', row_version = row_version + 1, updated_at = $3
  where org_id = $1 and id = $2 and not exists (
    select 1 from requests where org_id = $1 and policy_id = $2 and not is_final)
  returning id`)

/** Ends a version that is out of use and has no open request left. True when this call ended it. */
export async function closeRetiredPolicy(tx: Tx, orgId: string, policyId: string, at: Date): Promise<boolean> {
  // Two statements: the second must see what was committed while the first waited, or two last requests that close at
  // once would each see the other one open.
  if ((await lockRetired(tx, [orgId, policyId])).length === 0) return false
  return (await closeRetired(tx, [orgId, policyId, at])).length > 0
}

/** Versions out of use that no open request keeps, of any organization. */
export async function findDrainedPolicies(db: Db): Promise<Pick<PolicyRow, 'org_id' | 'id'>[]> {
  return await db
    .selectFrom('policies as p')
    .select(['p.org_id', 'p.id'])
    .where('p.status', '=', 'pending-deprecation')
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom('requests as r')
            .select('r.id')
            .whereRef('r.org_id', '=', 'p.org_id')
            .whereRef('r.policy_id', '=', 'p.id')
            .where('r.is_final', '=', false),
        ),
      ),
    )
    .execute()
}

/** Deletes every version of a name, with their requests and the votes on them. */
export async function deletePolicies(
  tx: Tx,
  orgId: string,
  name: string,
  dialect: Dialect = 'native',
): Promise<{ id: string; version: number }[]> {
  return await tx
    .deleteFrom('policies')
    .where('org_id', '=', orgId)
    .where('dialect', '=', dialect)
    .where('name', '=', name)
    .returning(['id', 'version'])
    .execute()
}
