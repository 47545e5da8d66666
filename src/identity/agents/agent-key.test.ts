import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { newKeyPair, pemOf } from '../../../test/helpers/signing.ts'
import { acceptablePublicKey, agentKeyOf, withKey } from './agent-key.ts'

// RFC 7638 section 3.1 gives this key and its thumbprint.
const example = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
}

describe('the key of an agent', () => {
  it('has the thumbprint of RFC 7638', async () => {
    const pem = pemOf(createPublicKey({ key: example, format: 'jwk' }))
    const key = await agentKeyOf(pem)
    expect(key?.thumbprint).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
    expect(key?.publicKey.export({ format: 'jwk' })).toEqual(example)
    expect(await agentKeyOf(pem)).toBe(key)
  })

  it.each([
    ['nothing', null],
    ['what is no key', 'no key'],
    ['what only looks like one', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
  ])('is none in %s', async (_what, pem) => {
    expect(await agentKeyOf(pem)).toBeNull()
    expect(acceptablePublicKey(pem ?? '')).toBeNull()
  })

  it('is none in a private key, nor behind other text', async () => {
    const { privateKey, publicKey } = await newKeyPair()
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    for (const text of [pem, `${pem}${pemOf(publicKey)}`]) expect(await agentKeyOf(text)).toBeNull()
  })
})

describe('an agent with its key', () => {
  const row = { id: 'id', name: 'bot', dpop_required: false, disabled_at: null }

  it('is one that is there, was not revoked and has a key', async () => {
    const agent = { ...row, public_key: pemOf((await newKeyPair()).publicKey) }
    expect(await withKey(agent)).toEqual({ agent, key: await agentKeyOf(agent.public_key) })
    expect(await withKey(undefined)).toBeNull()
    expect(await withKey({ ...agent, disabled_at: new Date(0) })).toBeNull()
    expect(await withKey({ ...agent, public_key: null })).toBeNull()
  })
})

describe('a key that an agent may be given', () => {
  it.each([
    [3064, 65_537, false],
    [3072, 65_537, true],
    [3072, 3, false],
  ])('RSA of %i bits with the exponent %i: %s', (modulusLength, publicExponent, isAccepted) => {
    const pem = pemOf(generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey)
    expect(acceptablePublicKey(pem)).toBe(isAccepted ? pem : null)
  })

  it.each([
    [8192, true],
    [8200, false],
  ])('RSA of %i bits: %s', (bits, isAccepted) => {
    const n = Buffer.alloc(bits / 8, 0xff).toString('base64url')
    const pem = pemOf(createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' }))
    expect(acceptablePublicKey(pem)).toBe(isAccepted ? pem : null)
  })

  it('is no RSA-PSS or EC key', () => {
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 3072 }).publicKey
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    for (const key of [pss, ec]) expect(acceptablePublicKey(pemOf(key))).toBeNull()
  })
})
