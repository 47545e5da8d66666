import { decidingPart, policyDigest } from '../audit/digest.ts'
import { canonicalJson, type Leaf } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import type { PolicyRow } from '../store/policies.ts'
import { actionsHmac } from './actions-hmac.ts'
import { openActions } from './actions.ts'

/** A version of a policy as the leaf of its making tells it: what decides in the clear, names and texts by commitment. */
export function policyInLeaf(
  { keys }: Pick<Ctx, 'keys'>,
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
      actionsHmac: actionsHmac(keys.atRest.held, openActions({ keys }, policy.actions)),
      ...(policy.default_expires_in_hours !== null && { expiresInHours: policy.default_expires_in_hours }),
    },
    privateText: {
      name: policy.name,
      description: policy.description,
      metadata: canonicalJson(policy.metadata),
      ...Object.fromEntries(stageNames),
    },
  }
}
