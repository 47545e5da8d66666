import { expect, it } from 'vitest'
import { parseBytes } from '../../../src/dialects/fortanix/wire/bytes.ts'

it('base64 is taken in both alphabets, padded or not', () => {
  const bytes = Buffer.from([0xfb, 0xff, 0xbe, 0x01])
  for (const text of ['+/++AQ==', '-_--AQ', '-_--AQ==', '+/++AQ']) expect(parseBytes(text)).toEqual(bytes)
  for (const text of ['+/++AQ=', '+/++A', 'AQ===', '=AQ=', 'A Q=', 'AQ==\n']) expect(parseBytes(text)).toBeNull()
  expect(parseBytes('')).toEqual(Buffer.alloc(0))
})

it('a megabyte of padding is refused as fast as it is read', () => {
  const began = performance.now()
  expect(parseBytes(`${'='.repeat(1_000_000)}x`)).toBeNull()
  expect(parseBytes(`${'A'.repeat(1_000_000)}!`)).toBeNull()
  expect(performance.now() - began).toBeLessThan(1000)
})
