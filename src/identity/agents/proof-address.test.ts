import { expect, it } from 'vitest'
import { isSameAddress } from './proof-address.ts'

const address = 'https://quorate.example/a/b~c%2Fd'

it.each([
  address,
  'HTTPS://QUORATE.EXAMPLE:443/a/b~c%2Fd',
  'https://quorate.example/a/b~c%2fd',
  'https://quorate.example/a/b%7ec%2Fd',
  'https://quorate.example/a/b%7Ec%2Fd',
  'https://quorate.example/%61/b~c%2Fd',
  'https://quorate.example/x/../a/b~c%2Fd?query#fragment',
])('%s is the same address', (htu) => {
  expect(isSameAddress(htu, address)).toBe(true)
  expect(isSameAddress(address, htu)).toBe(true)
})

it.each([
  'http://quorate.example:443/a/b~c%2Fd',
  'https://quorate.example:8443/a/b~c%2Fd',
  'https://other.example/a/b~c%2Fd',
  'https://quorate.example/a/b~c/d',
  'https://quorate.example/a/b~c%2Fd/',
  'https://quorate.example/A/b~c%2Fd',
  'https://quorate.example/a/b~c%252Fd',
])('%s is another address', (htu) => {
  expect(isSameAddress(htu, address)).toBe(false)
})

it('another scheme on the same port is another address', () => {
  expect(isSameAddress('http://localhost:8080/a', 'https://localhost:8080/a')).toBe(false)
})

it.each(['-', '.', '_', '~', '0', 'Z'])('an escaped %s is the character itself', (character) => {
  const escape = `%${character.charCodeAt(0).toString(16)}`
  expect(isSameAddress(`https://q.example/x${escape}y`, `https://q.example/x${character}y`)).toBe(true)
})

it('what is no URL is refused', () => {
  expect(() => isSameAddress('/a', address)).toThrow(expect.objectContaining({ code: 'DPOP_HTU_URL_PARSING_FAILED' }))
})
