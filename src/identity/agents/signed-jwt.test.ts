import type { KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { newKeyPair, pemOf, sign, signedText } from '../../../test/helpers/signing.ts'
import { agentKeyOf, type AgentKey } from './agent-key.ts'
import { isSignedBy, readJwt, type UnverifiedJwt } from './signed-jwt.ts'

const encoded = (part: string | Buffer) => Buffer.from(part).toString('base64url')
const read = (header: string | Buffer, claims: string | Buffer, signature = 'c2ln') =>
  readJwt(`${encoded(header)}.${encoded(claims)}.${signature}`)

describe('reading a JWT', () => {
  it('gives header and claims, also of one that is not signed', () => {
    const text = `${encoded('{"alg":"none"}')}.${encoded('{"iss":"bot"}')}.`
    expect(readJwt(text)).toEqual({ text, header: { alg: 'none' }, claims: { iss: 'bot' } })
  })

  it('reads every character of base64url', () => {
    const claims = '{"a":"~~~???>>>"}'
    expect(encoded(claims)).toMatch(/[-_]/)
    expect(read('{}', claims, '-_')?.claims).toEqual({ a: '~~~???>>>' })
  })

  it.each([
    ['two parts', 'e30.e30'],
    ['four parts', 'e30.e30.c2ln.c2ln'],
    ['no header', '.e30.c2ln'],
    ['no claims', 'e30..c2ln'],
    ['something before it', ' e30.e30.c2ln'],
    ['something after it', 'e30.e30.c2ln,'],
    ['padding', 'e30=.e30.c2ln'],
    ['nothing in it', ''],
  ])('gives null for a text with %s', (_what, text) => {
    expect(readJwt(text)).toBeNull()
  })

  it.each(['{', '[]', 'null', '7', '"{}"', '{"a":1,"a":2}'])('gives null where a part is %s', (part) => {
    expect(read('{}', part)).toBeNull()
    expect(read(part, '{}')).toBeNull()
  })

  it('gives null for bytes that are not UTF-8 (RFC 8725 §3.7)', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')])
    expect(read('{}', bytes)).toBeNull()
  })

  it('reads 32 KiB and not a character more', () => {
    const text = `e30.e30.${'x'.repeat(32 * 1024 - 8)}`
    expect(readJwt(text)).not.toBeNull()
    expect(readJwt(`${text}x`)).toBeNull()
  })
})

describe('the signature of a JWT', () => {
  let privateKey: KeyObject
  let key: AgentKey
  beforeAll(async () => {
    const pair = await newKeyPair()
    privateKey = pair.privateKey
    key = (await agentKeyOf(pemOf(pair.publicKey))) as AgentKey
  })
  const isSigned = async (text: string) => await isSignedBy(key, readJwt(text) as UnverifiedJwt)

  it('is RS256 by this key and nothing else', async () => {
    expect(await isSigned(await sign(privateKey, {}))).toBe(true)
    expect(await isSigned(await sign((await newKeyPair()).privateKey, {}))).toBe(false)
    for (const alg of ['RS384', 'PS256']) expect(await isSigned(await sign(privateKey, {}, { alg }))).toBe(false)
  })

  it('counts for nothing beside an extension that has to be understood (RFC 7515 §4.1.11)', async () => {
    expect(await isSigned(signedText(privateKey, '{"alg":"RS256","b64":true,"crit":["b64"]}', '{}'))).toBe(false)
    expect(await isSigned(signedText(privateKey, '{"alg":"RS256","b64":true}', '{}'))).toBe(true)
  })
})
