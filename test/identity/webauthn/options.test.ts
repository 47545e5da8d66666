import { expect, it } from 'vitest'
import { requestOptions } from '../../../src/identity/webauthn/options.ts'
import { userHandleOf } from '../../../src/identity/webauthn/keys.ts'
import type { SecurityKeyRow } from '../../../src/store/security-keys.ts'

const rp = { id: 'localhost', alsoIds: [], name: 'Quorate', origins: ['http://localhost:8080'] }
const at = new Date('2026-11-21T12:00:00.000Z')
const key = (format: string): SecurityKeyRow => ({
  id: '0198f0c0-1111-7222-8333-444455556666',
  name: 'my key',
  credential_id: userHandleOf('0198f0c0-1111-7222-8333-444455556667'),
  public_key: Buffer.alloc(0),
  counter: '0',
  details: { format, transports: ['usb'], origin: 'http://localhost:8080' },
  created_at: at,
})

it.each([
  ['https://approve.example', ['none', 'fido-u2f'], { appid: 'https://approve.example' }],
  ['https://approve.example', ['none', 'packed'], undefined],
  ['http://localhost:8080', ['none', 'fido-u2f'], undefined],
])('the application id %s is offered to keys registered as %j: %j', (appId, formats, offered) => {
  const { extensions } = requestOptions({ ...rp, appId }, Buffer.alloc(32), formats.map(key))
  expect(extensions).toEqual(offered)
})
