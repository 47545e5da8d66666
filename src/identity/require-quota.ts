import { AppError } from '../errors.ts'
import type { Tx } from '../store/open.ts'
import { lockNearestQuota, type QuotaTarget, type QuotaType } from '../store/quotas.ts'

/**
 * Passes if `usage + added` is within the quota that holds here: the nearest of `targets` (nearest first), else the
 * organization's, else there is none (contract §5). Exact under concurrency: whoever asks against a quota waits until the
 * one before has committed, so `usage` must be read on `tx` and the change it allows made in it. A change made before
 * asking is part of the usage already: ask with nothing added.
 * @throws AppError QUOTA_EXCEEDED
 */
export async function requireQuota(
  tx: Tx,
  orgId: string,
  quotaType: QuotaType,
  targets: readonly QuotaTarget[],
  usage: () => Promise<number>,
  added: number,
): Promise<void> {
  const limit = await lockNearestQuota(tx, orgId, quotaType, targets)
  if (limit !== null && (await usage()) + added > limit) {
    throw new AppError('QUOTA_EXCEEDED', `The quota ${quotaType} is ${limit}.`)
  }
}
