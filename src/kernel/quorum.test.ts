import { describe, expect, test } from 'vitest'
import { all, any, atLeast, seats } from '../../test/kernel/cases/case.ts'
import { holds, holdsByCount, neededBy } from './quorum.ts'
import { leavesOf, seatKey, type Rule } from './rule.ts'

describe('a rule', () => {
  test('lists its leaves in pre-order', () => {
    const rule = all(any(seats(1, 'a'), seats(2, 'b')), seats(3, '@c'))
    expect(leavesOf(rule).map(({ from }) => seatKey(from))).toEqual(['group:a', 'group:b', 'principal:c'])
  })

  test('holds by the counts of its leaves', () => {
    const rule = atLeast(2, seats(2, 'a'), any(seats(1, 'b'), seats(1, 'c')), seats(1, 'd'))
    expect(holdsByCount(rule, [2, 0, 1, 0])).toBe(true)
    expect(holdsByCount(rule, [1, 0, 1, 0])).toBe(false)
    expect(holdsByCount(rule, [1, 1, 1, 0])).toBe(false)
    expect(holdsByCount(rule, [0, 1, 0, 1])).toBe(true)
    expect(holdsByCount(rule, [2])).toBe(false)
  })

  test('numbers every leaf, also after enough hold', () => {
    const asked: number[] = []
    holds(any(seats(1, 'a'), seats(1, 'b'), seats(1, 'c')), (_, index) => asked.push(index) > 0)
    expect(asked).toEqual([0, 1, 2])
  })

  test('that asks for nobody holds for nobody', () => {
    const nothings: readonly Rule[] = [
      all(),
      atLeast(0, seats(1, 'a')),
      seats(0, 'a'),
      seats(-1, 'a'),
      seats(Number.NaN, 'a'),
    ]
    expect(nothings.map((rule) => holdsByCount(rule, [0]))).toEqual([false, false, false, false, false])
    expect(neededBy(all())).toBe(1)
  })
})
