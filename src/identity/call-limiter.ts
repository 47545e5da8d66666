import { LRUCache } from 'lru-cache'
import type { Ctx } from '../context.ts'
import { addCalls } from '../store/call-counters.ts'

/** How a caller stands against the limit, the call that asked counted. */
export interface Standing {
  readonly isOver: boolean
  /** Calls left in this window; exact while one process serves the caller. */
  readonly remaining: number
  /** When the next window begins. */
  readonly resetsAt: Date
}

export const windowSeconds = 60
const windowMilliseconds = windowSeconds * 1000
/** A process counts so often a window for a caller at most, however many calls it serves. */
const refillsPerWindow = 30
const maxCallers = 10_000

interface Allowance {
  readonly windowStart: number
  /** Calls that this process has counted in the store and not served yet. */
  counted: number
  /** Calls that no process had counted when the store was last asked. */
  uncounted: number
  refill: Promise<void> | null
}

/**
 * Counts the calls of each caller in windows of a minute (contract §7.4), together with every other process on the store.
 * A process counts ahead, in blocks: what it counted and did not serve is lost, so that all together never serve more than
 * the limit. While the store is down every call passes.
 * @param limit calls a minute
 */
export function callLimiter(
  { db, clock, log }: Pick<Ctx, 'db' | 'clock' | 'log'>,
  limit: number,
): (caller: string) => Promise<Standing> {
  const block = Math.ceil(limit / refillsPerWindow)
  const allowances = new LRUCache<string, Allowance>({ max: maxCallers })

  function allowanceOf(caller: string): Allowance {
    const windowStart = Math.floor(clock.now().getTime() / windowMilliseconds) * windowMilliseconds
    const known = allowances.get(caller)
    if (known?.windowStart === windowStart) return known
    const fresh = { windowStart, counted: 0, uncounted: limit, refill: null }
    allowances.set(caller, fresh)
    return fresh
  }

  async function refill(caller: string, allowance: Allowance): Promise<void> {
    const total = await addCalls(db, caller, new Date(allowance.windowStart), block)
    allowance.counted += Math.min(Math.max(limit - (total - block), 0), block)
    allowance.uncounted = Math.max(limit - total, 0)
  }

  return async (caller) => {
    const allowance = allowanceOf(caller)
    const resetsAt = new Date(allowance.windowStart + windowMilliseconds)
    try {
      // Calls that arrive together wait for one refill; who then finds nothing left asks for the next.
      while (allowance.counted === 0 && allowance.uncounted > 0) {
        allowance.refill ??= refill(caller, allowance).finally(() => (allowance.refill = null))
        await allowance.refill
      }
    } catch (error) {
      log.warn({ err: error }, 'calls cannot be counted; all pass')
      return { isOver: false, remaining: allowance.uncounted, resetsAt }
    }
    // Remembered until the window ends: whoever goes on calling costs the store nothing.
    const isOver = allowance.counted === 0
    if (!isOver) allowance.counted -= 1
    return { isOver, remaining: allowance.counted + allowance.uncounted, resetsAt }
  }
}
