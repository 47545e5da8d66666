import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { all, any, atLeast, seats } from '../../test/kernel/cases/case.ts'
import { crowdOf, holdsDistinctly, missingPerSet, setOf, sufficientSets, votersMissing } from './matching.ts'
import { holds, neededBy } from './quorum.ts'
import { leavesOf, type Rule } from './rule.ts'

/** Tries every way of putting each voter into one of their leaves, or into none. */
function bruteForce(rule: Rule, voters: readonly ReadonlySet<number>[], counts: readonly number[] = []): boolean {
  const [voter, ...others] = voters
  if (!voter) return holds(rule, (leaf, index) => (counts[index] ?? 0) >= neededBy(leaf))
  const with_ = (leaf: number) => leavesOf(rule).map((_, index) => (counts[index] ?? 0) + Number(index === leaf))
  return [-1, ...voter].some((leaf) => bruteForce(rule, others, with_(leaf)))
}

const rules: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ n: fc.integer({ min: 1, max: 2 }) }).map(({ n }) => all(seats(n, 'a'), seats(1, 'b'), seats(1, 'c'))),
  fc
    .record({ n: fc.integer({ min: 1, max: 3 }), m: fc.integer({ min: 1, max: 2 }) })
    .map(({ n, m }) => atLeast(n, seats(1, 'a'), any(seats(2, 'b'), seats(m, 'c')), all(seats(1, 'd'), seats(1, 'a')))),
)
const votersOf = fc.array(fc.uniqueArray(fc.nat(4), { maxLength: 3 }), { maxLength: 5 })

describe('distinct people', () => {
  test('fill a rule exactly when some way of seating them does', () => {
    fc.assert(
      fc.property(rules, votersOf, (rule, given) => {
        const leaves = leavesOf(rule).length
        const voters = given.map((seated) => new Set(seated.filter((leaf) => leaf < leaves)))
        expect(holdsDistinctly(rule, voters)).toBe(bruteForce(rule, voters))
      }),
    )
  })

  test('are missing by as many as would have to come who could sit anywhere', () => {
    fc.assert(
      fc.property(rules, votersOf, (rule, given) => {
        const leaves = leavesOf(rule)
        const voters = given.map((seated) => new Set(seated.filter((leaf) => leaf < leaves.length)))
        const missing = votersMissing(rule, crowdOf(leaves.length, voters))
        const more = (n: number) => [...voters, ...Array.from({ length: n }, () => new Set(leaves.keys()))]
        expect(holdsDistinctly(rule, more(missing))).toBe(true)
        if (missing > 0) expect(holdsDistinctly(rule, more(missing - 1))).toBe(false)
      }),
    )
  })

  test('are counted in sets of leaves', () => {
    expect([setOf([]), setOf([0]), setOf([0, 2]), setOf([15])]).toEqual([0, 1, 5, 32768])
    expect([...crowdOf(2, [new Set([1]), new Set([0, 1]), new Set([1])])]).toEqual([0, 0, 2, 1])
    expect([...sufficientSets(atLeast(2, seats(1, 'a'), seats(1, 'b'), any(seats(1, 'c'))))]).toEqual([
      0, 0, 0, 1, 0, 1, 1, 1,
    ])
    expect([...missingPerSet([seats(2, 'a'), seats(1, 'b')], crowdOf(2, [new Set([0, 1])]))]).toEqual([0, 1, 0, 2])
  })

  test('are never missing by less than none, however many come', () => {
    expect([...missingPerSet([seats(1, 'a')], crowdOf(1, [new Set([0]), new Set([0]), new Set()]))]).toEqual([0, 0])
  })

  test('fill sixteen leaves with sixteen people and not with fifteen, whatever they could fill', () => {
    const rule = all(...Array.from({ length: 16 }, (_, index) => seats(1, `g${index}`)))
    const voters = Array.from({ length: 16 }, (_, index) => new Set([index, (index + 1) % 16]))
    expect(holdsDistinctly(rule, voters)).toBe(true)
    expect(holdsDistinctly(rule, voters.slice(1))).toBe(false)
  })

  test('fill no rule of more leaves than can be counted', () => {
    const rule = any(...Array.from({ length: 17 }, () => seats(1, 'a')))
    expect(holdsDistinctly(rule, [new Set([0])])).toBe(false)
  })
})
