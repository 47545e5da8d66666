import { describe, expect, it } from 'vitest'
import { sealInFirstFormat } from '../../test/helpers/first-format.ts'
import { headerOf, keyNumberOf, ringOf, seal, unseal, type KeyRing } from './secrets.ts'

const key = (fill: number) => Buffer.alloc(32, fill)
const plain = Buffer.from('the secret text')
const [one, other] = [ringOf(key(1)), ringOf(key(2))]
/** Seals with key 7 and opens what 1 sealed. */
const rotated: KeyRing = {
  held: {
    sealing: 7,
    byNumber: new Map([
      [1, key(1)],
      [7, key(7)],
    ]),
    unnamed: [key(1)],
  },
}

describe('a sealed value', () => {
  it('opens to what was sealed, shows none of it, and is another each time', () => {
    const [sealed, again] = [seal(one, plain), seal(one, plain)]
    expect(unseal(one, sealed)).toEqual(plain)
    expect(sealed.includes(plain)).toBe(false)
    expect(sealed.equals(again)).toBe(false)
    expect(unseal(one, seal(one, Buffer.alloc(0)))).toHaveLength(0)
  })

  it('is opened as a plain byte array too, whatever it is a part of', () => {
    const sealed = seal(one, plain)
    const wide = new Uint8Array([9, ...sealed, 9])
    expect(unseal(one, wide.subarray(1, -1))).toEqual(plain)
  })

  it('names the key that sealed it, which any ring that holds it opens', () => {
    const [before, after] = [seal(one, plain), seal(rotated, plain)]
    expect([keyNumberOf(before), keyNumberOf(after)]).toEqual([1, 7])
    expect(after.subarray(0, 5)).toEqual(headerOf(rotated))
    expect([unseal(rotated, before), unseal(rotated, after)]).toEqual([plain, plain])
    expect(() => unseal(one, after)).toThrow('sealed under key 7, which is not at hand')
  })

  it('that is cut within its header names none', () => {
    for (const length of [0, 1, 4]) expect(keyNumberOf(seal(one, plain).subarray(0, length))).toBeNull()
  })

  it('has numbers of 32 bits', () => {
    const number = 0xfedcba98
    const ring: KeyRing = { held: { sealing: number, byNumber: new Map([[number, key(3)]]), unnamed: [] } }
    expect(keyNumberOf(seal(ring, plain))).toBe(number)
    expect(unseal(ring, seal(ring, plain))).toEqual(plain)
  })

  it('does not open under another key of the same number', () => {
    expect(() => unseal(other, seal(one, plain))).toThrow()
  })

  it('does not open when it is said to be sealed under another key, even one with the same bytes', () => {
    const twice: KeyRing = {
      held: {
        sealing: 1,
        byNumber: new Map([
          [1, key(1)],
          [2, key(1)],
        ]),
        unnamed: [],
      },
    }
    const sealed = seal(twice, plain)
    sealed[4] = 2
    expect(() => unseal(twice, sealed)).toThrow()
  })

  it('opens at the place it was sealed for, and at no other', () => {
    const [here, anywhere] = [seal(one, plain, 'here'), seal(one, plain)]
    expect(unseal(one, here, 'here')).toEqual(plain)
    for (const place of [undefined, '', 'her', 'there']) expect(() => unseal(one, here, place)).toThrow()
    expect(() => unseal(one, anywhere, 'here')).toThrow()
  })

  it('does not open with any bit changed', () => {
    const sealed = seal(one, plain)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(() => unseal(one, changed), `bit ${bit}`).toThrow()
    }
  })

  // Of an empty text the tag is the end: a shorter one would be accepted by a cipher that is not told its length.
  it.each([
    ['of a text', plain],
    ['of nothing', Buffer.alloc(0)],
  ])('%s does not open when it is cut anywhere, in either format', (_what, text) => {
    for (const sealed of [seal(one, text), sealInFirstFormat(key(1), text)]) {
      for (let length = 0; length < sealed.length; length++) {
        expect(() => unseal(one, sealed.subarray(0, length)), `${length} bytes`).toThrow()
      }
    }
  })

  it('does not open with something behind it', () => {
    expect(() => unseal(one, Buffer.concat([seal(one, plain), Buffer.of(0)]))).toThrow()
  })
})

describe('a value of the first format', () => {
  it('opens under whichever of the keys from then it was sealed', () => {
    const ring: KeyRing = { held: { sealing: 9, byNumber: new Map(), unnamed: [key(2), key(1)] } }
    for (const fill of [1, 2]) expect(unseal(ring, sealInFirstFormat(key(fill), plain))).toEqual(plain)
    expect(keyNumberOf(sealInFirstFormat(key(1), plain))).toBeNull()
  })

  it('does not open under a later key, nor when it is altered', () => {
    expect(() => unseal(rotated, sealInFirstFormat(key(7), plain))).toThrow()
    const sealed = sealInFirstFormat(key(1), plain)
    sealed.writeUInt8(sealed.readUInt8(sealed.length - 1) ^ 1, sealed.length - 1)
    expect(() => unseal(rotated, sealed)).toThrow()
  })
})

it('what is no sealed value at all is refused', () => {
  for (const bytes of [[], [0], [3, 0, 0, 0, 1], Array(64).fill(0) as number[]]) {
    expect(() => unseal(one, Uint8Array.from(bytes))).toThrow('no sealed value, or one of an unknown format')
  }
})
