import { createHash } from 'node:crypto'
import { sealActions } from '../../approvals/actions.ts'
import { decidingColumns } from '../../approvals/policy.ts'
import { policyInLeaf } from '../../approvals/policy-leaf.ts'
import { appendLeaf } from '../../audit/append.ts'
import { policyDigest } from '../../audit/digest.ts'
import { canonicalJson } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { findPrincipalsOfPeople } from '../../store/fortanix-requests.ts'
import type { Tx } from '../../store/open.ts'
import { ensureNamedPolicy, type PolicyRow } from '../../store/policies.ts'
import type { Member } from '../account-rights.ts'
import { leafActorOf } from '../caller.ts'
import { leavesOf, type QuorumPolicy } from '../quorum-policy.ts'
import { policyOf } from '../quorum.ts'

/**
 * The policies that apply now as one that the engine decides by, whatever becomes of them later (contract fortanix §4.3). It is
 * kept once for all requests that have the same.
 * @throws AppError APPROVAL_RULE_TOO_LARGE
 */
export async function snapshotPolicies(
  ctx: Ctx,
  tx: Tx,
  member: Member,
  policies: readonly QuorumPolicy[],
): Promise<PolicyRow> {
  const { orgId } = member
  const people = policies.flatMap(leavesOf).filter(({ kind }) => kind === 'person')
  const principals = await findPrincipalsOfPeople(
    tx,
    orgId,
    people.map(({ id }) => id),
  )
  // Of somebody who is not in the account any more nobody holds the seat.
  const policy = policyOf(policies, ({ id }) => principals.get(id) ?? id, ctx.config.fortanix.allowsSelfApproval)
  const at = ctx.clock.now()
  const { policy: kept, isNew } = await ensureNamedPolicy(tx, {
    org_id: orgId,
    id: ctx.newId(),
    dialect: 'fortanix',
    space_id: null,
    name: `Quorum ${policyDigest(policy)}`,
    version: 1,
    description: null,
    metadata: '{}',
    status: 'active',
    takes_votes_when_inactive: true,
    ...decidingColumns({ written: policies, stages: policy.stages }, { written: null, options: policy.options }),
    actions: sealActions(ctx, []),
    default_expires_in_hours: null,
    row_version: 1,
    created_at: at,
    updated_at: at,
  })
  if (isNew) {
    const ruleSha256 = createHash('sha256').update(canonicalJson(kept.rule)).digest('hex')
    const leaf = { orgId, kind: 'template.created', subjectId: kept.id, actor: leafActorOf(member), at } as const
    await appendLeaf(ctx, tx, { ...leaf, ...policyInLeaf(ctx, kept, { ruleSha256 }) })
  }
  return kept
}
