import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseBytes, renderBytes } from '../../../src/dialects/fortanix/wire/bytes.ts'
import { renderTime } from '../../../src/dialects/fortanix/wire/times.ts'
import { sendRaw, type Sent } from '../../helpers/fortanix.ts'
import { startWorld, type World } from '../../helpers/world.ts'

let world: World
beforeAll(async () => void (world = await startWorld()))
afterAll(() => world.close())

const auth = '/sys/v1/session/auth'
const wrong = JSON.stringify({ method: 'password', email: 'nobody@example.com', password: 'x' })

describe('an error is one line of plain text', () => {
  const cases: readonly (readonly [string, Sent, number, string])[] = [
    ['a path that is none', { url: '/sys/v1/no/such' }, 404, 'No route GET /sys/v1/no/such.'],
    ['a crypto path that is none', { url: '/crypto/v1/no' }, 404, 'No route GET /crypto/v1/no.'],
    ['a path that cannot be decoded', { url: '/sys/v1/%zz' }, 400, "'/sys/v1/%zz' is not a valid url component"],
    ['another method', { method: 'DELETE', url: auth }, 405, `No method DELETE ${auth}.`],
    ['no credentials', { method: 'POST', url: '/sys/v1/session/refresh' }, 401, 'No credentials were sent.'],
    [
      'a token that is none',
      { method: 'POST', url: '/sys/v1/session/refresh', headers: { authorization: 'Bearer nothing' } },
      401,
      'The session is unknown or has ended.',
    ],
    ['no body where one is needed', { method: 'POST', url: auth }, 401, 'No credentials were sent.'],
    ['half a body', { method: 'POST', url: auth, payload: '{"method":' }, 400, 'The body is not JSON: '],
    ['a body that is a list', { method: 'POST', url: auth, payload: '[]' }, 400, 'The body must be a JSON object.'],
    [
      'a method of signing in that is none of ours',
      { method: 'POST', url: auth, payload: '{"method":"saml","password":"x"}' },
      400,
      'method must be one of password, auth-by-app-name.',
    ],
    [
      'several wrong members at once',
      { method: 'POST', url: auth, payload: '{"method":"password","email":7,"password":null}' },
      400,
      'password is needed. email must be a text.',
    ],
    [
      'a body that is too large',
      { method: 'POST', url: auth, payload: 'x'.repeat(2 ** 20 + 1) },
      400,
      'The body is larger than 1 MiB.',
    ],
    [
      'a NUL in a text',
      { method: 'POST', url: auth, payload: '{"method":"password","email":"\\u0000","password":"x"}' },
      400,
      'Text may not hold a NUL character or half of a surrogate pair.',
    ],
  ]
  it.each(cases)('%s', async (_name, sent, status, text) => {
    const answer = await sendRaw(world, sent)
    expect([answer.status, answer.type]).toEqual([status, 'text/plain'])
    expect(answer.text.startsWith(text), answer.text).toBe(true)
    expect(answer.text).not.toMatch(/[\r\n]|^"|"$/)
  })
})

describe('a body is read as JSON whatever its Content-Type', () => {
  it.each([
    ['none, as the Go client sends it', undefined],
    ['application/json', 'application/json'],
    ['text/plain', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['no media type at all', 'garbage'],
  ])('%s', async (_name, type) => {
    const headers = type === undefined ? {} : { 'content-type': type }
    const answer = await sendRaw(world, { method: 'POST', url: auth, headers, payload: `${wrong}\n` })
    expect([answer.status, answer.text]).toEqual([
      401,
      'The name or the password is wrong, or whoever has them is disabled.',
    ])
  })

  it('takes null for absent, as the Rust client writes it', async () => {
    const payload = JSON.stringify({ ...JSON.parse(wrong), token_type: null })
    expect(await sendRaw(world, { method: 'POST', url: `${auth}?`, payload })).toMatchObject({ status: 401 })
  })
})

describe('times and bytes', () => {
  it('a time is basic ISO 8601 in whole seconds', () => {
    expect(renderTime(new Date('2017-05-09T07:09:12.999Z'))).toBe('20170509T070912Z')
  })

  it.each([
    ['standard, padded', '+/8=', 'fbff'],
    ['standard, not padded', '+/8', 'fbff'],
    ['base64url, not padded', '-_8', 'fbff'],
    ['base64url, padded', '-_8=', 'fbff'],
    ['nothing', '', ''],
  ])('bytes are read: %s', (_name, text, hex) => {
    expect(parseBytes(text)?.toString('hex')).toBe(hex)
  })

  it.each(['a', 'ab=', 'a b', 'ab==c', '====', 'ä', 'abcd='])('no bytes are read from %s', (text) => {
    expect(parseBytes(text)).toBeNull()
  })

  it('bytes are written padded', () => {
    expect(renderBytes(Buffer.from('fbff', 'hex'))).toBe('+/8=')
  })
})
