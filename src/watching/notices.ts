import type { Logger } from 'pino'
import type { WatchingConfig } from '../config/watching.ts'
import type { Clock } from '../context.ts'
import type { Metrics } from '../metrics.ts'
import type { ChangeFeed, Changes } from '../store/change-feed.ts'
import type { Db } from '../store/open.ts'
import type { RequestRow } from '../store/requests.ts'
import { findHolders } from './passes.ts'
import { createReader } from './reader.ts'
import { createRegister, slotCount, type Place } from './register.ts'
import { settlingMilliseconds, type Watcher } from './watcher.ts'

/** Carries the news that a request has changed to those who wait for it, in this process and in others (ADR 7). */
export interface Notices {
  /**
   * Says which requests of an organization may have changed. Call it after the commit, never inside a transaction: it
   * waits for nothing, and what it says is a hint that is looked up.
   */
  announce(orgId: string, changes: Changes): void
  /**
   * Tells the watcher of every status other than the one they know.
   * @param row the request as they read it
   * @returns stops it
   * @throws AppError TOO_MANY_REQUESTS
   */
  watch(row: RequestRow, watcher: Watcher): () => void
  /** Ends every watcher, and those still to come at once: the server stops. */
  dismiss(): void
}

interface Ground {
  readonly db: Db
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly feed: ChangeFeed
  readonly limits: WatchingConfig
}

/** One timer sees to all watchers, a slot of them at a time. */
const beatMilliseconds = 250
/** A look at everything that is watched, for news that was lost: every 5 seconds, and every second while deaf to others. */
const beatsPerLook = 20
const beatsPerLookWhileDeaf = 4

export function createNotices(ground: Ground, everyMilliseconds = beatMilliseconds): Notices {
  const { feed, clock } = ground
  const register = createRegister(ground.limits)
  const reader = createReader(ground, { has: register.has, remove }, end)
  let timer: NodeJS.Timeout | undefined
  let beats = 0
  let isDismissed = false

  function noteSize(): void {
    ground.metrics.watchers.set(register.size)
    if (register.size > 0) timer ??= setInterval(beat, everyMilliseconds).unref()
    else {
      clearInterval(timer)
      timer = undefined
    }
  }

  function remove(place: Place): boolean {
    const isRemoved = register.remove(place)
    if (isRemoved) noteSize()
    return isRemoved
  }

  function end(place: Place): void {
    if (remove(place)) place.watcher.end()
  }

  function beat(): void {
    beats += 1
    for (const entry of register.takeDue(clock.now().getTime() - settlingMilliseconds)) reader.read(entry, true)
    if (beats % (feed.isHearing() ? beatsPerLook : beatsPerLookWhileDeaf) === 0) lookAtAll()
    void seeTo([...register.slot(beats % slotCount)])
  }

  function lookAtAll(): void {
    for (const entry of register.entries()) reader.read(entry, false)
  }

  async function seeTo(places: readonly Place[]): Promise<void> {
    for (const { watcher } of places) watcher.beat()
    try {
      const holders = await findHolders(
        ground,
        places.map(({ watcher }) => watcher.pass),
      )
      for (const place of places) if (!holders.has(place.watcher.pass)) end(place)
    } catch {
      // The store cannot be asked, as the reader says in the log. Nobody is told anything before they are asked for again.
    }
  }

  function changed(orgId: string, changes: Changes): void {
    if (changes === 'any') {
      for (const entry of register.entries()) if (entry.orgId === orgId) reader.read(entry, false)
      return
    }
    for (const id of changes) {
      const entry = register.find(orgId, id)
      if (entry !== undefined) reader.read(entry, true)
    }
  }

  return {
    announce(orgId, changes) {
      changed(orgId, changes)
      feed.tell(orgId, changes)
    },
    watch(row, watcher) {
      if (isDismissed) {
        setImmediate(() => watcher.end())
        return () => {}
      }
      const place = register.add(row, watcher)
      noteSize()
      feed.hear({ changed, connected: lookAtAll })
      // It may have changed between the reading and now.
      reader.read(place.entry, true)
      return () => void remove(place)
    },
    dismiss() {
      isDismissed = true
      for (const entry of register.entries()) for (const place of entry.places) end(place)
    },
  }
}
