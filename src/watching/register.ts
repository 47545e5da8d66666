import type { WatchingConfig } from '../config/watching.ts'
import { AppError } from '../errors.ts'
import type { Status } from '../kernel/request.ts'
import type { RequestRow } from '../store/requests.ts'
import type { Watcher } from './watcher.ts'

/** A request that somebody watches, as it was last read. */
export interface Entry {
  readonly orgId: string
  readonly id: string
  /** As it is stored. */
  status: Status
  /** Milliseconds since 1970. */
  readonly deadline: number
  /** Something may have happened to it since: it has to be read whatever its status is. */
  isStale: boolean
  readonly places: Set<Place>
}

/** One watcher of one request. */
export interface Place {
  readonly entry: Entry
  readonly watcher: Watcher
  readonly slot: Set<Place>
}

/** How many parts the watchers are divided in, so that not all are seen to at the same moment. */
export const slotCount = 60

/** Who watches what in this process, and no more of them than allowed. */
export interface Register {
  readonly size: number
  /** @throws AppError TOO_MANY_REQUESTS */
  add(row: RequestRow, watcher: Watcher): Place
  /** False when they were removed before. */
  readonly remove: (place: Place) => boolean
  readonly has: (place: Place) => boolean
  find(orgId: string, id: string): Entry | undefined
  entries(): Iterable<Entry>
  /** Those whose deadline has come, if one of them came since this was last asked. */
  takeDue(now: number): Entry[]
  slot(n: number): Iterable<Place>
}

export function createRegister(limits: WatchingConfig): Register {
  const entries = new Map<string, Entry>()
  const perPrincipal = new Map<string, number>()
  const slots = Array.from({ length: slotCount }, () => new Set<Place>())
  let size = 0
  let added = 0
  let nextDeadline = Infinity

  function entryOf({ org_id: orgId, id, status, expires_at }: RequestRow): Entry {
    const known = entries.get(orgId + id)
    if (known !== undefined) return known
    const entry = { orgId, id, status, deadline: expires_at.getTime(), isStale: true, places: new Set<Place>() }
    entries.set(orgId + id, entry)
    nextDeadline = Math.min(nextDeadline, entry.deadline)
    return entry
  }

  return {
    get size() {
      return size
    },
    add(row, watcher) {
      const { principalId } = watcher.pass
      const own = perPrincipal.get(principalId) ?? 0
      if (own >= limits.perPrincipal) throw tooMany(`${own} calls of this caller wait for workflows already.`)
      if (size >= limits.perProcess)
        throw tooMany(`${size} calls wait for workflows already, all that this server takes.`)
      perPrincipal.set(principalId, own + 1)
      size += 1
      added += 1
      const place = { entry: entryOf(row), watcher, slot: slots[added % slotCount] as Set<Place> }
      place.entry.places.add(place)
      place.slot.add(place)
      return place
    },
    remove(place) {
      const { entry, slot, watcher } = place
      if (!slot.delete(place)) return false
      entry.places.delete(place)
      if (entry.places.size === 0) entries.delete(entry.orgId + entry.id)
      const { principalId } = watcher.pass
      const left = (perPrincipal.get(principalId) ?? 0) - 1
      if (left > 0) perPrincipal.set(principalId, left)
      else perPrincipal.delete(principalId)
      size -= 1
      return true
    },
    has: (place) => place.slot.has(place),
    find: (orgId, id) => entries.get(orgId + id),
    entries: () => entries.values(),
    takeDue(now) {
      if (nextDeadline > now) return []
      const due = [...entries.values()].filter(({ deadline }) => deadline <= now)
      nextDeadline = Infinity
      for (const { deadline } of entries.values()) if (deadline > now) nextDeadline = Math.min(nextDeadline, deadline)
      return due
    },
    slot: (n) => slots[n % slotCount] as Set<Place>,
  }
}

function tooMany(detail: string): AppError {
  return new AppError('TOO_MANY_REQUESTS', detail)
}
