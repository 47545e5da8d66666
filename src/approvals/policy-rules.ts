import { LRUCache } from 'lru-cache'
import type { Policy } from '../kernel/rule.ts'
import type { Db } from '../store/open.ts'
import { findPolicyRules } from '../store/policies.ts'
import type { Dialect } from '../store/schema.ts'

/** What a request is decided by, with what the right to vote on it is held on. */
export interface PolicyRules extends Policy {
  readonly name: string
  readonly spaceId: string | null
  /** Outside of the native one holding a seat is the right to vote. */
  readonly dialect: Dialect
}

// Nothing of this changes once a policy is written, so remembering it is safe on every process.
const remembered = new LRUCache<string, PolicyRules>({ max: 5_000 })

export async function policyRules(db: Db, orgId: string, policyId: string): Promise<PolicyRules> {
  let policy = remembered.get(policyId)
  if (policy === undefined) {
    policy = await findPolicyRules(db, orgId, policyId)
    if (policy === undefined) throw new Error(`policy ${policyId} of a request is missing`)
    remembered.set(policyId, policy)
  }
  return policy
}
