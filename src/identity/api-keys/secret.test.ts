import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hashOfSecret, hasKeyForm, newSecret } from './secret.ts'

const id = '01890000-0000-7000-8000-00000000000f'

describe('the secret of an API key', () => {
  it('is its id and 256 random bits, kept as hash and hint', () => {
    const { text, hash, hint } = newSecret(id)
    expect(text).toMatch(/^qk_0189000000007000800000000000000f_[\w-]{43}$/)
    expect(hasKeyForm(text)).toBe(true)
    expect(hash).toBe(createHash('sha256').update(text).digest('hex'))
    expect(hashOfSecret(text)).toBe(hash)
    expect(hint).toBe(text.slice(-4))
    expect(newSecret(id).text).not.toBe(text)
  })

  const random = '-_'.padEnd(43, 'aZ9')
  const digits = id.replaceAll('-', '')
  it.each([
    [`qk_${digits}_${random}`, true],
    [`qk_${digits}_${random}\n`, false],
    [`qk_${digits}_${random}a`, false],
    [`xqk_${digits}_${random}`, false],
    [`qk_${digits}_${random.slice(1)}`, false],
    [`qk_${digits}_${random.slice(1)}+`, false],
    [`qk_${digits}_+${random.slice(1)}`, false],
    [`qk_${digits.slice(1)}_${random}`, false],
    [`qk_${digits}0_${random}`, false],
    [`qk_${digits.slice(1)}g_${random}`, false],
    [`qk_${id}_${random}`, false],
    [`sk_${digits}_${random}`, false],
  ])('%j has the form of one: %s', (text, expected) => {
    expect(hasKeyForm(text)).toBe(expected)
  })
})
