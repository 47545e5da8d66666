/** For how long somebody is given a role, and whether that has begun or is over. Times are epoch milliseconds. */

/** For good, between two instants, or for so many hours from the first use on. */
export type GrantKind = 'permanent' | 'time-restricted' | 'floating'

export interface GrantTerms {
  readonly kind: GrantKind
  /** In force from here. */
  readonly startsAt?: number
  /** In force until before here. */
  readonly endsAt?: number
  /** Of a floating one: how long it is in force once it was used. */
  readonly floatingHours?: number
}

/** What the terms must keep to; a ceiling of 0 is none. */
export interface GrantLimits {
  readonly kinds: readonly GrantKind[]
  readonly maxFloatingHours: number
  readonly maxRestrictedDays: number
}

export interface TermsProblem {
  readonly field: keyof GrantTerms
  readonly reason: string
}

const hour = 3_600_000
/** A day is 24 hours, whatever the calendar of a place makes of it. */
const day = 24 * hour
/** A thousand years: the end of the longest is still a date that every client can read. */
export const MOST_FLOATING_HOURS = 8_766_000

/** Every kind and no ceiling: what is given by hand keeps to nothing else. */
export const noLimits: GrantLimits = {
  kinds: ['permanent', 'time-restricted', 'floating'],
  maxFloatingHours: 0,
  maxRestrictedDays: 0,
}

/**
 * What is wrong with terms that are asked for at `now`; null when nothing is (contract privx §4.4).
 *
 * @example
 * checkTerms({ kind: 'floating', floatingHours: 9 }, { kinds: ['floating'], maxFloatingHours: 8, maxRestrictedDays: 0 }, now)
 * // { field: 'floatingHours', reason: 'must be at most 8' }
 */
export function checkTerms(terms: GrantTerms, limits: GrantLimits, now: number): TermsProblem | null {
  if (!limits.kinds.includes(terms.kind)) return { field: 'kind', reason: `must be one of ${limits.kinds.join(', ')}` }
  switch (terms.kind) {
    case 'permanent':
      return refuseTimes(terms) ?? refuseHours(terms)
    case 'time-restricted':
      return refuseHours(terms) ?? checkTimes(terms, limits, now)
    case 'floating':
      return refuseTimes(terms) ?? checkHours(terms, limits)
  }
}

function refuseTimes({ kind, startsAt, endsAt }: GrantTerms): TermsProblem | null {
  const reason = `must be left out of one that is ${kind}`
  if (startsAt !== undefined) return { field: 'startsAt', reason }
  return endsAt === undefined ? null : { field: 'endsAt', reason }
}

function refuseHours({ kind, floatingHours }: GrantTerms): TermsProblem | null {
  return floatingHours === undefined
    ? null
    : { field: 'floatingHours', reason: `must be left out of one that is ${kind}` }
}

function checkTimes({ startsAt, endsAt }: GrantTerms, limits: GrantLimits, now: number): TermsProblem | null {
  if (!isTime(startsAt)) return { field: 'startsAt', reason: 'is needed, as a time' }
  if (!isTime(endsAt)) return { field: 'endsAt', reason: 'is needed, as a time' }
  if (endsAt <= startsAt) return { field: 'endsAt', reason: 'must be after the start' }
  if (endsAt <= now) return { field: 'endsAt', reason: 'must be in the future' }
  const { maxRestrictedDays } = limits
  if (maxRestrictedDays > 0 && endsAt - startsAt > maxRestrictedDays * day) {
    return { field: 'endsAt', reason: `must be at most ${maxRestrictedDays} days after the start` }
  }
  return null
}

function checkHours({ floatingHours }: GrantTerms, { maxFloatingHours }: GrantLimits): TermsProblem | null {
  if (floatingHours === undefined || !Number.isSafeInteger(floatingHours) || floatingHours < 1) {
    return { field: 'floatingHours', reason: 'must be a whole number of hours, from 1 on' }
  }
  const most = maxFloatingHours > 0 ? Math.min(maxFloatingHours, MOST_FLOATING_HOURS) : MOST_FLOATING_HOURS
  return floatingHours <= most ? null : { field: 'floatingHours', reason: `must be at most ${most}` }
}

function isTime(time: number | undefined): time is number {
  return time !== undefined && Number.isFinite(time)
}

/**
 * The kind of who names none: the only one there is, else a permanent one where that may be; null when it must be named.
 *
 * @example
 * defaultKind(['floating', 'permanent']) // 'permanent'
 */
export function defaultKind(kinds: readonly GrantKind[]): GrantKind | null {
  const [only] = kinds
  if (only !== undefined && new Set(kinds).size === 1) return only
  return kinds.includes('permanent') ? 'permanent' : null
}

/**
 * The terms once whoever decides has put others in their place: another kind takes nothing over from what was asked for
 * (contract privx §7.1).
 *
 * @example
 * overridden({ kind: 'floating', floatingHours: 8 }, { floatingHours: 4 }) // { kind: 'floating', floatingHours: 4 }
 */
export function overridden(terms: GrantTerms, override: Partial<GrantTerms>): GrantTerms {
  const { kind } = override
  return kind === undefined ? { ...terms, ...override } : { ...override, kind }
}

/**
 * Whether a grant on these terms counts at `now`: one that is floating and was not used yet waits, and counts.
 *
 * @example
 * isInForce({ kind: 'time-restricted', startsAt: 1000, endsAt: 2000 }, 2000) // false
 */
export function isInForce({ kind, startsAt, endsAt }: GrantTerms, now: number): boolean {
  switch (kind) {
    case 'permanent':
    case 'floating':
      return true
    case 'time-restricted':
      return (startsAt === undefined || startsAt <= now) && (endsAt === undefined || now < endsAt)
  }
}

/**
 * Whether nothing is left of these terms at `now`.
 *
 * @example
 * isOver({ kind: 'time-restricted', startsAt: 1000, endsAt: 2000 }, 2000) // true
 */
export function isOver({ endsAt }: GrantTerms, now: number): boolean {
  return endsAt !== undefined && endsAt <= now
}

/**
 * The terms after a use at `now`: the first use of a floating grant sets its hours running, any other changes nothing.
 *
 * @example
 * firstUse({ kind: 'floating', floatingHours: 1 }, 0) // { kind: 'time-restricted', startsAt: 0, endsAt: 3_600_000 }
 */
export function firstUse(terms: GrantTerms, now: number): GrantTerms {
  if (terms.kind !== 'floating') return terms
  return { kind: 'time-restricted', startsAt: now, endsAt: now + (terms.floatingHours ?? 0) * hour }
}
