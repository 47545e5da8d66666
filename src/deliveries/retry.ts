import type { DeliveryConfig } from '../config/delivery.ts'

/**
 * Seconds before the next attempt: doubled each time, and up to a quarter more, so that what failed together does not come
 * back together; never above the most (contract §3.7).
 * @param attempts made so far, at least 1
 * @param chance 0 to 1
 */
export function waitSeconds(
  { firstWaitSeconds, maxWaitSeconds }: DeliveryConfig,
  attempts: number,
  chance: number,
): number {
  return Math.min(maxWaitSeconds, firstWaitSeconds * 2 ** (attempts - 1) * (1 + chance / 4))
}
