import { decidingPart, policyDigest } from '../audit/digest.ts'
import type { Leaf } from '../audit/leaf.ts'
import type { PolicyRow } from '../store/policies.ts'

/** A version of a policy as the leaf of its making tells it: what decides in the clear, names and texts by commitment. */
export function policyInLeaf(
  policy: PolicyRow,
  more: Readonly<Record<string, unknown>> = {},
): Pick<Leaf, 'facts' | 'privateText'> {
  const stageNames = policy.stages.map(({ name }, index) => [`stages[${index}].name`, name] as const)
  return {
    facts: {
      ...more,
      dialect: policy.dialect,
      ...(policy.space_id !== null && { space: policy.space_id }),
      version: policy.version,
      ...decidingPart(policy),
      policyDigest: policyDigest(policy),
      ...(policy.default_expires_in_hours !== null && { expiresInHours: policy.default_expires_in_hours }),
    },
    privateText: { name: policy.name, description: policy.description, ...Object.fromEntries(stageNames) },
  }
}
