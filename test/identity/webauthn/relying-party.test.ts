import { expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/config.ts'
import type { RawEnv } from '../../../src/config/env.ts'
import { relyingPartyOf } from '../../../src/identity/webauthn/relying-party.ts'

const at = (publicUrl: string, env: RawEnv = {}) => {
  const { name: _, ...rp } = relyingPartyOf({
    publicUrl,
    config: loadConfig({ QUORATE_DATA_DIR: 'memory://', ...env }),
  })
  return rp
}

it('is the host of the public URL, from its origin', () => {
  expect(at('https://approve.example:8443/quorate')).toEqual({
    id: 'approve.example',
    alsoIds: [],
    origins: ['https://approve.example:8443'],
    appId: 'https://approve.example:8443',
  })
})

it.each(['127.0.0.1', '[::1]'])('is localhost on %s, which no browser takes for an id', (host) => {
  expect(at(`http://${host}:8080`)).toEqual({
    id: 'localhost',
    alsoIds: [host],
    origins: [`http://${host}:8080`, 'http://localhost:8080'],
    appId: `http://${host}:8080`,
  })
})

it('is localhost once where it is called so', () => {
  expect(at('http://localhost')).toMatchObject({ id: 'localhost', alsoIds: [], origins: ['http://localhost'] })
})

it('has the origins and the application id of the configuration', () => {
  const env = {
    QUORATE_WEBAUTHN_ORIGINS: 'https://ui.approve.example, https://approve.example',
    QUORATE_U2F_APPID: 'https://approve.example/app-id.json',
  }
  expect(at('https://approve.example', env)).toMatchObject({
    origins: ['https://approve.example', 'https://ui.approve.example'],
    appId: 'https://approve.example/app-id.json',
  })
})
