import { ForeignHead } from '../audit/own-head.ts'
import { sealBatch } from '../audit/seal.ts'
import type { Ctx } from '../context.ts'
import { findUnsealed } from '../store/log.ts'
import { startRounds } from './rounds.ts'

/** Leaf to checkpoint takes this, half of it on average, and the time of a round. */
const pauseMilliseconds = 800
/** When it fails, the store is likely out of reach. */
const failedMilliseconds = 2_000

/**
 * Seals what was committed since the last round, behind the changes and not on their way. Any number of processes do so
 * beside each other; what is not sealed is told by the tables, so nothing is lost by a restart.
 * @returns ends it, once the round in hand is done
 */
export function startSealing(ctx: Ctx): () => Promise<void> {
  return startRounds(() => sealAll(ctx))
}

/** One batch of each organization. @returns milliseconds until there may be something to do again */
export async function sealAll(ctx: Ctx): Promise<number> {
  const begun = performance.now()
  let isBehind = false
  let hasFailed = false
  const orgIds = await findUnsealed(ctx.db).catch((error: unknown) => {
    ctx.log.error({ err: error }, 'the log cannot be sealed; it is tried again in seconds')
    hasFailed = true
    return []
  })
  for (const orgId of orgIds) {
    try {
      const batch = await sealBatch(ctx, orgId)
      if (batch?.isFull === true) isBehind = true
      ctx.store.sealingMemory.stopped.delete(orgId)
    } catch (error) {
      if (error instanceof ForeignHead) {
        tellOnce(ctx, orgId, error)
        continue
      }
      ctx.log.error({ err: error, orgId }, 'the log of an organization cannot be sealed; it is tried again in seconds')
      hasFailed = true
    }
  }
  if (hasFailed) return failedMilliseconds
  // Never more than half of the time, however long a transaction keeps the rounds from becoming short.
  return isBehind ? 0 : Math.max(pauseMilliseconds, performance.now() - begun)
}

/** Nothing but an operator mends it, and the other organizations' logs go on meanwhile. */
function tellOnce({ log, store: { sealingMemory } }: Ctx, orgId: string, error: ForeignHead): void {
  if (sealingMemory.stopped.get(orgId) === error.message) return
  sealingMemory.stopped.set(orgId, error.message)
  log.error({ err: error, orgId }, 'the log of an organization is not what was signed, and is not continued')
}
