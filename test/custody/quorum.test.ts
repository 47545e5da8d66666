import { describe, expect, it } from 'vitest'
import { policyOf, reviewersOf } from '../../src/custody/quorum.ts'
import type { QuorumPolicy } from '../../src/custody/quorum-policy.ts'
import { acceptPolicy } from '../../src/kernel/accept.ts'
import { decide, initialState, type Facts, type Outcome, type RequestState } from '../../src/kernel/request.ts'
import type { Assurance, Policy } from '../../src/kernel/rule.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { naiveHolds, naiveReviewers, type NaiveReviewer, type WirePolicy } from './naive-quorum.ts'

const digest = 'a'.repeat(64)
const requester = { principal: 'requester', person: 'requester' }
const users = ['ann', 'bob', 'cat', 'dan', 'eve', 'fay']
const apps = ['app-1', 'app-2']

function randomPolicy(chance: Dice, depth: number): WirePolicy {
  if (depth === 0 || chance.roll(3) === 0) {
    return chance.roll(5) === 0 ? { app: chance.pick(apps) } : { user: chance.pick(users) }
  }
  const drawn = Array.from({ length: 1 + chance.roll(3) }, () => randomPolicy(chance, depth - 1))
  // No leaf twice within one list (§4.1).
  const members = [...new Map(drawn.map((member) => [JSON.stringify(member), member])).values()]
  const flags = {
    ...(chance.roll(3) === 0 && { require_password: true }),
    ...(chance.roll(4) === 0 && { require_2fa: true }),
  }
  return { quorum: { n: 1 + chance.roll(members.length), members, ...flags } }
}

function fromWire(policy: WirePolicy): QuorumPolicy {
  if ('user' in policy) return { kind: 'person', id: policy.user }
  if ('app' in policy) return { kind: 'app', id: policy.app }
  const { n, members, require_password = false, require_2fa = false } = policy.quorum
  return {
    kind: 'quorum',
    n,
    members: members.map(fromWire),
    requiresPassword: require_password,
    requiresSecurityKey: require_2fa,
  }
}

function factsOf(principal: string, approvals: Facts['approvals'] = []): Facts {
  const standing = approvals.filter((approval) => approval.principal === principal)
  const isApp = apps.includes(principal)
  return {
    policyOpen: true,
    approvals,
    voter: {
      principal,
      person: isApp ? null : principal,
      enabled: true,
      hasRight: true,
      inAnyGroup: false,
      groups: [],
      provable: isApp ? ['signature'] : ['stepUp', 'password', 'securityKey'],
      standing,
    },
  }
}

function approve(policy: Policy, state: RequestState, assurance: Assurance[], facts: Facts) {
  return decide(policy, state, { kind: 'vote', vote: { stance: 'approve', assurance, digest }, facts }, 0)
}

const proofsOf = ({ password, twoFactor }: NaiveReviewer): Assurance[] => [
  ...(password ? (['password'] as const) : []),
  ...(twoFactor ? (['securityKey'] as const) : []),
]

/** Approves in this order, trying less than what is asked for before, and compares after each step. */
function compareOrder(policies: readonly WirePolicy[], policy: Policy, order: readonly NaiveReviewer[]): string[] {
  const faults: string[] = []
  let state = initialState(policy, { digest, expiresAt: 1, requester })
  let approvals: Facts['approvals'] = []
  const approvers = new Set<string>()
  for (const reviewer of order) {
    const facts = factsOf(reviewer.id, approvals)
    const needed = proofsOf(reviewer)
    if (state.status === 'open') {
      for (const left of needed) {
        const short = approve(
          policy,
          state,
          needed.filter((proof) => proof !== left),
          facts,
        )
        if (reasonOf(short) !== 'assurance-missing') faults.push(`${reviewer.id} approved without ${left}`)
      }
    }
    const outcome = approve(policy, state, needed, facts)
    if (naiveHolds(policies, approvers)) {
      if (reasonOf(outcome) !== 'terminal') faults.push(`${reviewer.id} approved what was decided`)
      continue
    }
    if (outcome.kind !== 'decided') return [...faults, `${reviewer.id} was refused: ${reasonOf(outcome)}`]
    approvers.add(reviewer.id)
    const seats = outcome.record?.seats ?? []
    const { principal, person } = facts.voter
    approvals = [...approvals, { principal, person, stance: 'approve', seats, assurance: needed, digest, holds: seats }]
    state = outcome.next
    const isDecided = naiveHolds(policies, approvers)
    if ((state.status === 'approved') !== isDecided) faults.push(`after ${[...approvers].join()} ${state.status}`)
    if (isDecided) continue
    const again = approve(policy, state, needed, factsOf(reviewer.id, approvals))
    if (reasonOf(again) !== 'already-voted') faults.push(`${reviewer.id} approved twice`)
  }
  return faults
}

function reasonOf(outcome: Outcome): string {
  return outcome.kind === 'refused' ? outcome.refusal.reason : outcome.kind
}

it('gives the reviewers, their factors and the outcome of the naive reading, in 2,000 nested policies and every order tried', () => {
  const faults: string[] = []
  let orders = 0
  for (let seed = 0; seed < 2000; seed++) {
    const chance = dice(seed)
    const policies = Array.from({ length: 1 + chance.roll(3) }, () => randomPolicy(chance, chance.roll(6)))
    const reviewers = naiveReviewers(policies)
    const found = reviewersOf(policies.map(fromWire))
    expect(
      found.map(({ id, requiresPassword, requiresSecurityKey }) => ({
        id,
        password: requiresPassword,
        twoFactor: requiresSecurityKey,
      })),
    ).toEqual(reviewers)
    const policy = policyOf(policies.map(fromWire), ({ id }) => id, true)
    expect(acceptPolicy(policy)).toMatchObject({ ok: true })
    for (let order = 0; order < 6; order++, orders++) {
      faults.push(...compareOrder(policies, policy, chance.shuffled(reviewers)).map((fault) => `${seed}: ${fault}`))
    }
  }
  expect(faults).toEqual([])
  expect(orders).toBe(12_000)
})

describe('one denial', () => {
  const policy = policyOf(
    [fromWire({ quorum: { n: 1, members: [{ user: 'ann' }, { user: 'bob' }], require_password: true } })],
    ({ id }) => id,
    true,
  )
  const deny = (state: RequestState, facts: Facts) =>
    decide(policy, state, { kind: 'vote', vote: { stance: 'veto', assurance: [], digest }, facts }, 0)

  it('is final and needs no factor', () => {
    const outcome = deny(initialState(policy, { digest, expiresAt: 1, requester }), factsOf('ann'))
    expect(outcome).toMatchObject({ kind: 'decided', next: { status: 'rejected' } })
  })

  it('is for reviewers alone', () => {
    const outcome = deny(initialState(policy, { digest, expiresAt: 1, requester }), factsOf('cat'))
    expect(reasonOf(outcome)).toBe('not-eligible')
  })
})
