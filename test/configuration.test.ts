import { expect, test } from 'vitest'
import { loadConfig } from '../src/config/config.ts'
import { readEnv } from '../src/config/env.ts'
import { cosignatureType, ed25519Type, verifierKeyText } from '../src/proof/note.ts'

const load = (source: NodeJS.ProcessEnv) => loadConfig(readEnv(source))

test('what is not set has its default', () => {
  const { rateLimit, trustedProxy, frontendUrl, levers } = load({ QUORATE_RATE_LIMIT: ' ', QUORATE_TRUST_PROXY: '' })
  expect({ rateLimit, trustedProxy, frontendUrl }).toEqual({ rateLimit: 600, trustedProxy: null, frontendUrl: null })
  expect(levers.size).toBe(0)
})

test('values are read', () => {
  expect(load({ QUORATE_RATE_LIMIT: '0' }).rateLimit).toBe(0)
  expect(load({ QUORATE_RATE_LIMIT: '50' }).rateLimit).toBe(50)
  expect(load({ QUORATE_TRUST_PROXY: '3' }).trustedProxy).toBe(3)
  const networks = '10.0.0.1, 192.168.0.0/16,fd00::/8,::1'
  expect(load({ QUORATE_TRUST_PROXY: networks }).trustedProxy).toEqual([
    '10.0.0.1',
    '192.168.0.0/16',
    'fd00::/8',
    '::1',
  ])
  expect(load({ QUORATE_FRONTEND_URL: 'https://ui.example/' }).frontendUrl).toBe('https://ui.example')
  expect(load({ QUORATE_PUBLIC_URL: 'https://q.example/' }).frontendUrl).toBe('https://q.example/ui')
})

test('origins of security keys lie at the public URL or below it', () => {
  const origins = (value: string, publicUrl = 'https://approve.example/q') =>
    load({ QUORATE_WEBAUTHN_ORIGINS: value, QUORATE_PUBLIC_URL: publicUrl }).webauthn.origins
  const own = ['https://approve.example:8443', 'https://ui.approve.example']
  expect(origins(` ${own.join(' , ')},${own[0]}`)).toEqual(own)
  expect(origins('http://localhost:5173', 'http://127.0.0.1:8080')).toEqual(['http://localhost:5173'])
  for (const foreign of ['https://evil.example', 'https://notapprove.example', 'https://approve.example.evil.example'])
    expect(() => origins(foreign)).toThrow(/^QUORATE_WEBAUTHN_ORIGINS must have the host of QUORATE_PUBLIC_URL/)
  expect(load({}).webauthn).toEqual({ origins: [], appId: null })
  const appId = 'https://approve.example/app-id.json'
  expect(load({ QUORATE_U2F_APPID: appId }).webauthn.appId).toBe(appId)
})

const [first, second] = [Buffer.alloc(32, 0xfb), Buffer.alloc(32, 2)]
const [base64, other] = [first.toString('base64'), second.toString('base64')]

test.each([
  ['one key', base64, [first]],
  ['one in the alphabet of URLs, without padding', first.toString('base64url'), [first]],
  ['two keys, the first of which seals', `${base64},${other}`, [first, second]],
  ['two with blanks between', `${other} , ${base64}`, [second, first]],
])('QUORATE_MASTER_KEY may hold %s', (_what, value, keys) => {
  const held = load({ QUORATE_MASTER_KEY: value }).masterKeys?.held
  expect(held?.byNumber.get(held.sealing)).toEqual(keys[0])
  expect([...(held?.byNumber.values() ?? [])]).toEqual(keys)
  expect(held?.unnamed).toEqual(keys)
})

const witness = (name: string, fill: number) => verifierKeyText(name, cosignatureType, Buffer.alloc(32, fill))
const [one, two] = [witness('witness.example/1', 1), witness('a=b', 255)]

test('witnesses are read with their addresses, and all of them are the quorum unless it is set', () => {
  const both = `${one}=https://witness.example/log/ , ${two} http://127.0.0.1:8090`
  const { asked, quorum } = load({ QUORATE_WITNESSES: both }).witnesses
  expect(asked.map(({ key, url }) => [key.name, url])).toEqual([
    ['witness.example/1', 'https://witness.example/log'],
    ['a=b', 'http://127.0.0.1:8090'],
  ])
  expect(quorum).toBe(2)
  expect(load({ QUORATE_WITNESSES: both, QUORATE_WITNESS_QUORUM: '1' }).witnesses.quorum).toBe(1)
  expect(load({}).witnesses).toEqual({ asked: [], quorum: 0 })
})

test('without QUORATE_MASTER_KEY there is none', () => {
  expect(load({}).masterKeys).toBeNull()
})

test('a master key has the same number wherever it stands', () => {
  const numbers = (value: string) => [...(load({ QUORATE_MASTER_KEY: value }).masterKeys?.held.byNumber.keys() ?? [])]
  expect(numbers(`${base64},${other}`)).toEqual(numbers(`${other},${base64}`).toReversed())
})

test.each([
  ['QUORATE_MASTER_KEY', 'short'],
  ['QUORATE_MASTER_KEY', first.subarray(1).toString('base64')],
  ['QUORATE_MASTER_KEY', Buffer.alloc(33).toString('base64')],
  ['QUORATE_MASTER_KEY', `${base64},`],
  ['QUORATE_MASTER_KEY', `,${base64}`],
  ['QUORATE_MASTER_KEY', `${base64},short`],
  ['QUORATE_MASTER_KEY', `${base64} ${other}`],
  ['QUORATE_MASTER_KEY', `1:${base64}`],
  ['QUORATE_MASTER_KEY', `${base64},${base64}`],
  ['QUORATE_RATE_LIMIT', 'many'],
  ['QUORATE_RATE_LIMIT', '-1'],
  ['QUORATE_RATE_LIMIT', '1.5'],
  ['QUORATE_RATE_LIMIT', '1e9'],
  ['QUORATE_PUBLIC_URL', 'https://a+b.example'],
  ['QUORATE_TRUST_PROXY', 'true'],
  ['QUORATE_TRUST_PROXY', '0'],
  ['QUORATE_TRUST_PROXY', 'proxy.example'],
  ['QUORATE_TRUST_PROXY', '10.0.0.0/33'],
  ['QUORATE_TRUST_PROXY', '10.0.0.0/8/8'],
  ['QUORATE_TRUST_PROXY', '10.0.0.1,,10.0.0.2'],
  ['QUORATE_TRUST_PROXY', 'fd00::/129'],
  ['QUORATE_FRONTEND_URL', 'ui.example'],
  ['QUORATE_FRONTEND_URL', 'file:///ui'],
  ['QUORATE_LEVERS', 'read_only'],
  ['QUORATE_WEBAUTHN_ORIGINS', 'approve.example'],
  ['QUORATE_WEBAUTHN_ORIGINS', 'https://approve.example/'],
  ['QUORATE_WEBAUTHN_ORIGINS', 'https://APPROVE.example'],
  ['QUORATE_WEBAUTHN_ORIGINS', 'https://approve.example:443'],
  ['QUORATE_WEBAUTHN_ORIGINS', 'http://approve.example'],
  ['QUORATE_WEBAUTHN_ORIGINS', 'https://approve.example,'],
  ['QUORATE_U2F_APPID', 'approve.example'],
  ['QUORATE_U2F_APPID', 'http://approve.example'],
  ['QUORATE_U2F_APPID', 'https://ada@approve.example'],
  ['QUORATE_U2F_APPID', 'https://approve.example#app'],
  ['QUORATE_WITNESSES', 'https://witness.example'],
  ['QUORATE_WITNESSES', one],
  ['QUORATE_WITNESSES', `${one}=witness.example`],
  ['QUORATE_WITNESSES', `${one}=ftp://witness.example`],
  ['QUORATE_WITNESSES', `${one}=https://witness.example?log=1`],
  ['QUORATE_WITNESSES', `${one}=https://witness.example,${one}=https://other.example`],
  ['QUORATE_WITNESSES', `${verifierKeyText('log', ed25519Type, Buffer.alloc(32, 1))}=https://witness.example`],
  ['QUORATE_WITNESSES', `${one.replace('witness', 'other')}=https://witness.example`],
  ['QUORATE_WITNESS_QUORUM', '1'],
])('%s=%s stops the start and is named', (name, value) => {
  expect(() => load({ [name]: value })).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID', field: name, message: expect.stringMatching(name) }),
  )
})

test('the first clients of the PrivX API are the demo’s on the demo, and none elsewhere', () => {
  const demo = load({}).privx
  expect(demo.oauthClient).toEqual({ id: 'privx-external', secret: 'demo-oauth-secret' })
  expect(demo.apiClient).toEqual({ id: '00000000-0000-4000-8000-0000000000a1', secret: 'demo-api-secret' })
  expect(demo.isPublished).toBe(true)
  const nobody = { oauthClient: null, apiClient: null, isPublished: false }
  expect(load({ QUORATE_DEMO: '0' }).privx).toEqual(nobody)
  const own = load({ QUORATE_DEMO: '0', QUORATE_PRIVX_API_CLIENT: 'robot:with:colons' }).privx
  expect(own.apiClient).toEqual({ id: 'robot', secret: 'with:colons' })
})

test.each(['nocolon', ':secret', 'id:', 'an id:secret', 'id:demo-oauth-secret'])(
  'QUORATE_PRIVX_OAUTH_CLIENT %s is refused off the demo',
  (value) => {
    const source = { QUORATE_DEMO: '0', QUORATE_PRIVX_OAUTH_CLIENT: value }
    expect(() => load(source)).toThrow(/^QUORATE_PRIVX_OAUTH_CLIENT /)
  },
)
