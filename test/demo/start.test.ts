import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { freePort } from '../helpers/free-port.ts'
import { emptyDatabase, freshDatabase } from '../helpers/fresh-database.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

function start(env: Record<string, string>) {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, [main], { env: { PATH, NODE_COMPILE_CACHE, ...env } })
  let output = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  return { child, exited, output: () => output, complaint: () => complaint }
}

it('npm start with PORT=0 prints the real address, signs in over it, and stops with 0 on SIGTERM', async () => {
  const env = { PORT: '0', DATABASE_URL: await emptyDatabase(), QUORATE_DEMO: '1', LOG_LEVEL: 'error' }
  const server = start(env)
  await expect.poll(server.output, { timeout: 30_000 }).toContain('npm run demo')
  const base = /ready at (http:\/\/127\.0\.0\.1:\d+)\n/.exec(server.output())?.[1] ?? ''
  const answer = await fetch(`${base}/auth/cli/initiate`, {
    method: 'POST',
    body: JSON.stringify({ redirectUri: 'http://localhost:1/' }),
  })
  const { authorizationUrl } = (await answer.json()) as { authorizationUrl: string }
  expect(authorizationUrl.startsWith(`${base}/oidc/auth?`)).toBe(true)
  const callback = await fetch(`${authorizationUrl}&login_hint=eli@example.com`, { redirect: 'manual' })
  const { searchParams } = new URL(callback.headers.get('location') ?? '')
  const proof = { code: searchParams.get('code'), state: searchParams.get('state') }
  const tokens = await fetch(`${base}/auth/cli/token`, { method: 'POST', body: JSON.stringify(proof) })
  expect(tokens.status).toBe(200)

  const browser = await fetch(`${base}/`, { headers: { accept: 'text/html,*/*' }, redirect: 'manual' })
  expect([browser.status, browser.headers.get('location')]).toEqual([302, '/docs'])
  const script = await fetch(`${base}/`)
  expect([script.status, await script.json()]).toEqual([404, { code: 'NOT_FOUND', message: 'No route GET /.' }])

  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
  // Nothing but the message: the embedded provider's own warnings are dealt with, not printed.
  expect(server.complaint()).toBe('')
  expect(server.output()).not.toMatch(/WARNING|NOTICE/)
})

it.each<[string, Record<string, string>]>([
  ['HOST=0.0.0.0', { HOST: '0.0.0.0' }],
  ['NODE_ENV=production', { NODE_ENV: 'production' }],
])('npm start with %s and no OIDC_ISSUER exits with 1, naming the variable', async (_what, env) => {
  const server = start({ QUORATE_DATA_DIR: 'memory://', PORT: '0', ...env })
  expect(await server.exited).toBe(1)
  expect(server.complaint()).toMatch(/^quorate: OIDC_ISSUER is required/)
})

it('npm start on a port that is in use says so in one line and exits with 1', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const env = { DATABASE_URL: await freshDatabase(), QUORATE_DEMO: '0', LOG_LEVEL: 'silent' }
  const server = start({ ...env, PORT: String(port) })
  expect(await server.exited).toBe(1)
  expect(server.complaint()).toBe(
    `quorate: Port ${port} of 127.0.0.1 is in use. Stop what listens there, or set PORT.\n`,
  )
  other.close()
})

it('npm start without its PostgreSQL says so in one line and exits with 1', async () => {
  const server = start({ DATABASE_URL: `postgres://quorate@127.0.0.1:${await freePort()}/quorate`, PORT: '0' })
  expect(await server.exited).toBe(1)
  expect(server.complaint()).toMatch(
    /^quorate: PostgreSQL cannot be reached at DATABASE_URL \(.*ECONNREFUSED.*\)\. .*\n$/,
  )
})

it('npm start without the master key that the store was made under says so in one line and exits with 1', async () => {
  const env = { DATABASE_URL: await freshDatabase(), PORT: '0', LOG_LEVEL: 'error' }
  const masterKey = Buffer.alloc(32, 7).toString('base64')
  const first = start({ ...env, QUORATE_MASTER_KEY: masterKey })
  await expect.poll(first.output, { timeout: 30_000 }).toContain('ready')
  first.child.kill('SIGTERM')
  expect(await first.exited).toBe(0)

  const without = start(env)
  expect(await without.exited).toBe(1)
  expect(without.complaint()).toMatch(/^quorate: QUORATE_MASTER_KEY is missing: .*\n$/)
  const other = start({ ...env, QUORATE_MASTER_KEY: Buffer.alloc(32, 8).toString('base64') })
  expect(await other.exited).toBe(1)
  expect(other.complaint()).toMatch(/^quorate: QUORATE_MASTER_KEY is not the one .*\n$/)
})
