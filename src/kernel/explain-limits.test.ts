import { describe, expect, test } from 'vitest'
import { all, any, atLeast, policyOf, seat, seats } from '../../test/kernel/cases/case.ts'
import { explain } from './explain.ts'
import { initialState } from './request.ts'
import type { Rule } from './rule.ts'

const DIGEST = { digest: 'd', expiresAt: 1000, requester: { principal: 'ada', person: 'ada' } }

describe('at the limits an explanation', () => {
  const named = (n: number) => Array.from({ length: n }, (_, index) => `g${index}`)
  /** The same every time, without being regular. */
  const pick = (seed: number, from: number) => (Math.imul(seed + 1, 2654435761) >>> 8) % from
  function at(rule: Rule, holds: (index: number) => readonly string[], distinctPeople = false, listed = 1000) {
    const policy = policyOf({ stages: [rule], options: { distinctPeople } })
    const candidates = Array.from({ length: listed }, (_, index) => ({
      principal: `p${index}`,
      person: null,
      holds: holds(index).map(seat),
    }))
    const facts = { approvals: [], candidates, candidatesComplete: true, seatSizes: [] }
    return explain(policy, initialState(policy, DIGEST), facts, 1).pending
  }
  const groups990 = named(990)
  const groups1000 = named(1000)

  test('finds the smallest sets where one seat needs hundreds', () => {
    const pending = at(seats(500, 'g0'), () => ['g0'])
    expect(pending).toMatchObject({ exact: true })
    expect(pending?.finishing.map((set) => set.length)).toEqual(Array.from({ length: 20 }, () => 500))
  })

  test('tries people who are alike once, be there hundreds of them', () => {
    const branch = all(...named(200).map((group) => seats(1, group)))
    const pending = at(any(seats(2, 'c'), branch), (index) => (index < 990 ? ['g0'] : ['c']))
    expect(pending).toMatchObject({ exact: true })
    expect(pending?.finishing[0]).toEqual(['p990', 'p991'])
    expect(pending?.finishing).toHaveLength(20)
  })

  test('gives one way to finish where the smallest would take too much work, and says so', () => {
    const pending = at(all(...groups990.map((group) => seats(1, group))), (index) => [`g${index % 990}`])
    expect(pending).toMatchObject({ exact: false, inexactBecause: 'too-much-work', nobodyCan: false })
    expect(pending?.finishing).toEqual([Array.from({ length: 990 }, (_, index) => `p${index}`)])
  })

  test('goes for the branches that are short of the fewest', () => {
    const branch = (from: number, n: number) =>
      atLeast(20, ...groups990.slice(from, from + 30).map((group) => seats(n, group)))
    const pending = at(any(branch(0, 5), branch(100, 2), branch(200, 40)), (index) =>
      [0, 1].map((more) => `g${pick(2 * index + more, 300)}`),
    )
    expect(pending).toMatchObject({ exact: false, inexactBecause: 'too-much-work' })
    expect(pending?.finishing).toHaveLength(1)
    expect(pending?.finishing[0]?.length).toBeLessThanOrEqual(40)
  })

  test('looks at a thousand candidates and at what they hold up to a limit, and says so', () => {
    expect(at(seats(1, 'g0'), () => ['g0'], false, 1000)).toMatchObject({ exact: true })
    expect(at(seats(1, 'g0'), () => ['g0'], false, 1001)).toMatchObject({
      exact: false,
      inexactBecause: 'candidates-incomplete',
    })
    expect(at(seats(51, 'g0'), () => groups1000, false, 60)).toMatchObject({
      exact: false,
      inexactBecause: 'candidates-incomplete',
      finishing: [],
    })
    expect(at(seats(50, 'g0'), () => groups1000, false, 60)?.finishing).toHaveLength(1)
  })

  test('answers for sixteen seats of distinct people', () => {
    const sixteen = all(...named(16).map((group) => seats(1, group)))
    expect(at(sixteen, () => named(16), true)).toMatchObject({ nobodyCan: false })
    expect(at(sixteen, () => named(15), true)).toMatchObject({ nobodyCan: true, exact: true })
  })
})
