import { expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { parseNewGroup } from '../../../src/dialects/fortanix/wire/groups.ts'
import { parseInvitation } from '../../../src/dialects/fortanix/wire/users.ts'

const refusalOf = (read: () => unknown): AppError => {
  try {
    read()
  } catch (error) {
    if (error instanceof AppError) return error
  }
  throw new Error('nothing was refused')
}

it('of a body that is nothing but problems not all are told', () => {
  const wrong = (count: number) => ({
    user_email: 'ada@example.com',
    account_role: Array.from({ length: count }, () => 0),
  })
  expect(refusalOf(() => parseInvitation(wrong(3))).violations).toHaveLength(4)
  expect(refusalOf(() => parseInvitation(wrong(9000))).violations).toHaveLength(100)
  const many = refusalOf(() => parseInvitation(wrong(500_000)))
  expect(many.violations[0]?.message).toBe('account_role must have at most 10000 elements.')
})

it('a quorum of far too many is refused without comparing each with each', () => {
  const members = Array.from({ length: 10_000 }, () => ({ app: '0192f0c0-0000-7000-8000-000000000000' }))
  const began = performance.now()
  const policy = { quorum: { n: 1, members } }
  expect(refusalOf(() => parseNewGroup({ name: 'g', approval_policy: policy })).message).toContain('at most 100')
  expect(performance.now() - began).toBeLessThan(250)
})
