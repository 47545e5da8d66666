import { afterAll, beforeAll, expect, test } from 'vitest'
import { privxDialect } from '../../../src/dialects/privx/plugin.ts'
import { engine, step } from '../../helpers/access.ts'
import {
  faultsOf as faultsOfCalls,
  long,
  mutated,
  oddBodies,
  oddMembers,
  oddTexts,
  routesOf as routesOfDialect,
  type OddCall,
} from '../../helpers/odd-input.ts'
import {
  auth,
  oauthClient,
  basicOf,
  password,
  roleStore,
  startPrivx,
  userStore,
  type PrivxWorld,
} from '../../helpers/privx.ts'

let privx: PrivxWorld
let scene: { readonly role: string; readonly workflow: string; readonly request: string; readonly user: string }
let client: string

beforeAll(async () => {
  privx = await startPrivx({ env: { QUORATE_MAIL_TIMEOUT: '1' } })
  const { admin } = privx
  const idOf = async (path: string, body: object): Promise<string> => (await admin.post(path, body)).body.id
  const role = await privx.role('fuzzed')
  const user = await privx.user('fuzzed', [role])
  const steps = [step('ANY', role)]
  const workflow = await idOf(`${engine}/workflows`, { name: 'fuzzed', target_roles: [{ id: role }], steps })
  const request = (await user.post(`${engine}/requests`, { requested_role: { id: role }, action: 'REMOVE' })).body.id
  client = await idOf(`${userStore}/api-clients`, { name: 'fuzzed' })
  scene = { role, workflow, request, user: user.id }
})
afterAll(() => privx.close())

const faultsOf = async (calls: Generator<OddCall>) =>
  await faultsOfCalls(
    privx.world,
    calls,
    { authorization: `Bearer ${privx.admin.token}`, 'content-type': 'application/json' },
    ({ text }) => /^\{"error(?:_code)?":/.test(text),
  )
const routesOf = async (...methods: OddCall['method'][]) =>
  await routesOfDialect(privxDialect, privx.world.ctx, ...methods)

/** A body that is right, of each route that takes one. */
function bodies(): Readonly<Record<string, unknown>> {
  const role = { id: scene.role, name: '' }
  const terms = { grant_type: 'FLOATING', grant_start: '', grant_end: '', floating_length: 8 }
  const held = [{ ...role, explicit: true, implicit: false, ...terms }]
  const roleBody = { name: 'fuzzed', comment: '', permissions: ['x'], access_group_id: '', context: { a: [1] } }
  const user = {
    username: 'fuzzed',
    full_name: 'F',
    display_name: 'F',
    email: 'f@example.com',
    tags: ['a'],
    attributes: [{ key: 'a', value: 'b' }],
    // One that is none: to hash one for every call would take longer than all the rest.
    password: { password: '' },
  }
  const workflow = {
    name: 'fuzzed',
    comment: '',
    action: 'BOTH',
    grant_types: ['PERMANENT', 'FLOATING'],
    max_floating_duration: 0,
    max_time_restricted_duration: 0,
    target_roles: [role],
    requester_roles: [role],
    requestor_roles: [],
    requires_justification: false,
    max_active_requests: 1,
    can_bypass_revoke_workflow: false,
    steps: [{ id: '', name: '', match: 'ANY', approvers: [{ id: '', role }] }],
  }
  const question = {
    requested_role: role,
    target_user: { id: scene.user },
    workflow: scene.workflow,
    action: 'GRANT',
    request_justification: '',
    comment: '',
    ...terms,
    requested_grant_type: 'FLOATING',
    requested_grant_start: '',
    requested_floating_length: 8,
  }
  const settings = { smtp_server: '', smtp_server_port: 0, smtp_server_enabled: false, smtp_server_password: 'x' }
  return {
    [`${engine}/workflows`]: workflow,
    [`${engine}/workflows/:id`]: workflow,
    [`${engine}/requests`]: question,
    [`${engine}/requests/search`]: { keywords: 'x', start_time: '', end_time: '2026-01-01T00:00:00Z', filter: 'all' },
    [`${engine}/requests/:id/decision`]: { step: 0, decision: 'APPROVED', comment: '', ...terms },
    [`${engine}/requests/:id/role/revoke`]: {},
    [`${engine}/settings`]: { ...settings, smtp_retry_attempts: 1, request_role_max_approvers: 10 },
    [`${engine}/testsmtp`]: settings,
    [`${auth}/oauth/token`]: {},
    [`${auth}/oauth/clientcredentials/privx-external/token`]: {
      grant_type: 'client_credentials',
      client_id: 'x',
      client_secret: 'x',
    },
    [`${auth}/login`]: { username: 'fuzzed', password, token: 'x' },
    [`${auth}/token/login`]: { token: 'x', client_id: 'x', scope: '' },
    [`${auth}/logout`]: {},
    [`${roleStore}/roles`]: roleBody,
    [`${roleStore}/roles/:id`]: roleBody,
    [`${roleStore}/roles/search`]: { name: ['x'], keywords: 'x' },
    [`${roleStore}/roles/resolve`]: ['x', 'y'],
    [`${roleStore}/users/search`]: { keywords: 'x', source: 'LOCAL', user_id: [scene.user] },
    [`${roleStore}/users/:id/roles`]: held,
    [`${userStore}/users`]: user,
    [`${userStore}/users/:id`]: user,
    [`${userStore}/users/:id/password`]: { password },
    [`${userStore}/api-clients`]: { name: 'x', roles: held },
    [`${userStore}/api-clients/:id`]: { name: 'x', roles: held },
    [`${userStore}/api-clients/search`]: { keywords: 'x', sortkey: 'name', sortdir: 'ASC', limit: 1, offset: 0 },
  }
}

const idFor = (url: string): string => {
  if (url.includes('/workflows/')) return scene.workflow
  if (url.includes('/requests/')) return scene.request
  if (url.includes('/roles/:id')) return scene.role
  return url.includes('/api-clients/') ? client : scene.user
}

test('every route that takes a body is among those that are tried', async () => {
  const urls = (await routesOf('POST', 'PUT')).map(({ url }) => url)
  expect([...new Set(urls)].toSorted()).toEqual(Object.keys(bodies()).toSorted())
})

test('a body that is something odd, as a whole or in a member, is no fault', async () => {
  const known = bodies()
  const routes = (await routesOf('POST', 'PUT')).filter(({ url }) => url !== `${auth}/logout`)
  function* calls(): Generator<OddCall> {
    for (const { method, url } of routes) {
      const at = { method, url: url.replace(':id', idFor(url)) }
      for (const payload of oddBodies) yield { ...at, payload }
      for (const payload of mutated(known[url], oddMembers)) yield { ...at, payload }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('a text of a megabyte in a member is no fault', async () => {
  const known = bodies()
  const routes = await routesOf('POST', 'PUT')
  function* calls(): Generator<OddCall> {
    for (const { method, url } of routes) {
      const body = known[url] as Record<string, unknown>
      const at = { method, url: url.replace(':id', idFor(url)) }
      for (const name of Object.keys(body)) {
        for (const length of [long.length - 10_000, long.length]) {
          yield { ...at, payload: JSON.stringify({ ...body, [name]: long.slice(0, length) }) }
        }
      }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('odd members of a query are no fault', async () => {
  const names = ['offset', 'limit', 'sortkey', 'sortdir', 'filter', 'username', 'id', '%00']
  const lists = /\/(?:workflows|roles|requests|users|api-clients|members|search)$/
  const routes = (await routesOf('GET', 'POST')).filter(({ method, url }) =>
    method === 'GET' ? lists.test(url) : url.endsWith('/search'),
  )
  function* calls(): Generator<OddCall> {
    for (const { method, url } of routes) {
      const path = url.replace(':id', idFor(url))
      const payload = method === 'POST' ? { payload: '{}' } : {}
      for (const name of names) {
        const filter = name === 'filter' ? '' : '&filter=all'
        for (const text of oddTexts) yield { method, url: `${path}?${name}=${text}${filter}`, ...payload }
        yield { method, url: `${path}?${name}=1&${name}=2`, ...payload }
      }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('odd ids in a path are no fault', async () => {
  const routes = (await routesOf('GET', 'POST', 'PUT', 'DELETE')).filter(({ url }) => url.includes(':id'))
  function* calls(): Generator<OddCall> {
    for (const { method, url } of routes) {
      const payload = method === 'POST' || method === 'PUT' ? { payload: '{}' } : {}
      for (const text of oddTexts) yield { method, url: url.replace(':id', text), ...payload }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('odd members of an authorization are no fault', async () => {
  const right = {
    client_id: 'privx-ui',
    redirect_uri: '/privx/oauth-callback',
    response_type: 'code',
    state: 'x',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  }
  function* calls(): Generator<OddCall> {
    for (const name of Object.keys(right)) {
      const others = new URLSearchParams(right)
      others.delete(name)
      for (const text of oddTexts) {
        yield { method: 'GET', url: `${auth}/oauth/authorize?${others.toString()}&${name}=${text}` }
      }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('odd forms and odd Basic headers at the token endpoint are no fault', async () => {
  const right = { grant_type: 'password', username: 'fuzzed', password, client_id: 'privx-ui', code: 'x', scope: '' }
  const forms = ['', '&', '=', '%', '%zz=%zz', 'grant_type', 'grant_type=password&grant_type=password', '{}', 'null']
  const grants = ['password', 'authorization_code', 'refresh_token', 'none']
  const names = ['username', 'password', 'client_id', 'redirect_uri', 'code', 'code_verifier', 'refresh_token', 'scope']
  const form = { 'content-type': 'application/x-www-form-urlencoded', authorization: basicOf(oauthClient) }
  const headers = [
    '',
    'Basic',
    'Basic !!!',
    'Basic AAAA',
    `Basic ${btoa('\0:\0')}`,
    `Basic ${btoa(':')}`,
    `Basic ${long.slice(0, 8000)}`,
    `Bearer ${privx.admin.token}`,
  ]
  function* calls(): Generator<OddCall> {
    const at = { method: 'POST', url: `${auth}/oauth/token` } as const
    for (const payload of forms) yield { ...at, payload, headers: form }
    for (const grant of grants) {
      for (const name of names) {
        for (const text of oddTexts) {
          const others = new URLSearchParams({ ...right, grant_type: grant })
          others.delete(name)
          yield { ...at, payload: `${others.toString()}&${name}=${text}`, headers: form }
        }
      }
    }
    const payload = new URLSearchParams(right).toString()
    for (const authorization of headers) yield { ...at, payload, headers: { ...form, authorization } }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('what was taken of all that is read again, and nothing was broken', async () => {
  const routes = (await routesOf('GET')).filter(({ url }) => !url.endsWith('*') && !url.includes('authorize'))
  for (const { url } of routes) {
    const { status } = await privx.admin.get(`${url.replace(':id', idFor(url))}?filter=all`)
    expect([url, [200, 404].includes(status)]).toEqual([url, true])
  }
})
