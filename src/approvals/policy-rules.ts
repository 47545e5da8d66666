import { LRUCache } from 'lru-cache'
import type { Policy } from '../kernel/rule.ts'
import type { Db } from '../store/open.ts'
import { findPolicyRules } from '../store/policies.ts'

// A policy's stages and options are written once and never change, so remembering them is safe on every process.
const remembered = new LRUCache<string, Policy>({ max: 5_000 })

export async function policyRules(db: Db, orgId: string, policyId: string): Promise<Policy> {
  let policy = remembered.get(policyId)
  if (policy === undefined) {
    policy = await findPolicyRules(db, orgId, policyId)
    if (policy === undefined) throw new Error(`policy ${policyId} of a request is missing`)
    remembered.set(policyId, policy)
  }
  return policy
}
