import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { importKey } from '../../../src/custody/crypto/import.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'der' })
const jwk = privateKey.export({ format: 'jwk' })
const bytesOf = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')

/** The key with one of its numbers changed in its last bit. */
function bent(number: string | undefined): Buffer {
  const [bytes, copy] = [bytesOf(number), Buffer.from(pkcs1)]
  const last = copy.indexOf(bytes) + bytes.length - 1
  copy[last] = (copy[last] ?? 0) ^ 1
  return copy
}

it('numbers that do not belong together are no key', () => {
  expect(importKey('RSA', pkcs1).sizeBits).toBe(2048)
  for (const number of [jwk.n, jwk.p]) {
    expect(() => importKey('RSA', bent(number))).toThrow('do not belong together')
  }
})

it('nor is a public key of which nothing can be encrypted', () => {
  const even = createPrivateKey({ key: bent(jwk.n), format: 'der', type: 'pkcs1' })
  const { n, e } = even.export({ format: 'jwk' })
  const integer = (bytes: Buffer) => Buffer.concat([Buffer.of(2, 0x82, 1, 1, 0), bytes])
  const body = Buffer.concat([integer(bytesOf(n)), Buffer.of(2, 3), bytesOf(e)])
  const der = Buffer.concat([Buffer.of(0x30, 0x82, body.length >> 8, body.length & 0xff), body])
  expect(() => importKey('RSA', der)).toThrow('do not belong together')
})
