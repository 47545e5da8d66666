import type { CustodyGroupChange } from '../store/fortanix-groups.ts'
import type { GroupPolicy } from './policies.ts'

/** A group's policy as it is stored; null for none. */
export function policyColumns(policy: GroupPolicy | null): CustodyGroupChange {
  return {
    policy: policy === null ? null : JSON.stringify(policy.policy),
    protects: policy?.protects == null ? null : [...policy.protects],
    protects_manage: policy?.protectsManage ?? true,
    protects_crypto: policy?.protectsCrypto ?? true,
  }
}
