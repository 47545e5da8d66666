import { expect, it } from 'vitest'
import { isLoopbackRedirect } from './loopback-redirect.ts'

const long = 'http://localhost/'.padEnd(2048, 'a')

it.each([
  'http://localhost',
  'http://localhost/',
  'http://localhost:8976/callback',
  'https://localhost:8976/callback',
  'http://127.0.0.1:1/a/b/c?d=e&f=g',
  'https://127.0.0.1/callback',
  'http://localhost?x=1',
  'http://localhost:65535/ü',
  'http://localhost:8976',
  'https://localhost?x=1&y=http://elsewhere.example/',
  long,
])('a command-line client may be sent back to %s', (uri) => {
  expect(isLoopbackRedirect(uri)).toBe(true)
})

it.each([
  'http://localhost.evil.example/callback',
  'http://evil.example/callback',
  'http://evil.example#@localhost/',
  'http://localhost@evil.example/',
  'http://user:pass@localhost/callback',
  'http://user@127.0.0.1/callback',
  'http://localhost:80@evil.example/',
  'http://localhost./callback',
  'http://127.0.0.1./callback',
  'http://LOCALHOST/callback',
  'HTTP://localhost/callback',
  'http://[::1]:8976/callback',
  'http://127.0.0.2/callback',
  'http://127.1/callback',
  'http://0x7f.0.0.1/callback',
  'http://2130706433/callback',
  'http://0.0.0.0/callback',
  'http://127.0.0.1.nip.io/callback',
  'http://ⓛocalhost/callback',
  'http:\\\\localhost/callback',
  'http://localhost\\@evil.example/',
  'http:localhost/callback',
  'http:///localhost/callback',
  '//localhost/callback',
  'localhost:8976/callback',
  'ftp://localhost/callback',
  'javascript://localhost/%0aalert(1)',
  'custom.app://localhost/callback',
  'http://localhost:99999/callback',
  'http://localhost:/callback#fragment',
  'http://localhost/callback#fragment',
  ' http://localhost/callback',
  'http://localhost/callback\n',
  'http://local\thost/callback',
  `${long}a`,
  'x http://localhost/callback',
  'http://localhost:123456/',
  'http://localhost:8a/',
  'http://localhost/a b',
  'http://localhost/a\\b',
  'http://localhost/a\u0085b',
  'http://localhost/a\u0000b',
  'http://localhostx',
  'http://localhost:80x',
])('a command-line client may not be sent back to %j', (uri) => {
  expect(isLoopbackRedirect(uri)).toBe(false)
})
