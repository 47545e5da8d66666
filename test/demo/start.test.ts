import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { freshDatabase } from '../helpers/fresh-database.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

function start(env: Record<string, string>) {
  const child = spawn(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env } })
  let output = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  return { child, exited, output: () => output, complaint: () => complaint }
}

it('npm start with PORT=0 prints the real address, signs in over it, and stops with 0 on SIGTERM', async () => {
  const env = { PORT: '0', DATABASE_URL: await freshDatabase(), QUORATE_DEMO: '1', LOG_LEVEL: 'error' }
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

it('npm start says in one line why it cannot have its port, its database or its directory', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const port = String((taken.address() as AddressInfo).port)
  const attempts: [Record<string, string>, string][] = [
    [{ QUORATE_DATA_DIR: 'memory://', PORT: port }, 'HOST and PORT'],
    [{ DATABASE_URL: 'postgres://someone:secret@127.0.0.1:1/none', PORT: '0' }, 'DATABASE_URL'],
    [{ QUORATE_DATA_DIR: main, PORT: '0' }, 'QUORATE_DATA_DIR'],
  ]
  for (const [env, variable] of attempts) {
    const server = start({ ...env, QUORATE_DEMO: '0', LOG_LEVEL: 'silent' })
    expect(await server.exited).toBe(1)
    expect(server.complaint()).toMatch(new RegExp(`^quorate: [^\\n]+ \\(see ${variable}\\)\\.\\n$`))
    expect(server.complaint()).not.toContain('secret')
  }
  taken.close()
})
