import { afterAll, beforeAll, expect, test } from 'vitest'
import { fortanixDialect } from '../../../src/dialects/fortanix/plugin.ts'
import { Authenticator } from '../../helpers/authenticator.ts'
import {
  assertionOf,
  attestationOf,
  basic,
  callsWith,
  expectStatus,
  password,
  sendRaw,
  startFortanix,
  type FortanixUser,
  type FortanixWorld,
} from '../../helpers/fortanix.ts'
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

let scene: FortanixWorld
let ada: FortanixUser
let ben: FortanixUser
let account: string
let group: string
let app: string
let key: string
let request: string
let count = 0

beforeAll(async () => {
  scene = await startFortanix()
  ada = await scene.signUp('Ada')
  ben = await scene.signUp('Ben')
  account = await scene.account(ada, 'Vault')
  await scene.join(ada, ben, account)
  const made = async (url: string, body: object) => expectStatus(await ada.post(url, body), 201)
  group = (await made('/sys/v1/groups', { name: 'keys' })).group_id
  app = (await made('/sys/v1/apps', { name: 'robot', add_groups: { [group]: ['SIGN'] } })).app_id
  const guarded = (await made('/sys/v1/groups', { name: 'guarded', approval_policy: { user: ada.id } })).group_id
  request = (await made('/sys/v1/approval_requests', deferred(guarded))).request_id
  key = (await made('/crypto/v1/keys', { name: 'key', group_id: group, obj_type: 'AES', key_size: 128 })).kid
})
afterAll(() => scene[Symbol.asyncDispose]())

const faultsOf = async (calls: Generator<OddCall>) =>
  await faultsOfCalls(
    scene.world,
    calls,
    { authorization: `Bearer ${ada.token}` },
    ({ text, type }) => type === 'text/plain' && /^[^\s"{].*[^\s"]$/.test(text) && !/[\r\n]/.test(text),
  )
const routesOf = async (...methods: OddCall['method'][]) =>
  await routesOfDialect(fortanixDialect, scene.world.ctx, ...methods)

/** Of nobody, so that it is never set. */
const policy = () => {
  const user = '00000000-0000-7000-8000-00000000dead'
  const inner = { quorum: { n: 1, members: [{ user }, { app }], require_password: true, require_2fa: false } }
  return { quorum: { n: 1, members: [inner, { user }], require_password: false, require_2fa: true } }
}

/** A body that is right, of each route that takes one, but for a member that keeps it from changing much. */
const bodies: Readonly<Record<string, () => Readonly<Record<string, unknown>>>> = {
  'POST /sys/v1/session/auth': () => ({
    method: 'auth-by-app-name',
    acct_id: account,
    name: 'robot',
    email: 'x@example.com',
    password: 'x',
    token_type: 'Bearer',
  }),
  'POST /sys/v1/session/select_account': () => ({ acct_id: account }),
  'POST /sys/v1/session/refresh': () => ({}),
  'POST /sys/v1/session/reauth': () => ({}),
  'POST /sys/v1/session/auth/2fa/fido2': () => assertion(),
  'POST /sys/v1/session/auth/2fa/u2f': () => ({ keyHandle: 'AA', signatureData: 'AA', clientData: 'AA' }),
  'POST /sys/v1/session/auth/2fa/recovery_code': () => ({ recovery_code: 'x' }),
  'POST /sys/v1/session/config_2fa/auth': () => ({ password: 'x' }),
  'POST /sys/v1/session/config_2fa/new_challenge': () => ({}),
  'POST /sys/v1/session/config_2fa/terminate': () => ({}),
  'POST /sys/v1/users': () => ({
    user_email: 'ada@example.com',
    user_password: password,
    first_name: 'A',
    last_name: 'B',
    recaptcha_response: '',
  }),
  'POST /sys/v1/users/invite': () => ({
    user_email: 'ben@example.com',
    account_role: ['ACCOUNTMEMBER', 'STATEENABLED'],
    first_name: 'A',
    last_name: 'B',
    user_password: password,
  }),
  'POST /sys/v1/users/process_invite': () => ({ accepts: [account], rejects: [] }),
  'POST /sys/v1/users/generate_recovery_codes': () => ({}),
  'PATCH /sys/v1/users/:id': () => ({
    account_role: ['ACCOUNTMEMBER', 'STATEENABLED'],
    enable: true,
    first_name: 'A',
    last_name: 'B',
    add_groups: { [group]: ['GROUPADMINISTRATOR'] },
    mod_groups: {},
    del_groups: { [group]: ['GROUPADMINISTRATOR'] },
    add_mfa_devices: [{ name: 'x', attestationResult: attestation() }],
    rename_mfa_devices: [{ old_name: 'x', new_name: 'y' }],
    del_mfa_devices: [{ name: 'x' }],
  }),
  'POST /sys/v1/accounts': () => ({ ...settings(), approval_policy: { policy: policy(), manage_groups: true } }),
  'PATCH /sys/v1/accounts/:id': () => ({ ...settings(), approval_policy: { policy: policy(), manage_groups: true } }),
  'POST /sys/v1/groups': () => ({ name: name(), description: 'x', approval_policy: groupPolicy() }),
  'PATCH /sys/v1/groups/:id': () => ({ name: 'keys', description: 'x', approval_policy: groupPolicy() }),
  'POST /sys/v1/apps': () => ({
    name: 'robot',
    description: 'x',
    app_type: 'default',
    role: 'crypto',
    add_groups: { [group]: ['SIGN'] },
    default_group: group,
  }),
  'PATCH /sys/v1/apps/:id': () => ({
    name: 'robot',
    description: 'x',
    enabled: true,
    default_group: group,
    add_groups: { [group]: ['SIGN'] },
    mod_groups: { [group]: ['VERIFY'] },
    del_groups: [],
  }),
  'POST /sys/v1/apps/:id/reset_secret': () => ({ secret_size: 32 }),
  'POST /sys/v1/approval_requests': () => deferred(group),
  'POST /sys/v1/approval_requests/:id/approve': () => ({
    // With answers of both kinds, so that it is never approved.
    password: 'x',
    u2f: { keyHandle: 'AA', signatureData: 'AA', clientData: 'AA' },
    fido2_auth_request: assertion(),
    body: { a: 1 },
  }),
  'POST /sys/v1/approval_requests/:id/deny': () => ({ reason: 'x' }),
  'POST /sys/v1/approval_requests/:id/challenge': () => ({}),
  'POST /sys/v1/approval_requests/:id/result': () => ({}),
  'POST /crypto/v1/keys': () => ({
    ...newKey(),
    key_size: 128,
    elliptic_curve: null,
    pub_exponent: null,
    transient: false,
  }),
  'PUT /crypto/v1/keys': () => ({ ...newKey(), value: Buffer.alloc(16).toString('base64') }),
  'POST /crypto/v1/keys/info': () => ({ kid: key, name: null }),
  'POST /crypto/v1/keys/export': () => ({ kid: key, name: null }),
  'PATCH /crypto/v1/keys/:id': () => ({
    name: 'key',
    description: 'x',
    enabled: true,
    key_ops: ['ENCRYPT', 'DECRYPT'],
    group_id: group,
  }),
  'POST /crypto/v1/keys/:id/destroy': () => ({}),
  'POST /crypto/v1/keys/:id/revoke': () => ({ code: 'Superseded', message: 'x' }),
  'POST /crypto/v1/sign': () => ({ ...toSign() }),
  'POST /crypto/v1/verify': () => ({ ...toSign(), signature: 'AAAA' }),
  'POST /crypto/v1/encrypt': () => ({ key: { kid: key }, alg: 'AES', mode: 'GCM', plain: 'AAAA', ...aead() }),
  'POST /crypto/v1/decrypt': () => ({ key: { kid: key }, alg: 'AES', mode: 'GCM', cipher: 'AAAA', ...aead() }),
  'POST /crypto/v1/mac': () => ({ key: { kid: key }, alg: 'SHA256', data: 'AAAA' }),
}

const deferred = (id: string) => ({
  method: 'PATCH',
  operation: `/sys/v1/groups/${id}`,
  body: { description: 'x' },
  description: 'x',
})
const name = () => `name ${++count}`
const ceremony = { challenge: 'AAAA', rpId: 'example.com' }
const assertion = () => ({ ...assertionOf(scene.world, new Authenticator(), ceremony) })
const attestation = () => attestationOf(scene.world, new Authenticator(), ceremony.challenge, ceremony.rpId)
const settings = () => ({
  name: 'Vault',
  description: 'x',
  approval_request_expiry: 60,
  retain_expired_requests: true,
  log_expired_pending_requests: true,
  check_access_for_sensitive_operation_results: true,
})
const groupPolicy = () => ({
  ...policy(),
  protect_permissions: ['DELETE_SOBJECTS'],
  protect_manage_operations: true,
  protect_crypto_operations: true,
})
const newKey = () => ({
  name: 'key',
  description: 'x',
  group_id: group,
  obj_type: 'AES',
  key_ops: ['ENCRYPT'],
  enabled: true,
})
const toSign = () => ({
  key: { kid: key },
  hash_alg: 'SHA256',
  data: 'AAAA',
  hash: null,
  mode: { PSS: { mgf: { mgf1: { hash: 'SHA256' } } } },
})
const aead = () => ({ iv: 'AAAAAAAAAAAAAAAA', ad: 'AAAA', tag: 'AAAAAAAAAAAAAAAAAAAAAA', tag_len: 128 })

/** What ends the session that all of this is called with. */
const terminate = 'POST /sys/v1/session/terminate'

const idFor = (url: string): string => {
  if (url.includes('/users/')) return ben.id
  if (url.includes('/approval_requests/')) return request
  if (url.includes('/accounts/')) return account
  if (url.includes('/groups/')) return group
  return url.includes('/apps/') ? app : key
}

async function takingBodies(): Promise<{ method: OddCall['method']; url: string; body: Record<string, unknown> }[]> {
  const routes = await routesOf('POST', 'PUT', 'PATCH')
  return routes.flatMap(({ method, url }) => {
    const body = bodies[`${method} ${url}`]
    return body === undefined ? [] : [{ method, url: url.replace(':id', idFor(url)), body: body() }]
  })
}

test('every route that takes a body is among those that are tried', async () => {
  const routes = (await routesOf('POST', 'PUT', 'PATCH')).map(({ method, url }) => `${method} ${url}`)
  expect(routes.toSorted()).toEqual([...Object.keys(bodies), terminate].toSorted())
})

test('a body that is something odd, as a whole or in a member, is no fault', { timeout: 120_000 }, async () => {
  const routes = await takingBodies()
  function* calls(): Generator<OddCall> {
    for (const { body, ...at } of routes) {
      for (const payload of oddBodies) yield { ...at, payload }
      for (const payload of mutated(body, oddMembers)) yield { ...at, payload }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('an operation that is asked for with something odd in it is no fault', { timeout: 60_000 }, async () => {
  const at = { method: 'POST', url: '/sys/v1/approval_requests' } as const
  const routes = await routesOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
  function* calls(): Generator<OddCall> {
    for (const { method, url } of routes) {
      const asking = (operation: string) => JSON.stringify({ method, operation, body: '\u2603' })
      const body = bodies[`${method} ${url}`]?.() ?? {}
      const whole = asking(url.replace(':id', idFor(url)))
      for (const odd of [...oddBodies.filter((text) => text.length < 10_000), ...mutated(body, oddMembers)])
        yield { ...at, payload: whole.replace('"\u2603"', () => odd) }
      for (const text of oddTexts) {
        yield { ...at, payload: asking(url.replace(':id', text)) }
        yield { ...at, payload: asking(`${url.replace(':id', idFor(url))}?group_permissions=${text}`) }
      }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('a text of a megabyte in a member is no fault', async () => {
  const routes = await takingBodies()
  function* calls(): Generator<OddCall> {
    for (const { body, ...at } of routes) {
      for (const member of Object.keys(body)) {
        for (const length of [long.length - 10_000, long.length])
          yield { ...at, payload: JSON.stringify({ ...body, [member]: long.slice(0, length) }) }
      }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('an error is one line, whatever lines were sent', async () => {
  const broken = 'a\r\nb\u2028c'
  const sent: readonly (readonly ['post' | 'patch', string, unknown])[] = [
    ['post', '/sys/v1/apps', { name: 'x', add_groups: { [broken]: [] } }],
    ['patch', `/sys/v1/apps/${app}`, { mod_groups: { [broken]: ['SIGN'] } }],
    ['patch', `/sys/v1/users/${ben.id}`, { add_groups: { [broken]: [] } }],
  ]
  for (const [method, url, body] of sent) {
    const answer = await ada[method](url, body)
    expect(answer).toMatchObject({ status: 400, type: 'text/plain', text: expect.stringContaining('a b') })
    expect(answer.text).not.toMatch(/[\r\n\u2028]/)
  }
  const headers = { authorization: `Bearer ${ada.token}` }
  const half = await sendRaw(scene.world, { method: 'POST', url: '/sys/v1/apps', headers, payload: '{\n"a":\n\n}' })
  expect(half).toMatchObject({ status: 400, type: 'text/plain' })
  expect(half.text).not.toMatch(/[\r\n]/)
})

test('odd members of a query are no fault', async () => {
  const names = [
    'requester',
    'reviewer',
    'subject',
    'status',
    'limit',
    'offset',
    'sort',
    'start',
    'group_id',
    'name',
    'obj_type',
    'group_permissions',
    '%00',
  ]
  const routes = (await routesOf('GET')).filter(
    ({ url }) => !/\/(?:groups|accounts)$|accounts\/:id|credential/.test(url),
  )
  function* calls(): Generator<OddCall> {
    for (const { method, url } of routes) {
      const path = url.replace(':id', idFor(url))
      for (const member of names) {
        for (const text of oddTexts) yield { method, url: `${path}?${member}=${text}` }
        yield { method, url: `${path}?${member}=1&${member}=2` }
      }
    }
    const asking = { method: 'POST', url: '/sys/v1/session/config_2fa/new_challenge' } as const
    for (const text of oddTexts) yield { ...asking, url: `${asking.url}?protocol=${text}` }
    yield { ...asking, url: `${asking.url}?protocol=fido2&protocol=u2f` }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('odd ids in a path are no fault', async () => {
  const routes = (await routesOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE')).filter(({ url }) => url.includes(':id'))
  function* calls(): Generator<OddCall> {
    for (const { method, url } of routes) {
      for (const text of oddTexts) yield { method, url: url.replace(':id', text), payload: '{}' }
    }
  }
  expect(await faultsOf(calls())).toEqual([])
})

test('odd credentials are no fault, and let nobody in', async () => {
  const sent = [
    '',
    'Bearer',
    'Bearer  ',
    `Bearer ${'x'.repeat(8000)}`,
    `bearer${ada.token}`,
    `Bearer ${ada.token} ${ada.token}`,
    `Bearer ${ada.token.toUpperCase()}`,
    `Digest ${ada.token}`,
    'Basic',
    'Basic !!!',
    'Basic AAAA',
    basic('', ''),
    basic(app, ''),
    basic('\0', '\0'),
    basic(ada.email, ada.token),
    basic(`${ada.email}\n`, password),
    basic(ada.id, password),
    basic(group, password),
    `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}`,
    basic('x'.repeat(4000), 'x'.repeat(4000)),
  ]
  for (const authorization of sent) {
    for (const url of ['/sys/v1/session/auth', '/sys/v1/session/refresh']) {
      const answer = await callsWith(scene.world, authorization).post(url)
      expect([authorization.slice(0, 60), url, answer.status, answer.type]).toEqual([
        authorization.slice(0, 60),
        url,
        401,
        'text/plain',
      ])
    }
  }
})

test('a policy that is nested 7 deep is taken, and one that is nested deeper than anyone needs is refused', async () => {
  const set = async (levels: number) => {
    const open = '{"quorum":{"n":1,"members":['.repeat(levels)
    const payload = `{"name":"${name()}","approval_policy":${open}{"user":"${ada.id}"}${']}}'.repeat(levels)}}`
    const headers = { authorization: `Bearer ${ada.token}` }
    return await sendRaw(scene.world, { method: 'POST', url: '/sys/v1/groups', headers, payload })
  }
  expect(await set(7)).toMatchObject({ status: 201 })
  expect(await set(8)).toMatchObject({ status: 400, text: 'Quorums may lie 7 deep at most.' })
  for (const levels of [16, 17, 20, 200, 5000, 30_000])
    expect(await set(levels)).toMatchObject({ status: 400, type: 'text/plain' })
  const wide = { quorum: { n: 1, members: Array.from({ length: 20_000 }, () => ({ user: ada.id })) } }
  const answer = await ada.post('/sys/v1/groups', { name: name(), approval_policy: wide })
  expect(answer).toMatchObject({ status: 400, type: 'text/plain' })
})

/** The status, and what was wrong. */
const outcome = async ({ method, url }: Pick<OddCall, 'method' | 'url'>, body: unknown): Promise<string> => {
  const { status, text } = await ada[method.toLowerCase() as 'post'](url, body)
  return `${status} ${status < 400 ? '' : text}`
}

type Path = readonly string[]

/** Every member of an object in a body; not the places of a list. */
function membersOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([member, inner]) => [
    ...(Array.isArray(value) ? [] : [[...at, member]]),
    ...membersOf(inner, [...at, member]),
  ])
}

/** The object that a member is in, of a copy. */
function parentOf(body: object, path: Path): { copy: object; parent: Record<string, unknown>; member: string } {
  const copy = structuredClone(body)
  const parent = path.slice(0, -1).reduce((object, part) => object[part] as never, copy as Record<string, unknown>)
  return { copy, parent, member: path.at(-1) ?? '' }
}

test('null counts as absent in every member of every body', { timeout: 120_000 }, async () => {
  for (const { body: fresh, ...at } of (await takingBodies()).filter(({ url }) => !url.includes('session'))) {
    const other = () => (typeof fresh['name'] === 'string' && at.url.endsWith('/groups') ? { name: name() } : {})
    for (const path of membersOf(fresh)) {
      const [isNull, isAbsent] = [parentOf({ ...fresh, ...other() }, path), parentOf({ ...fresh, ...other() }, path)]
      isNull.parent[isNull.member] = null
      delete isAbsent.parent[isAbsent.member]
      // A map by ids has no members that could be absent.
      if (/^[0-9a-f-]{36}$/.test(isNull.member)) continue
      const told = [at.method, at.url, path.join('.')]
      expect([...told, await outcome(at, isNull.copy)]).toEqual([...told, await outcome(at, isAbsent.copy)])
    }
  }
})

test('unknown members are ignored in every object of every body', { timeout: 120_000 }, async () => {
  for (const { body, ...at } of (await takingBodies()).filter(({ url }) => !url.includes('session'))) {
    const before = await outcome(at, body)
    const places = membersOf({ body }).filter((path) => {
      const { parent, member } = parentOf({ body }, path)
      const value = parent[member]
      const isMap = member.endsWith('_groups')
      return typeof value === 'object' && value !== null && !Array.isArray(value) && !isMap
    })
    for (const path of places) {
      const { copy, parent, member } = parentOf({ body }, path)
      ;(parent[member] as Record<string, unknown>)['of a later version'] = { a: [1, null] }
      const told = [at.method, at.url, path.join('.')]
      expect([...told, await outcome(at, (copy as { body: unknown }).body)]).toEqual([...told, before])
    }
  }
})

test('what was taken of all that is read again, and nothing was broken', async () => {
  for (const { url } of await routesOf('GET')) {
    const answer = await ada.get(`${url.replace(':id', idFor(url))}?`)
    expect([url, answer.status]).toEqual([url, 200])
  }
})
