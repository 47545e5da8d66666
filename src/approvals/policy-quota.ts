import { AppError } from '../errors.ts'
import type { Tx } from '../store/open.ts'
import { countPolicyNames } from '../store/policies.ts'

/**
 * How many policies a space may hold, by name: the space's own quota or else the organization's. Asked once the new one is
 * written, with the space locked, so that two at once cannot both be the last.
 * @throws AppError QUOTA_EXCEEDED
 */
export async function requirePolicyQuota(tx: Tx, orgId: string, spaceId: string): Promise<void> {
  const quota = await tx
    .selectFrom('quotas')
    .select('limit')
    .where('org_id', '=', orgId)
    .where('quota_type', '=', 'MAX_WORKFLOW_TEMPLATES_PER_SPACE')
    .where((row) =>
      row.or([row.and([row('scope', '=', 'Space'), row('target_id', '=', spaceId)]), row('scope', '=', 'Org')]),
    )
    .orderBy((row) => row.case().when('scope', '=', 'Space').then(0).else(1).end())
    .limit(1)
    .executeTakeFirst()
  if (quota !== undefined && (await countPolicyNames(tx, orgId, spaceId)) > Number(quota.limit)) {
    throw new AppError('QUOTA_EXCEEDED')
  }
}
