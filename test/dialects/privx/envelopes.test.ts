import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from '../../helpers/world.ts'

/** Who answers for a path that no route takes (contract privx §1.2). */
let world: World
beforeAll(async () => void (world = await startWorld()))
afterAll(() => world.close())

const tooLong = 'a'.repeat(3000)

const ask = async (method: string, url: string, headers: Record<string, string> = {}, payload?: string) => {
  const sent = { method: method as 'GET', url, headers, ...(payload !== undefined && { payload }) }
  const answer = await world.app.inject(sent)
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() }
}

describe.each(['/workflow-engine', '/role-store', '/local-user-store', '/auth/api'])('under %s', (root) => {
  const service = root === '/auth/api' ? `${root}/v1` : `${root}/api/v1`
  test.each([
    ['a path that is no path', 'GET', `${service}/%zz`, 400, 'BAD_REQUEST'],
    ['half of a character', 'GET', `${service}/requests/%E0%A4`, 400, 'BAD_REQUEST'],
    ['the root', 'GET', root, 404, 'NOT_FOUND'],
    ['the root with a query', 'GET', `${root}?a=%zz`, 404, 'NOT_FOUND'],
    ['another version', 'GET', `${service.replace('v1', 'v2')}/status`, 404, 'NOT_FOUND'],
    ['an unknown path', 'GET', `${service}/no/such/path`, 404, 'NOT_FOUND'],
    ['a method that is not there', 'PATCH', `${service}/status`, 404, 'NOT_FOUND'],
    ['a method that nobody has', 'PROPFIND', `${service}/status`, 404, 'NOT_FOUND'],
    ['OPTIONS of a route', 'OPTIONS', `${service}/status`, 404, 'NOT_FOUND'],
    ['OPTIONS of nothing', 'OPTIONS', `${root}/x`, 404, 'NOT_FOUND'],
  ])('%s is refused in the words of this API', async (_what, method, url, status, errorCode) => {
    const answer = await ask(method, url)
    expect(answer).toEqual({ status, body: { error_code: errorCode, error_message: expect.any(String) } })
  })

  test.each([
    ['POST', `${root}/x`, 400],
    ['POST', `${service}/no/such/path`, 400],
    ['PUT', root, 400],
    ['OPTIONS', `${service}/status`, 400],
  ])('%s %s with a body that is no JSON is refused in the words of this API', async (method, url, status) => {
    const answer = await ask(method, url, { 'content-type': 'application/json' }, '{')
    expect(answer).toMatchObject({ status, body: { error_code: 'BAD_REQUEST' } })
  })
})

test.each([
  ['GET', `/workflow-engine/api/v1/requests/${tooLong}`],
  ['DELETE', `/workflow-engine/api/v1/workflows/${tooLong}`],
  ['GET', `/role-store/api/v1/roles/${tooLong}`],
  ['PUT', `/role-store/api/v1/users/${tooLong}/roles`],
  ['GET', `/local-user-store/api/v1/users/${tooLong}`],
  ['GET', `/local-user-store/api/v1/api-clients/${tooLong}`],
])('%s of an id that is too long to be one is 404', async (method, url) => {
  expect(await ask(method, url)).toMatchObject({ status: 404, body: { error_code: 'NOT_FOUND' } })
})

test('a preflight of the web UI is still answered', async () => {
  const origin = new URL(world.ctx.frontendUrl).origin
  const headers = { origin, 'access-control-request-method': 'GET' }
  const url = '/workflow-engine/api/v1/requests'
  expect((await world.app.inject({ method: 'OPTIONS', url, headers })).statusCode).toBe(204)
})

test.each([
  ['GET', '/auth/no-such-path', 404],
  ['GET', '/auth', 404],
  ['GET', '/auth/apiary', 404],
  ['GET', '/workflow-engineering/api/v1/status', 404],
  ['GET', '/x/workflow-engine/api/v1/requests', 404],
  ['GET', '/groups/%zz', 400],
  ['OPTIONS', '/groups', 404],
])('%s %s is answered by the native API', async (method, url, status) => {
  expect(await ask(method, url)).toMatchObject({ status, body: { code: expect.any(String) } })
})
