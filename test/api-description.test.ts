import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './helpers/world.ts'

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly unknown[]
  readonly requestBody?: { readonly required: boolean }
  readonly responses: Readonly<Record<string, unknown>>
}

type Described = readonly (readonly [name: string, operation: Operation])[]

let world: World
let operations: Described

beforeAll(async () => {
  world = await startWorld()
  operations = await operationsIn('/openapi.json')
})
afterAll(() => world.close())

async function operationsIn(document: string): Promise<Described> {
  const { status, body } = await world.anyone.get(document)
  expect(status).toBe(200)
  const paths = body.paths as Record<string, Record<string, Operation>>
  return Object.entries(paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, it]) => [`${method} ${path}`, it] as const))
    .filter(([name]) => name !== 'get /health')
}

const documents = ['/openapi.json', '/privx/openapi.json', '/fortanix/openapi.json']

describe.each(documents)('%s', (document) => {
  test('describes every call with a summary, a tag, one success and its errors', async () => {
    const poor = (await operationsIn(document)).filter(([, { summary, tags, responses }]) => {
      const successes = Object.keys(responses).filter((status) => /^[23]/.test(status))
      return !summary || !tags?.length || successes.length !== 1 || !('4XX' in responses)
    })
    expect(poor.map(([name]) => name).filter((name) => !refusedAlways.has(name))).toEqual([])
  })

  test('describes what only answers', async () => {
    const calls = await operationsIn(document)
    expect(calls.filter(([name, { requestBody }]) => name.startsWith('get ') && requestBody !== undefined)).toEqual([])
  })
})

test('a body that may be left out is said to be, and any other is not', async () => {
  const [approve, ask] = ['{id}/approve', ''].map((rest) => `post /sys/v1/approval_requests/${rest}`.replace(/\/$/, ''))
  const calls = new Map(await operationsIn('/fortanix/openapi.json'))
  const isNeeded = (name = '') => calls.get(name)?.requestBody?.required
  expect([isNeeded(approve), isNeeded(ask)]).toEqual([false, true])
  expect(JSON.stringify([...calls])).not.toContain('x-')
})

/** In the contract, and not offered. */
const refusedAlways = new Set(['post /sys/v1/session/auth/2fa/u2f'])

test('each call is in one description and no more', async () => {
  const all = (await Promise.all(documents.map(operationsIn))).flat().map(([name]) => name)
  expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([])
})

test('a call that makes something says 201', () => {
  const made = operations.filter(([, { responses }]) => '201' in responses).map(([name]) => name)
  expect(made).toEqual([
    'post /users',
    'post /agents/register',
    'post /v1/api-keys',
    'post /v1/webhook-keys',
    'post /groups',
    'post /spaces',
    'post /organization/{organization}/admins',
    'post /quotas',
    'post /workflows',
    'post /workflow-templates',
  ])
})

test('only signing in, and who signs the log, needs no token', () => {
  const open = operations.filter(([, { security }]) => security?.length === 0).map(([name]) => name)
  expect(open).toEqual([
    'post /auth/cli/initiate',
    'post /auth/cli/token',
    'post /auth/cli/refresh',
    'post /auth/agents/challenge',
    'post /auth/agents/token',
    'post /auth/agents/refresh',
    'get /auth/providers',
    'get /auth/web/login',
    'get /auth/web/callback',
    'post /auth/web/refresh',
    'post /auth/web/logout',
    'get /v1/log/key',
  ])
})

test('a vote is described with its body', () => {
  const [, vote] = operations.find(([name]) => name.endsWith('/vote')) ?? []
  expect(JSON.stringify(vote?.requestBody)).toContain('votedForGroups')
})
