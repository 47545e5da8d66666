import { describe, expect, test } from 'vitest'
import {
  checkTerms,
  defaultKind,
  firstUse,
  isInForce,
  isOver,
  MOST_FLOATING_HOURS,
  noLimits,
  overridden,
  type GrantKind,
  type GrantLimits,
  type GrantTerms,
} from './grant-terms.ts'

const at = (text: string): number => Date.parse(text)
const now = at('2026-03-01T00:00:00Z')
const hour = 3_600_000
const day = 24 * hour
const between = (startsAt: number, endsAt: number): GrantTerms => ({ kind: 'time-restricted', startsAt, endsAt })
const limits = (more: Partial<GrantLimits> = {}): GrantLimits => ({ ...noLimits, ...more })

describe('terms are refused', () => {
  test.each<readonly [title: string, terms: GrantTerms, limits: GrantLimits, field: string | null]>([
    ['of a kind that is not allowed', { kind: 'permanent' }, limits({ kinds: ['floating'] }), 'kind'],
    ['never of a permanent one that says nothing more', { kind: 'permanent' }, limits(), null],
    ['with a start of a permanent one', { kind: 'permanent', startsAt: now }, limits(), 'startsAt'],
    ['with an end of a permanent one', { kind: 'permanent', endsAt: now + 1 }, limits(), 'endsAt'],
    ['with hours of a permanent one', { kind: 'permanent', floatingHours: 1 }, limits(), 'floatingHours'],
    ['without a start of a restricted one', { kind: 'time-restricted', endsAt: now + 1 }, limits(), 'startsAt'],
    ['without an end of a restricted one', { kind: 'time-restricted', startsAt: now }, limits(), 'endsAt'],
    ['with hours of a restricted one', { ...between(now, now + 1), floatingHours: 1 }, limits(), 'floatingHours'],
    ['that end where they start', between(now + 1, now + 1), limits(), 'endsAt'],
    ['that end before they start', between(now + 2, now + 1), limits(), 'endsAt'],
    ['that end now', between(now - 1, now), limits(), 'endsAt'],
    ['never where they end a moment later', between(now - 1, now + 1), limits(), null],
    ['never where they began long ago', between(0, now + 1), limits(), null],
    ['with a start that is no time', between(Number.NaN, now + 1), limits(), 'startsAt'],
    ['with an end that is no time', between(now, Number.NaN), limits(), 'endsAt'],
    ['never as long as the ceiling', between(now, now + 2 * day), limits({ maxRestrictedDays: 2 }), null],
    ['a moment longer than the ceiling', between(now, now + 2 * day + 1), limits({ maxRestrictedDays: 2 }), 'endsAt'],
    [
      'by 24 hours to the day, over the leap day too',
      between(at('2028-02-28T00:00:00Z'), at('2028-03-01T00:00:00Z')),
      limits({ maxRestrictedDays: 1 }),
      'endsAt',
    ],
    [
      'never for two days that have a leap day between',
      between(at('2028-02-28T00:00:00Z'), at('2028-03-01T00:00:00Z')),
      limits({ maxRestrictedDays: 2 }),
      null,
    ],
    [
      'for a day that is longer where clocks go back',
      between(at('2026-10-25T00:00:00+02:00'), at('2026-10-26T00:00:00+01:00')),
      limits({ maxRestrictedDays: 1 }),
      'endsAt',
    ],
    ['without hours of a floating one', { kind: 'floating' }, limits(), 'floatingHours'],
    ['with no hour', { kind: 'floating', floatingHours: 0 }, limits(), 'floatingHours'],
    ['with half an hour', { kind: 'floating', floatingHours: 0.5 }, limits(), 'floatingHours'],
    ['with hours that are no number', { kind: 'floating', floatingHours: Number.NaN }, limits(), 'floatingHours'],
    ['with a start of a floating one', { kind: 'floating', floatingHours: 1, startsAt: now }, limits(), 'startsAt'],
    ['with an end of a floating one', { kind: 'floating', floatingHours: 1, endsAt: now + 1 }, limits(), 'endsAt'],
    ['never at the ceiling of hours', { kind: 'floating', floatingHours: 8 }, limits({ maxFloatingHours: 8 }), null],
    ['above it', { kind: 'floating', floatingHours: 9 }, limits({ maxFloatingHours: 8 }), 'floatingHours'],
    ['never below a thousand years', { kind: 'floating', floatingHours: MOST_FLOATING_HOURS }, limits(), null],
    ['above a thousand years', { kind: 'floating', floatingHours: MOST_FLOATING_HOURS + 1 }, limits(), 'floatingHours'],
  ])('%s', (_, terms, given, field) => {
    expect(checkTerms(terms, given, now)?.field ?? null).toBe(field)
  })
})

describe('the kind that is meant by none', () => {
  test.each<readonly [kinds: readonly GrantKind[], kind: GrantKind | null]>([
    [['floating'], 'floating'],
    [['floating', 'floating'], 'floating'],
    [['time-restricted', 'permanent'], 'permanent'],
    [['time-restricted', 'floating'], null],
    [[], null],
  ])('of %j is %s', (kinds, kind) => expect(defaultKind(kinds)).toBe(kind))
})

test('another kind takes over nothing of what was asked for, the same kind what it does not say', () => {
  expect(overridden(between(1, 2), { kind: 'floating', floatingHours: 3 })).toEqual({
    kind: 'floating',
    floatingHours: 3,
  })
  expect(overridden(between(1, 2), { kind: 'time-restricted', endsAt: 3 })).toEqual({
    kind: 'time-restricted',
    endsAt: 3,
  })
  expect(overridden(between(1, 2), { endsAt: 3 })).toEqual(between(1, 3))
  expect(overridden(between(1, 2), {})).toEqual(between(1, 2))
})

describe('a grant is in force', () => {
  test.each<readonly [title: string, terms: GrantTerms, now: number, is: boolean, isOver: boolean]>([
    ['always when it is permanent', { kind: 'permanent' }, now, true, false],
    ['not before its start', between(now + 1, now + 2), now, false, false],
    ['at its start', between(now, now + 2), now, true, false],
    ['before its end', between(now, now + 2), now + 1, true, false],
    ['not at its end', between(now, now + 2), now + 2, false, true],
    ['before the first use', { kind: 'floating', floatingHours: 1 }, now, true, false],
  ])('%s', (_, terms, instant, is, over) => {
    expect([isInForce(terms, instant), isOver(terms, instant)]).toEqual([is, over])
  })
})

describe('the first use', () => {
  test('sets the hours of a floating one running', () => {
    const used = firstUse({ kind: 'floating', floatingHours: 2 }, now)
    expect(used).toEqual(between(now, now + 2 * hour))
    expect([isInForce(used, now + 2 * hour - 1), isInForce(used, now + 2 * hour)]).toEqual([true, false])
  })

  test('of any other changes nothing', () => {
    for (const terms of [between(1, 2), { kind: 'permanent' } as const]) expect(firstUse(terms, now)).toBe(terms)
  })
})
