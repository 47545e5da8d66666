import { LRUCache } from 'lru-cache'

/** An attempt that took this long and failed has cost more than a failure: the room of many others. */
const slowMilliseconds = 3_000
/** So many of them in a row, and a destination is let alone. */
const slowInARow = 8
/** Then so long: less than the waits of a delivery add up to, so that none dies that was decided after it came back. */
const restMilliseconds = 2_500

/** A destination that failed so often in a row, for so long, was out; the next success is its recovery. */
const outInARow = 8
const outMilliseconds = 1_000
/** How long it is spared then. Longer than the waits of all attempts together: those that failed last are done by then. */
const recoveryMilliseconds = 10_000
/** Of the calls a second that it took before. What piled up meanwhile comes on top of what is new. */
const recoveryPace = 1.5
const minCallsASecond = 10
/** Nobody waits longer than that for a turn: the lease of a delivery has to last for its attempt as well. */
const maxTurnMilliseconds = 5_000

interface Standing {
  /** Slow failures in a row, and until when no attempt is made for them. */
  slow: number
  restsUntil: number
  /** Failures in a row, and when the first of them was. */
  failed: number
  failingSince: number
  /** Successes a second while all was well, and those of the second that is being counted. */
  rate: number
  counted: number
  countsSince: number
  /** Until when calls keep to a pace, and when the next may be made. */
  recoversUntil: number
  nextTurn: number
}

/** How much longer this process waits for destinations that do not answer. What it has learned is its own and may be lost. */
export interface Patience {
  /** Whether an attempt may be made now. After each rest one is, until one of them is answered. */
  allows(destination: string, now: number): boolean
  /** Milliseconds that an attempt has to wait for its turn: with a destination that has just recovered, and no other. */
  turn(destination: string, now: number): number
  learn(destination: string, attempt: { readonly failed: boolean; readonly milliseconds: number }, now: number): void
}

/**
 * A destination that hangs would fill the queue at the pace of its timeouts: once it has hung `slowInARow` times, attempts
 * fail at once until it has rested. One that refuses or answers with an error costs nothing and is asked every time. When one
 * that was out comes back, what waits for another attempt does not fall upon it together with what is new.
 * Instants are milliseconds of a clock that is never set.
 */
export function createPatience(): Patience {
  const standings = new LRUCache<string, Standing>({ max: 10_000 })
  const rests = (destination: string, now: number) => {
    const standing = standings.get(destination)
    return standing !== undefined && standing.slow >= slowInARow && now < standing.restsUntil
  }
  return {
    allows(destination, now) {
      if (rests(destination, now)) return false
      const standing = standings.get(destination)
      // One finds out, however long it takes; the next one does after another rest.
      if (standing !== undefined && standing.slow >= slowInARow) standing.restsUntil = now + restMilliseconds
      return true
    },
    turn(destination, now) {
      const standing = standings.get(destination)
      if (standing === undefined || now >= standing.recoversUntil) return 0
      const turn = Math.max(now, standing.nextTurn)
      standing.nextTurn = turn + 1000 / Math.max(minCallsASecond, standing.rate * recoveryPace)
      return Math.min(maxTurnMilliseconds, turn - now)
    },
    learn(destination, { failed, milliseconds }, now) {
      const standing = standings.get(destination) ?? firstSeen(now)
      standings.set(destination, standing)
      if (!failed) return succeed(standing, now)
      if (standing.failed === 0) standing.failingSince = now
      standing.failed++
      // Whatever it said, it does not hang any more.
      standing.slow = milliseconds < slowMilliseconds ? 0 : standing.slow + 1
      if (standing.slow === slowInARow) standing.restsUntil = now + restMilliseconds
    },
  }
}

function firstSeen(now: number): Standing {
  return {
    slow: 0,
    restsUntil: 0,
    failed: 0,
    failingSince: now,
    rate: 0,
    counted: 0,
    countsSince: now,
    recoversUntil: 0,
    nextTurn: 0,
  }
}

function succeed(standing: Standing, now: number): void {
  const wasOut = standing.failed >= outInARow && now - standing.failingSince >= outMilliseconds
  standing.failed = 0
  standing.slow = 0
  if (wasOut) {
    standing.recoversUntil = now + recoveryMilliseconds
    standing.nextTurn = now
  }
  // What a recovery lets through says nothing about what is usual.
  if (now < standing.recoversUntil || wasOut) {
    standing.counted = 0
    standing.countsSince = now
    return
  }
  standing.counted++
  const seconds = (now - standing.countsSince) / 1000
  if (seconds < 1) return
  standing.rate += (standing.counted / seconds - standing.rate) * (1 - 0.7 ** seconds)
  standing.counted = 0
  standing.countsSince = now
}
