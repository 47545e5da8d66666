import { describe, expect, test } from 'vitest'
import { all, any, policyOf, seat, seats } from '../../test/kernel/cases/case.ts'
import { isSatisfiable, unsatisfiable } from './satisfiable.ts'

const sizes = (given: Record<string, number>) =>
  Object.entries(given).map(([name, eligible]) => ({ seat: seat(name), eligible }))

describe('a policy warns', () => {
  test('of nothing when every group is large enough', () => {
    const policy = policyOf({ stages: [all(seats(2, 'security'), seats(1, '@fay'))] })
    expect(unsatisfiable(policy, sizes({ security: 2, '@fay': 1 }))).toEqual([])
  })

  test('of each branch that nobody can satisfy, in every stage', () => {
    const policy = policyOf({
      stages: [any(seats(3, 'security'), seats(1, 'finance')), all(seats(1, 'finance'), seats(1, '@fay'))],
    })
    expect(unsatisfiable(policy, sizes({ security: 2, finance: 1 }))).toEqual([
      { path: 'stages[0].rule.of[0]', needed: 3, available: 2 },
      { path: 'stages[1].rule', needed: 2, available: 1 },
      { path: 'stages[1].rule.of[1]', needed: 1, available: 0 },
    ])
    expect(isSatisfiable(policy, 0, sizes({ security: 2, finance: 1 }))).toBe(true)
    expect(isSatisfiable(policy, 1, sizes({ security: 2, finance: 1 }))).toBe(false)
  })

  test('of a group too small for all the seats that different people must fill', () => {
    const rule = all(seats(2, 'security'), seats(1, 'finance'), seats(1, 'security'))
    const distinct = policyOf({ stages: [rule], options: { distinctPeople: true } })
    expect(unsatisfiable(distinct, sizes({ security: 2, finance: 1 }))).toEqual([
      { path: 'stages[0].rule', needed: 4, available: 3 },
    ])
    expect(unsatisfiable(distinct, sizes({ security: 3, finance: 1 }))).toEqual([])
    expect(unsatisfiable(policyOf({ stages: [rule] }), sizes({ security: 2, finance: 1 }))).toEqual([])
    expect(isSatisfiable(distinct, 0, sizes({ security: 2, finance: 1 }))).toBe(false)
  })

  test('once of a branch at the root, distinct people or not', () => {
    const distinct = policyOf({ stages: [seats(2, 'security')], options: { distinctPeople: true } })
    expect(unsatisfiable(distinct, sizes({ security: 1 }))).toEqual([
      { path: 'stages[0].rule', needed: 2, available: 1 },
    ])
    expect(unsatisfiable(distinct, [])).toEqual([{ path: 'stages[0].rule', needed: 2, available: 0 }])
  })

  test('of a small branch beside a stage that has too few people', () => {
    const rule = any(all(seats(1, 'security'), seats(1, 'security')), seats(2, 'finance'))
    const distinct = policyOf({ stages: [rule], options: { distinctPeople: true } })
    expect(unsatisfiable(distinct, sizes({ security: 1, finance: 1 }))).toEqual([
      { path: 'stages[0].rule', needed: 2, available: 1 },
      { path: 'stages[0].rule.of[1]', needed: 2, available: 1 },
    ])
  })
})
