import { expect, test } from 'vitest'
import { policyOf, seats } from '../../test/kernel/cases/case.ts'
import { isTerminal, statusAt } from './expiry.ts'
import { decide, initialState } from './request.ts'

const policy = policyOf({ stages: [seats(1, 'security')] })
const until = (expiresAt: number) =>
  initialState(policy, { digest: 'd', expiresAt, requester: { principal: 'ada', person: null } })

test('a request is expired from the very instant of its deadline on', () => {
  expect([998, 999, 1000, 1001].map((now) => statusAt(policy, until(1000), now))).toEqual([
    'open',
    'open',
    'expired',
    'expired',
  ])
})

test('a request without end never expires, and one whose deadline is no time always has', () => {
  expect(statusAt(policy, until(Infinity), Number.MAX_SAFE_INTEGER)).toBe('open')
  expect(statusAt(policy, until(Number.NaN), 0)).toBe('expired')
})

test('a decided request stays what it is', () => {
  expect(statusAt(policy, { ...until(1000), status: 'approved' }, 2000)).toBe('approved')
  expect(statusAt(policy, { ...until(1000), status: 'canceled' }, 2000)).toBe('canceled')
})

test('a rejection is the end only where a denial is final', () => {
  const rejected = { ...until(1000), status: 'rejected' } as const
  expect(isTerminal(policy, until(1000))).toBe(false)
  expect(isTerminal(policy, rejected)).toBe(false)
  expect(isTerminal(policyOf({ stages: [seats(1, 'security')], options: { veto: 'final' } }), rejected)).toBe(true)
})

test('the clock is what makes a request expired, once', () => {
  const outcome = decide(policy, until(1000), { kind: 'clock' }, 1000)
  expect(outcome).toEqual({
    kind: 'decided',
    next: { ...until(1000), status: 'expired' },
    effects: [{ kind: 'status-changed', from: 'open', to: 'expired' }],
  })
})
