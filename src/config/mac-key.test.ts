import { createHmac, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { macKey, macOf } from './mac-key.ts'

it.each([0, 1, 32, 63, 64])('is the HMAC-SHA-256 of node under a secret of %i bytes', (secretBytes) => {
  const secret = randomBytes(secretBytes)
  for (let length = 0; length < 200; length++) {
    const message = randomBytes(length)
    expect(macOf(macKey(secret), message)).toEqual(createHmac('sha256', secret).update(message).digest())
  }
})

// RFC 4231 section 4.3.
it('is what the RFC says', () => {
  const mac = macOf(macKey(Buffer.from('Jefe')), Buffer.from('what do ya want for nothing?'))
  expect(mac.toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
})

it('takes no secret that is longer than a block', () => {
  expect(() => macKey(Buffer.alloc(65))).toThrow(RangeError)
})
