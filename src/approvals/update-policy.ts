import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, type Actor } from '../identity/actor.ts'
import { insertPolicy, lockPolicy, type PolicyKey, type PolicyRow } from '../store/policies.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { restoreSecrets } from './action-secrets.ts'
import { openActions, sealActions, type Action } from './actions.ts'
import { cancelNow } from './cancel-requests.ts'
import type { WrittenPolicy } from './create-policy.ts'
import { retire } from './deprecate-policy.ts'
import { requireMayChangePolicy } from './policy-access.ts'
import { decidingColumns, openPolicy, writtenOf, type PolicyBehaviour, type PolicyRules } from './policy.ts'
import { policyInLeaf } from './policy-leaf.ts'
import { findPolicyWarnings } from './policy-warnings.ts'

/** What the next version has of its own; what is undefined it has from the version before. */
export interface PolicyChanges {
  readonly description: string | undefined
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  readonly rules: PolicyRules | undefined
  readonly behaviour: PolicyBehaviour | undefined
  readonly actions: readonly Action[] | undefined
  readonly defaultExpiresInHours: number | undefined
  /** Whether the open requests of the version before end now. */
  readonly cancels: boolean
  /** The row version that the caller has seen. */
  readonly expected: bigint | 'malformed' | undefined
}

/**
 * Writes the next version of a policy and takes the one before out of use, in one transaction.
 * @param seen the policy as it was when the caller's permission was checked
 * @throws AppError WORKFLOW_TEMPLATE_NOT_FOUND, ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND, CONCURRENCY_ERROR,
 * WORKFLOW_TEMPLATE_NOT_ACTIVE, INVALID_CONCURRENCY_CONTROL, in this order (contract §1.5)
 */
export async function updatePolicy(
  ctx: Ctx,
  actor: Actor,
  key: PolicyKey,
  seen: PolicyRow | undefined,
  changes: PolicyChanges,
): Promise<WrittenPolicy> {
  const { orgId } = actor
  const { row, warnings, cancellation } = await transact(ctx, actor.once, async (tx) => {
    await lockFacts(tx, orgId)
    const before = requireCurrent(await lockPolicy(tx, orgId, key), key, seen, changes.expected)
    requireMayChangePolicy(actor, before)
    const next = nextVersion(ctx, before, changes)
    const leafActor = leafActorOf(actor)
    const retired = await retire(ctx, tx, leafActor, before, changes.cancels, next.updated_at)
    const policy = await insertPolicy(tx, next)
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'template.updated',
      subjectId: policy.id,
      actor: leafActor,
      at: next.updated_at,
      ...policyInLeaf(ctx, policy, { replaces: before.id }),
    })
    const found = await findPolicyWarnings(tx, orgId, policy, policy.group_ids)
    return { row: policy, warnings: found, cancellation: retired.cancellation }
  })
  if (cancellation !== null) await cancelNow(ctx, cancellation)
  return { policy: openPolicy(ctx, row), warnings }
}

function requireCurrent(
  row: PolicyRow | undefined,
  key: PolicyKey,
  seen: PolicyRow | undefined,
  expected: PolicyChanges['expected'],
): PolicyRow {
  const isActive = row?.status === 'active'
  if (row !== undefined && !isActive && seen?.status === 'active') throw new AppError('CONCURRENCY_ERROR')
  if ('name' in key && !isActive) throw new AppError('ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND')
  if (row === undefined) throw new AppError('WORKFLOW_TEMPLATE_NOT_FOUND')
  if (typeof expected === 'bigint' && expected !== BigInt(row.row_version)) throw new AppError('CONCURRENCY_ERROR')
  if (!isActive) throw new AppError('WORKFLOW_TEMPLATE_NOT_ACTIVE')
  if (expected === 'malformed') {
    throw new AppError('INVALID_CONCURRENCY_CONTROL', undefined, { field: 'concurrencyControl.version' })
  }
  return row
}

/** The version before is written twice more: when it goes out of use, and when its last request closes. */
const writesToCome = 2n

function nextVersion(ctx: Ctx, before: PolicyRow, changes: PolicyChanges) {
  const at = ctx.clock.now()
  const written = writtenOf(before)
  return {
    org_id: before.org_id,
    id: ctx.newId(),
    dialect: before.dialect,
    space_id: before.space_id,
    name: before.name,
    version: before.version + 1,
    description: changes.description ?? before.description,
    metadata: JSON.stringify(changes.metadata ?? before.metadata),
    status: 'active',
    takes_votes_when_inactive: true,
    ...decidingColumns(
      changes.rules ?? { written: written.rules, stages: before.stages },
      changes.behaviour ?? { written: written.options, options: before.options },
    ),
    actions:
      changes.actions === undefined
        ? before.actions
        : sealActions(ctx, restoreSecrets(changes.actions, openActions(ctx, before.actions))),
    default_expires_in_hours: changes.defaultExpiresInHours ?? before.default_expires_in_hours,
    // Past every number that the version before ever shows, so that none of them matches this one (contract §10.4).
    row_version: String(BigInt(before.row_version) + writesToCome + 1n),
    created_at: at,
    updated_at: at,
  } as const
}
