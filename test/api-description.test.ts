import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from './helpers/world.ts'

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly unknown[]
  readonly requestBody?: unknown
  readonly responses: Readonly<Record<string, unknown>>
}

let world: World
let operations: readonly (readonly [name: string, operation: Operation])[]

beforeAll(async () => {
  world = await startWorld()
  const { body } = await world.anyone.get('/openapi.json')
  const paths = body.paths as Record<string, Record<string, Operation>>
  operations = Object.entries(paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, it]) => [`${method} ${path}`, it] as const))
    .filter(([name]) => name !== 'get /health')
})
afterAll(() => world.close())

test('every call is described with a summary, a tag, one success and its errors', () => {
  const poor = operations.filter(([, { summary, tags, responses }]) => {
    const successes = Object.keys(responses).filter((status) => status.startsWith('2') || status === '302')
    return !summary || !tags?.length || successes.length !== 1 || !('4XX' in responses)
  })
  expect(poor.map(([name]) => name)).toEqual([])
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
