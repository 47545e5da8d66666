import type { Clock } from '../context.ts'
import type { Db } from '../store/open.ts'
import { findLiveCredentials } from '../store/watched.ts'
import type { Pass } from './watcher.ts'

/**
 * Those of many passes whose holders may still watch, as a call of theirs would be let in now: the access token has not
 * expired, the sign-in has not ended, the API key is not revoked, nobody was disabled. One query for all of them.
 */
export async function findHolders(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  passes: readonly Pass[],
): Promise<ReadonlySet<Pass>> {
  const now = clock.now()
  const current = passes.filter(({ expiresAt }) => expiresAt > now)
  if (current.length === 0) return new Set()
  // A thousand calls with one sign-in are asked for once.
  const alike = [...Map.groupBy(current, nameOf).values()]
  const live = await findLiveCredentials(
    db,
    alike.map(([pass]) => pass as Pass),
    now,
  )
  return new Set(alike.filter((_, place) => live.has(place)).flat())
}

function nameOf({ orgId, principalId, sessionId, apiKeyId }: Pass): string {
  return `${orgId} ${principalId} ${sessionId} ${apiKeyId}`
}
