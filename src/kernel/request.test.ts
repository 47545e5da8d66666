import { describe, expect, test } from 'vitest'
import { all, everyday, policyOf, seat, seats } from '../../test/kernel/cases/case.ts'
import {
  decide,
  initialState,
  type Facts,
  type RequestState,
  type StandingApproval,
  type VoterFacts,
} from './request.ts'
import type { Policy, PolicyOptions } from './rule.ts'

const security = seat('security')
const vote = { stance: 'approve', assurance: [], digest: 'd' } as const

function voter(principal: string, more: Partial<VoterFacts> = {}): VoterFacts {
  const may = { enabled: true, hasRight: true, inAnyGroup: true, groups: ['security'], provable: [], standing: [] }
  return { principal, person: principal, ...may, ...more }
}
function approval(principal: string, more: Partial<StandingApproval> = {}): StandingApproval {
  return {
    principal,
    person: principal,
    stance: 'approve',
    seats: [security],
    holds: [security],
    assurance: [],
    digest: 'd',
    ...more,
  }
}
function begun(policy: Policy, more: Partial<RequestState> = {}): RequestState {
  return {
    ...initialState(policy, { digest: 'd', expiresAt: 1000, requester: { principal: 'ada', person: 'ada' } }),
    ...more,
  }
}
function ask(options: Partial<PolicyOptions>, approvals: number, facts: Partial<Facts> = {}) {
  const policy = policyOf({ stages: [seats(2, 'security')], options })
  const state = begun(policy, { tally: { approvals: [approvals], vetoes: 0 } })
  return decide(policy, state, { kind: 'vote', vote, facts: { policyOpen: true, voter: voter('ben'), ...facts } }, 1)
}

describe('a request begins', () => {
  test('open, in its first stage, with nothing standing', () => {
    const policy = policyOf({ stages: [all(seats(1, 'a'), seats(1, 'b'))] })
    expect(begun(policy)).toEqual({
      status: 'open',
      stage: 0,
      seq: 0,
      digest: 'd',
      expiresAt: 1000,
      requester: { principal: 'ada', person: 'ada' },
      tally: { approvals: [0, 0], vetoes: 0 },
    })
  })
})

describe('a vote', () => {
  test('says what to store and what changed, the passing of a stage before the status', () => {
    expect(ask({}, 1, { approvals: [approval('cleo')] })).toMatchObject({
      effects: [
        { kind: 'stage-passed', stage: 0, by: 'quorum' },
        { kind: 'status-changed', from: 'open', to: 'approved' },
      ],
      record: { seq: 1, stage: 0, seats: [security] },
    })
  })

  test('has no effects while nothing is decided', () => {
    expect(ask({}, 0)).toMatchObject({ kind: 'decided', next: { status: 'open', seq: 1 }, effects: [] })
  })

  test('asks for the approvals only when the tally says that they could be enough', () => {
    expect(ask({}, 0)).toMatchObject({ kind: 'decided' })
    expect(ask({}, 1)).toEqual({ kind: 'needs-approvals' })
    expect(ask({ recheckEligibility: false }, 1)).toMatchObject({ kind: 'decided', next: { status: 'approved' } })
    expect(ask({ recheckEligibility: false, distinctPeople: true }, 1)).toEqual({ kind: 'needs-approvals' })
    expect(ask({ recheckEligibility: false, naturalPersons: true }, 1)).toEqual({ kind: 'needs-approvals' })
  })

  test('is counted instead of what its principal voted before, whichever way the approvals are given', () => {
    expect(ask({}, 1, { approvals: [approval('ben')] })).toMatchObject({ next: { status: 'open' } })
    expect(ask({}, 1, { approvals: [approval('ben'), approval('cleo')] })).toMatchObject({
      next: { status: 'approved' },
    })
  })

  test.each<[string, Partial<PolicyOptions>, Partial<StandingApproval>]>([
    ['who no longer holds the seat', {}, { holds: [] }],
    ['who did not name the seat', {}, { seats: [] }],
    ['who voted on other content', {}, { digest: 'other' }],
    ['who vetoed', { veto: 'ignored' }, { stance: 'veto' }],
    ['who withdrew', {}, { stance: 'withdraw' }],
    ['who asked for it', {}, { principal: 'ada' }],
    ['who answers to who asked for it', { naturalPersons: true }, { person: 'ada' }],
    ['who answers to the voter', { naturalPersons: true }, { person: 'ben' }],
  ])('is not joined by someone %s', (_, options, other) => {
    expect(ask(options, 1, { approvals: [approval('cleo', other)] })).toMatchObject({ next: { status: 'open' } })
  })

  test('is joined by someone who has lost the seat where eligibility is fixed at the vote', () => {
    const options = { recheckEligibility: false, distinctPeople: true }
    expect(ask(options, 1, { approvals: [approval('cleo', { holds: [] })] })).toMatchObject({
      next: { status: 'approved' },
    })
  })

  test('is not joined by one without the proof that the seat demands', () => {
    const policy = policyOf({ stages: [seats(2, 'security', 'stepUp')] })
    const state = begun(policy, { tally: { approvals: [1], vetoes: 0 } })
    const after = (approvals: readonly StandingApproval[]) => {
      const facts = { policyOpen: true, voter: voter('ben', { provable: ['stepUp'] }), approvals }
      return decide(policy, state, { kind: 'vote', vote: { ...vote, assurance: ['stepUp'] }, facts }, 1)
    }
    expect(after([approval('cleo')])).toMatchObject({ next: { status: 'open' } })
    expect(after([approval('cleo', { assurance: ['stepUp'] })])).toMatchObject({ next: { status: 'approved' } })
  })

  test('names each seat once', () => {
    const facts = { policyOpen: true, voter: voter('ben') }
    const policy = policyOf({ stages: [all(seats(2, 'security'), seats(3, 'security'))] })
    const record = (seatsNamed?: readonly (typeof security)[]) =>
      decide(
        policy,
        begun(policy),
        { kind: 'vote', vote: { ...vote, ...(seatsNamed && { seats: seatsNamed }) }, facts },
        1,
      )
    expect(record()).toMatchObject({ record: { seats: [security] } })
    expect(record([security, { ...security }])).toMatchObject({ record: { seats: [security] } })
  })

  test('is refused to who asked, also when somebody has come to answer for them since', () => {
    const policy = policyOf({ stages: [seats(2, 'security')], options: { naturalPersons: true } })
    const state = begun(policy, { requester: { principal: 'ben', person: null } })
    const facts = { policyOpen: true, voter: voter('ben', { person: 'cleo' }) }
    expect(decide(policy, state, { kind: 'vote', vote, facts }, 1)).toMatchObject({
      refusal: { reason: 'requester-excluded' },
    })
  })

  test('is not let in by a group that is called like the voter', () => {
    const policy = policyOf({ stages: [seats(1, 'ben')] })
    const facts = { policyOpen: true, voter: voter('ben', { inAnyGroup: false, groups: [] }) }
    expect(decide(policy, begun(policy), { kind: 'vote', vote, facts }, 1)).toMatchObject({
      refusal: { because: 'no-group' },
    })
  })

  test('takes from the tally only what stands on the present content', () => {
    const policy = policyOf({ stages: [seats(3, 'security')] })
    const after = (digest: string, stance: 'approve' | 'veto') => {
      const standing = [approval('ben', { digest, stance })]
      const state = begun(policy, { tally: { approvals: [2], vetoes: 1 } })
      const facts = { policyOpen: true, voter: voter('ben', { standing }) }
      const outcome = decide(policy, state, { kind: 'vote', vote: { ...vote, stance: 'withdraw' }, facts }, 1)
      return outcome.kind === 'decided' ? outcome.next.tally : outcome
    }
    expect(after('d', 'approve')).toEqual({ approvals: [1], vetoes: 1 })
    expect(after('d', 'veto')).toEqual({ approvals: [2], vetoes: 0 })
    expect(after('other', 'approve')).toEqual({ approvals: [2], vetoes: 1 })
    expect(after('other', 'veto')).toEqual({ approvals: [2], vetoes: 1 })
  })
})

describe('a command', () => {
  const policy: Policy = {
    stages: [
      { binding: false, rule: seats(1, 'security') },
      { binding: true, rule: seats(1, 'security') },
    ],
    options: everyday,
  }

  test('closes an advisory stage', () => {
    expect(decide(policy, begun(policy), { kind: 'close-stage' }, 1)).toEqual({
      kind: 'decided',
      next: { ...begun(policy), stage: 1 },
      effects: [{ kind: 'stage-passed', stage: 0, by: 'command' }],
    })
  })

  test('closes no stage that is not there', () => {
    const refused = { kind: 'refused', refusal: { reason: 'stage-not-advisory' } }
    expect(decide(policy, begun(policy, { stage: 7 }), { kind: 'close-stage' }, 1)).toEqual(refused)
  })

  test('amends what is decided on, and not to the same again', () => {
    const voted = begun(policy, { status: 'rejected', seq: 3, tally: { approvals: [0], vetoes: 1 } })
    expect(decide(policy, { ...voted, stage: 1 }, { kind: 'amend', digest: 'e' }, 1)).toEqual({
      kind: 'decided',
      next: { ...begun(policy), seq: 3, digest: 'e' },
      effects: [{ kind: 'status-changed', from: 'rejected', to: 'open' }],
    })
    expect(decide(policy, voted, { kind: 'amend', digest: 'd' }, 1)).toEqual({
      kind: 'decided',
      next: voted,
      effects: [],
    })
  })

  test('cancels', () => {
    expect(decide(policy, begun(policy), { kind: 'cancel' }, 1)).toEqual({
      kind: 'decided',
      next: { ...begun(policy), status: 'canceled' },
      effects: [{ kind: 'status-changed', from: 'open', to: 'canceled' }],
    })
  })
})
