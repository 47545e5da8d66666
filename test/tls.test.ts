import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../src/config/config.ts'
import { listenTls, type TlsListener } from '../src/tls-listener.ts'
import { certificate, certificateKey } from './helpers/certificate.ts'
import { startWorld, type World } from './helpers/world.ts'

const directory = mkdtempSync(join(tmpdir(), 'quorate-tls-'))
const write = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}
const TLS_CERT = write('cert.pem', certificate)
const TLS_KEY = write('key.pem', certificateKey)

let world: World
let listener: TlsListener
beforeAll(async () => {
  world = await startWorld()
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  listener = await listenTls(world.app, world.ctx, { certFile: TLS_CERT, keyFile: TLS_KEY, port: 0 })
})
afterAll(() => world.close())

const get = async (path: string): Promise<{ status: number | undefined; text: string }> =>
  await new Promise((resolve, reject) => {
    const options = { host: 'localhost', port: listener.port, path, ca: certificate, agent: false }
    const sent = request(options, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    sent.on('error', reject).end()
  })

test('the same routes answer over TLS, refusals too', async () => {
  const { status, text } = await get('/workflow-engine/api/v1/status')
  expect([status, JSON.parse(text).status]).toEqual([200, 'OK'])
  expect((await get('/role-store/api/v1/roles')).status).toBe(401)
  expect((await get('/ping')).status).toBe(200)
})

test('a certificate that is not good does not replace the one there is, and a good one does', async () => {
  writeFileSync(TLS_CERT, 'no certificate')
  listener.reload()
  expect((await get('/ping')).status).toBe(200)
  writeFileSync(TLS_CERT, certificate)
  listener.reload()
  expect((await get('/ping')).status).toBe(200)
})

test('once it is closed nobody connects any more, and the plain listener goes on', async () => {
  await listener.close()
  await expect(get('/ping')).rejects.toThrow(/ECONNREFUSED/)
  expect((await world.anyone.get('/ping')).status).toBe(200)
})

const all = { TLS_CERT, TLS_KEY, TLS_PORT: '8443' }
const otherKey = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

test('all three make a listener', () => {
  expect(loadConfig(all).tls).toEqual({ certFile: TLS_CERT, keyFile: TLS_KEY, port: 8443 })
  expect(loadConfig({}).tls).toBeNull()
})

test.each([
  ['TLS_CERT', { TLS_CERT: undefined }],
  ['TLS_KEY', { TLS_KEY: undefined }],
  ['TLS_PORT', { TLS_PORT: undefined }],
  ['TLS_PORT', { TLS_PORT: '70000' }],
  ['TLS_CERT', { TLS_CERT: join(directory, 'missing.pem') }],
  ['TLS_KEY', { TLS_KEY: join(directory, 'missing.pem') }],
  ['TLS_CERT', { TLS_CERT: write('text.pem', 'text') }],
  ['TLS_KEY', { TLS_KEY: write('other.pem', otherKey()) }],
])('the server does not start and names %s: %o', (name, change) => {
  const given = Object.fromEntries(Object.entries({ ...all, ...change }).filter(([, value]) => value !== undefined))
  expect(() => loadConfig(given)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID', field: name }))
})
