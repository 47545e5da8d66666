import { expect, test } from 'vitest'
import { loadConfig } from '../src/config/config.ts'
import { readEnv } from '../src/config/env.ts'

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

test.each([
  ['QUORATE_RATE_LIMIT', 'many'],
  ['QUORATE_RATE_LIMIT', '-1'],
  ['QUORATE_RATE_LIMIT', '1.5'],
  ['QUORATE_RATE_LIMIT', '1e9'],
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
])('%s=%s stops the start and is named', (name, value) => {
  expect(() => load({ [name]: value })).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID', field: name, message: expect.stringMatching(name) }),
  )
})
