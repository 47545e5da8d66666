import { expect, it } from 'vitest'
import { browserBinding, callerBinding } from './flow-binding.ts'
import { challengeOf, hashOfState, newState, newVerifier, nonceOf, verifierLength } from './pkce.ts'

const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

it('the challenge is that of RFC 7636 appendix B', () => {
  expect(challengeOf(verifier)).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
})

it('a state and a verifier are random, of 128 and 256 bits', () => {
  expect(Buffer.from(newState(), 'base64url')).toHaveLength(16)
  expect(Buffer.from(newVerifier(), 'base64url')).toHaveLength(32)
  expect(newVerifier()).toHaveLength(verifierLength)
  expect([newState(), newVerifier()]).not.toEqual([newState(), newVerifier()])
})

it('what is made of one secret is of another for each purpose, and none is the secret', () => {
  const makers = [challengeOf, nonceOf, browserBinding, (text: string) => callerBinding('org', text)]
  const made = makers.map((make) => make(verifier))
  expect(new Set([...made, verifier]).size).toBe(made.length + 1)
  for (const text of made) expect(text).toMatch(/^[\w-]{43}$/)
  for (const make of makers) expect(make('another')).not.toBe(make(verifier))
})

it('a state is known by its hash alone, and a caller by their organization too', () => {
  expect(hashOfState('state')).toMatch(/^[\w-]{43}$/)
  expect(hashOfState('state')).not.toBe(hashOfState('another'))
  expect(callerBinding('one', 'id')).not.toBe(callerBinding('other', 'id'))
})
