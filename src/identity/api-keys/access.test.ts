import { describe, expect, it } from 'vitest'
import type { Actor } from '../actor.ts'
import {
  answersFor,
  maySee,
  notTheirs,
  ownerOf,
  refuseApiKey,
  requireMayHoldSecret,
  requireMayRevoke,
  visibleKeys,
  type KeyOwner,
} from './access.ts'

const actor = (members: Partial<Actor>): Actor => ({
  orgId: 'org',
  principalId: 'cleo',
  kind: 'human',
  sessionId: null,
  stepUp: null,
  once: null,
  personId: 'person of cleo',
  name: 'Cleo',
  email: null,
  isAdmin: false,
  bindings: [],
  rowVersion: '1',
  ...members,
})
const cleo = actor({})
const ada = actor({ principalId: 'ada', personId: 'person of ada', isAdmin: true })
const adminKey = actor({ principalId: 'admin key', personId: null, kind: 'agent', isAdmin: true })
const bot = actor({ principalId: 'bot', kind: 'agent' })
const stray = actor({ principalId: 'stray', kind: 'agent', personId: null })
const impersonal = actor({ principalId: 'impersonal', personId: null })

const ofCleo: KeyOwner = { principalId: 'cleo', kind: 'human', personId: 'person of cleo' }
const ofBot: KeyOwner = { principalId: 'bot', kind: 'agent', personId: 'person of cleo' }
const ofStray: KeyOwner = { principalId: 'stray', kind: 'agent', personId: null }
const ofDan: KeyOwner = { principalId: 'dan', kind: 'human', personId: 'person of dan' }

const refusal = (check: () => void): string | null => {
  try {
    check()
    return null
  } catch (error) {
    return (error as Error).message
  }
}
const theirs = 'Only who answers for the key, or an organization admin, may do this.'
const aPersons = 'A key that acts as a person is theirs alone to make.'

describe('who may do what with an API key', () => {
  it.each<[string, Actor, KeyOwner, boolean, boolean, string | null, string | null]>([
    // who, of whom, answers for it, sees it, may revoke it, may hold its secret
    ['a person with their own', cleo, ofCleo, true, true, null, null],
    ['a person with that of their agent', cleo, ofBot, true, true, null, null],
    ['a person with that of another', cleo, ofDan, false, false, theirs, theirs],
    ['a person with that of nobody’s agent', cleo, ofStray, false, false, theirs, theirs],
    ['someone without a person with that of nobody’s agent', impersonal, ofStray, false, false, theirs, theirs],
    ['an admin with that of a person', ada, ofCleo, false, true, null, aPersons],
    ['an admin with that of an agent', ada, ofBot, false, true, null, null],
    ['the admin key with that of nobody’s agent', adminKey, ofStray, false, true, null, null],
    ['an agent with its own', bot, ofBot, false, true, theirs, theirs],
    ['an agent with that of its person', bot, ofCleo, false, false, theirs, theirs],
    ['an agent with that of another', stray, ofBot, false, false, theirs, theirs],
  ])('%s', (_what, who, owner, answers, sees, revokes, holds) => {
    expect(answersFor(who, owner)).toBe(answers)
    expect(maySee(who, owner)).toBe(sees)
    expect(refusal(() => requireMayRevoke(who, owner))).toBe(revokes)
    expect(refusal(() => requireMayHoldSecret(who, owner))).toBe(holds)
  })

  it('the list shows admins everyone’s, people theirs and their agents’, anyone else their own', () => {
    expect([ada, adminKey].map(visibleKeys)).toEqual([null, null])
    expect(visibleKeys(cleo)).toEqual({ personId: 'person of cleo' })
    expect([bot, impersonal].map(visibleKeys)).toEqual([{ principalId: 'bot' }, { principalId: 'impersonal' }])
  })

  it('a key itself may not do what makes, renews or ends keys', () => {
    expect(refusal(() => refuseApiKey({ machine: { kind: 'api-key', id: 'k', scopes: [] } }))).toBe(
      'An API key may not do this: sign in.',
    )
    expect(refusal(() => refuseApiKey({ machine: { kind: 'admin-key' } }))).toBeNull()
    expect(refusal(() => refuseApiKey({}))).toBeNull()
    expect(() => refuseApiKey({ machine: { kind: 'api-key', id: 'k', scopes: [] } })).toThrow(
      expect.objectContaining({ code: 'REQUESTOR_NOT_AUTHORIZED' }),
    )
  })

  it('all refusals have one code, and a row says whose key it is', () => {
    expect(notTheirs().code).toBe('REQUESTOR_NOT_AUTHORIZED')
    expect(() => requireMayHoldSecret(ada, ofCleo)).toThrow(
      expect.objectContaining({ code: 'REQUESTOR_NOT_AUTHORIZED' }),
    )
    const row = { principal_id: 'bot', kind: 'agent', person_id: 'person of cleo' } as Parameters<typeof ownerOf>[0]
    expect(ownerOf(row)).toEqual(ofBot)
  })
})
