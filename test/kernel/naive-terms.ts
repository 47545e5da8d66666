/**
 * A second, naive reading of contract privx §4.4, which counts on the calendar: a day of the ceiling is the same time of the
 * next day in UTC, where no day is longer than another. It shares nothing with `src/kernel/grant-terms.ts` but the types.
 */
import type { GrantKind, GrantLimits, GrantTerms } from '../../src/kernel/grant-terms.ts'
import type { Chance } from './cases.ts'

export interface TermsCase {
  readonly terms: GrantTerms
  readonly limits: GrantLimits
  readonly now: number
}

/** Every member that is wrong, whichever of them is told. */
export function wrongMembers({ terms, limits, now }: TermsCase): Set<string> {
  const wrong = new Set<string>()
  const given = (name: keyof GrantTerms) => terms[name] !== undefined
  if (!limits.kinds.some((kind) => kind === terms.kind)) wrong.add('kind')
  if (terms.kind !== 'time-restricted') {
    if (given('startsAt')) wrong.add('startsAt')
    if (given('endsAt')) wrong.add('endsAt')
  }
  if (terms.kind !== 'floating' && given('floatingHours')) wrong.add('floatingHours')
  if (terms.kind === 'floating') {
    const hours = terms.floatingHours
    if (hours === undefined || hours < 1 || hours % 1 !== 0) wrong.add('floatingHours')
    else if (limits.maxFloatingHours !== 0 && hours > limits.maxFloatingHours) wrong.add('floatingHours')
  }
  if (terms.kind === 'time-restricted') {
    const { startsAt, endsAt } = terms
    if (startsAt === undefined) wrong.add('startsAt')
    if (endsAt === undefined) wrong.add('endsAt')
    if (startsAt !== undefined && endsAt !== undefined) {
      const ceiling = new Date(startsAt)
      ceiling.setUTCDate(ceiling.getUTCDate() + limits.maxRestrictedDays)
      const isTooLong = limits.maxRestrictedDays !== 0 && new Date(endsAt) > ceiling
      if (!(startsAt < endsAt) || !(now < endsAt) || isTooLong) wrong.add('endsAt')
    }
  }
  return wrong
}

/** Whether a grant on terms that nothing is wrong with counts, first used at `usedAt`, null for never. */
export function counts({ terms }: TermsCase, usedAt: number | null, at: number): boolean {
  if (terms.kind === 'permanent') return true
  if (terms.kind === 'time-restricted') {
    return !(at < (terms.startsAt ?? Infinity)) && at < (terms.endsAt ?? -Infinity)
  }
  if (usedAt === null) return true
  const end = new Date(usedAt)
  end.setUTCHours(end.getUTCHours() + (terms.floatingHours ?? 0))
  return at >= usedAt && at < end.getTime()
}

const KINDS: readonly GrantKind[] = ['permanent', 'time-restricted', 'floating']
/** Around leap days, ends of years, and the nights in which clocks are set in Europe, America and Australia. */
const BEGINNINGS = [
  '2024-02-28T23:30:00Z',
  '2028-02-29T12:00:00Z',
  '2026-12-31T23:59:59.999Z',
  '2026-03-29T00:30:00Z',
  '2026-10-25T00:30:00Z',
  '2026-03-08T06:30:00Z',
  '2026-11-01T05:30:00Z',
  '2026-04-04T15:30:00Z',
  '2100-02-28T23:59:59Z',
].map((text) => Date.parse(text))
const DAY = 86_400_000

/** Mostly right, mostly near an edge: at the ceiling, one millisecond off it, or missing a member. */
export function randomTerms(dice: Chance): TermsCase {
  const now = dice.oneOf(BEGINNINGS) + dice.oneOf([0, 1, dice.below(DAY)])
  const kind = dice.oneOf(KINDS)
  const maxFloatingHours = dice.oneOf([0, 1, 24, 1 + dice.below(10_000)])
  const maxRestrictedDays = dice.oneOf([0, 1, 2, 365, 366, 1 + dice.below(4000)])
  const kinds = dice.onceIn(6) ? KINDS.filter(() => dice.onceIn(2)) : KINDS
  const startsAt = now + dice.oneOf([0, 1, -1, dice.below(40) * DAY, -dice.below(40) * DAY])
  const length = dice.oneOf([maxRestrictedDays * DAY, dice.below(400) * DAY, dice.below(DAY), 0])
  const endsAt = dice.onceIn(5) ? now + dice.oneOf([-1, 0, 1]) : startsAt + length + dice.oneOf([-1, 0, 0, 0, 1])
  const floatingHours = dice.oneOf([maxFloatingHours, maxFloatingHours + 1, 1 + dice.below(10_000), 0, -1, 0.5])
  const isTidy = !dice.onceIn(3)
  const has = (usual: boolean) => (isTidy ? usual : dice.onceIn(2))
  const terms: GrantTerms = {
    kind,
    ...(has(kind === 'time-restricted') && { startsAt }),
    ...(has(kind === 'time-restricted') && { endsAt }),
    ...(has(kind === 'floating') && { floatingHours }),
  }
  return { terms, limits: { kinds, maxFloatingHours, maxRestrictedDays }, now }
}
