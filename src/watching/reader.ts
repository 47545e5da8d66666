import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../context.ts'
import type { Db } from '../store/open.ts'
import { findChangedRequests } from '../store/watched.ts'
import { findHolders } from './passes.ts'
import type { Entry, Place, Register } from './register.ts'
import { watchedState, type WatchedState } from './watcher.ts'

export interface Reader {
  /**
   * Has a request read again soon, and its watchers told if it is no longer as they knew it.
   * @param isStale something has happened to it; otherwise it is read to see whether something did
   */
  read(entry: Entry, isStale: boolean): void
}

interface Ground {
  readonly db: Db
  readonly clock: Clock
  readonly log: Logger
}

const gatherMilliseconds = 10
/** Watchers told in one go, before other calls get their turn. */
const toldInOneGo = 250

/**
 * Reads watched requests, all that were asked for within a moment in one query. One reading follows the other, so nobody is
 * told of an older state after a newer one.
 */
export function createReader(
  ground: Ground,
  { has, remove }: Pick<Register, 'has' | 'remove'>,
  end: (place: Place) => void,
): Reader {
  const pending = new Set<Entry>()
  let isReading = false

  async function run(): Promise<void> {
    isReading = true
    while (pending.size > 0) {
      await setTimeout(gatherMilliseconds)
      const batch = [...pending]
      pending.clear()
      await readBatch(batch)
    }
    isReading = false
  }

  async function readBatch(batch: readonly Entry[]): Promise<void> {
    const known = batch.map(({ orgId, id, status, isStale }) => ({ orgId, id, status: isStale ? null : status }))
    for (const entry of batch) entry.isStale = false
    try {
      const told = statesOf(batch, await findChangedRequests(ground.db, known))
      await tell(told)
    } catch (error) {
      // Whoever was not told is found at the next look at everything.
      for (const entry of batch) entry.isStale = true
      ground.log.warn({ err: error }, 'watched requests could not be read; they are read again in a moment')
    }
  }

  /** What is to be told to whom; those whose request is gone are told nothing any more. */
  function statesOf(
    batch: readonly Entry[],
    rows: Awaited<ReturnType<typeof findChangedRequests>>,
  ): [Place, WatchedState][] {
    const now = ground.clock.now()
    return rows.flatMap((row) => {
      const entry = batch[row.place] as Entry
      if (row.status === null) {
        for (const place of entry.places) end(place)
        return []
      }
      entry.status = row.status
      const state = watchedState(entry.id, row, now)
      const isNews = ({ watcher }: Place) => watcher.seen !== state.status || state.isSettled
      return [...entry.places].filter(isNews).map((place): [Place, WatchedState] => [place, state])
    })
  }

  async function tell(told: readonly [Place, WatchedState][]): Promise<void> {
    const holders = await findHolders(
      ground,
      told.map(([{ watcher }]) => watcher.pass),
    )
    for (const [index, [place, state]] of told.entries()) {
      if (index % toldInOneGo === toldInOneGo - 1) await setImmediate()
      if (!has(place)) continue
      if (!holders.has(place.watcher.pass)) end(place)
      else {
        place.watcher.seen = state.status
        if (state.isSettled) remove(place)
        place.watcher.tell(state)
      }
    }
  }

  return {
    read(entry, isStale) {
      entry.isStale ||= isStale
      pending.add(entry)
      if (!isReading) void run()
    },
  }
}
