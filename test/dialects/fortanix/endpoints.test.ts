import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fortanixDialect } from '../../../src/dialects/fortanix/plugin.ts'
import { Authenticator } from '../../helpers/authenticator.ts'
import { registerKey } from '../../helpers/fortanix-devices.ts'
import {
  assertionOf,
  basic,
  callsWith,
  expectStatus,
  password,
  startFortanix,
  type FortanixApp,
  type FortanixCalls,
  type FortanixUser,
  type FortanixWorld,
  type RawAnswer,
} from '../../helpers/fortanix.ts'
import { routesOf } from '../../helpers/odd-input.ts'

/** Every path of contract fortanix §2, §6 and §7, called by everyone there can be: the status that each of them gets. */
let scene: FortanixWorld
/** Administers the account; `pending`, `blank` and `admin` are sessions of hers or like hers. */
let ada: FortanixUser
/** In the account, and in none of its groups. */
let ben: FortanixUser
/** In the account and in the group. */
let cleo: FortanixUser
/** In the account, with a security key. */
let dana: FortanixUser
let auditor: FortanixUser
/** Administers another account. */
let mallory: FortanixUser
let account: string
let group: string
/** With a policy: two of Cleo, the app and Dana. */
let guarded: string
let guardedKey: string
let app: FortanixApp
/** In the group, and allowed nothing there. */
let weak: FortanixApp
const dead = { token: '' }
let count = 0

const whos = [
  /** Sends no credentials. */
  'nobody',
  /** Has a session that was terminated. */
  'dead',
  /** Owes a second factor. */
  'pending',
  /** Administers the account, and has selected none in this session. */
  'blank',
  /** An app with every permission, by its key. */
  'key',
  /** The same with a session. */
  'session',
  'weak',
  'auditor',
  'plain',
  'member',
  'admin',
  'elsewhere',
] as const
type Who = (typeof whos)[number]

beforeAll(async () => {
  scene = await startFortanix()
  ada = await scene.signUp('Ada')
  ben = await scene.signUp('Ben')
  cleo = await scene.signUp('Cleo')
  dana = await scene.signUp('Dana')
  auditor = await scene.signUp('Audrey')
  mallory = await scene.signUp('Mallory')
  account = await scene.account(ada, 'Vault')
  await scene.account(mallory, 'Elsewhere')
  for (const user of [ben, cleo, dana]) await scene.join(ada, user, account)
  await scene.join(ada, auditor, account, 'ACCOUNTAUDITOR')
  group = expectStatus(await cleo.post('/sys/v1/groups', { name: 'keys' }), 201).group_id
  app = await scene.app(cleo, 'robot', { [group]: everything })
  weak = await scene.app(cleo, 'weak', { [group]: [] })
  guarded = expectStatus(await cleo.post('/sys/v1/groups', { name: 'guarded' }), 201).group_id
  for (const [one, permissions] of [
    [app, ['SIGN']],
    [weak, []],
  ] as const)
    expectStatus(await ada.patch(`/sys/v1/apps/${one.id}`, { add_groups: { [guarded]: permissions } }), 200)
  guardedKey = await newKey({ obj_type: 'EC', elliptic_curve: 'NistP256', group_id: guarded })
  const members = [{ user: cleo.id }, { app: app.id }, { user: dana.id }]
  const approval_policy = { quorum: { n: 2, members }, protect_manage_operations: false }
  expectStatus(await ada.patch(`/sys/v1/groups/${guarded}`, { approval_policy }), 200)
  await registerKey(scene.world, dana, new Authenticator())
  const left = await scene.signIn(ada.email)
  expectStatus(await left.post('/sys/v1/session/terminate'), 204)
  dead.token = left.token
})
afterAll(() => scene[Symbol.asyncDispose]())

const everything = [
  'SIGN',
  'VERIFY',
  'ENCRYPT',
  'DECRYPT',
  'MACGENERATE',
  'EXPORT',
  'MANAGE',
  'DELETE_SOBJECTS',
  'DESTROY_SOBJECTS',
  'REVOKE_SOBJECTS',
  'DELETE_KEY_MATERIAL',
  'UPDATE_SOBJECTS_PROFILE',
]

const bearer = (token: string) => callsWith(scene.world, `Bearer ${token}`)

/** A session that has selected the account, unlike the one that the user has had so far. */
async function selected({ email }: FortanixUser, acct_id = account): Promise<FortanixUser> {
  const again = await scene.signIn(email)
  expectStatus(await again.post('/sys/v1/session/select_account', { acct_id }), 200)
  return again
}

const make: Readonly<Record<Who, () => Promise<FortanixCalls> | FortanixCalls>> = {
  nobody: () => scene.anyone,
  dead: () => bearer(dead.token),
  pending: () => scene.signIn(dana.email),
  blank: () => scene.signIn(ada.email),
  key: () => app,
  session: async () => bearer(expectStatus(await app.post('/sys/v1/session/auth'), 200).access_token),
  weak: () => weak,
  auditor: () => selected(auditor),
  plain: () => selected(ben),
  member: () => selected(cleo),
  admin: () => selected(ada),
  elsewhere: async () => {
    const again = await scene.signIn(mallory.email)
    const [id = ''] = Object.keys(expectStatus(await again.get('/sys/v1/users/accounts'), 200))
    expectStatus(await again.post('/sys/v1/session/select_account', { acct_id: id }), 200)
    return again
  },
}

const known = new Map<Who, FortanixCalls>()
async function callerOf(who: Who, isSpent: boolean): Promise<FortanixCalls> {
  const caller = known.get(who) ?? (await make[who]())
  if (isSpent) known.delete(who)
  else known.set(who, caller)
  return caller
}

type Make = () => Promise<string> | string

interface Row {
  readonly call: `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} ${string}`
  /** In the order of `whos`. */
  readonly statuses: string
  /** What stands for `{id}`, made anew for each call. */
  readonly of?: Make
  readonly body?: () => unknown
  /** The session is another one after it. */
  readonly spends?: true
}

const newName = (): string => `name ${++count}`
const ids = {
  account: () => account,
  group: () => group,
  app: () => app.id,
  user: () => ben.id,
  newGroup: async () => expectStatus(await cleo.post('/sys/v1/groups', { name: newName() }), 201).group_id,
  newApp: async () =>
    expectStatus(await cleo.post('/sys/v1/apps', { name: newName(), add_groups: { [group]: ['SIGN'] } }), 201).app_id,
  newKey: async () => await newKey({ obj_type: 'EC', elliptic_curve: 'NistP256' }),
} satisfies Record<string, Make>

const managed = ['SIGN', 'VERIFY', 'ENCRYPT', 'DECRYPT', 'MACGENERATE', 'EXPORT', 'APPMANAGEABLE']
async function newKey(kind: Record<string, unknown>): Promise<string> {
  const body = { name: newName(), group_id: group, key_ops: managed, ...kind }
  return expectStatus(await cleo.post('/crypto/v1/keys', body), 201).kid
}
const aes = { obj_type: 'AES', key_size: 256 }
const data = Buffer.from('data').toString('base64')
const user = () => ({ user_email: `user${++count}@example.com` })
const toSign = async () => ({ key: { kid: await ids.newKey() }, hash_alg: 'SHA256', data })

const requests = '/sys/v1/approval_requests'
const question = () => ({
  operation: '/crypto/v1/sign',
  body: { key: { kid: guardedKey }, hash_alg: 'SHA256', data },
})
const newRequest = async (): Promise<string> => expectStatus(await ada.post(requests, question()), 201).request_id
async function approvedRequest(): Promise<string> {
  const id = await newRequest()
  for (const reviewer of [cleo, app]) expectStatus(await reviewer.post(`${requests}/${id}/approve`), 200)
  return id
}

/** Of a challenge that nobody was asked. */
const strayAssertion = () => assertionOf(scene.world, new Authenticator(), { challenge: 'AAAA', rpId: 'x' })

//              nobody dead pending blank key session weak auditor plain member admin elsewhere
const anyUser = '   401  401     403   200 403     403  403     200   200    200   200       200'
const done = anyUser.replaceAll('200', '204')
const inAccount = '401  401     403   403 200     200  200     200   200    200   200       200'
const seesGroup = '401  401     403   403 200     200  200     200   404    200   200       404'
const manages = '  401  401     403   403 403     403  403     403   404    200   200       404'
const removes = '  401  401     403   403 404     404  404     403   404    204   204       404'
const uses = '     401  401     403   403 200     200  403     403   404    200   200       404'
const reviews = '  401  401     403   403 200     200  404     404   404    200   403       404'
const makes = uses.replaceAll('200', '201')
const ends = uses.replaceAll('200', '204')

const rows: readonly Row[] = [
  {
    call: 'POST /sys/v1/session/auth',
    //          nobody dead pending blank key session weak auditor plain member admin elsewhere
    statuses: '    401  401     401   401 200     401  200     401   401    401   401       401',
  },
  {
    call: 'POST /sys/v1/session/select_account',
    body: () => ({ acct_id: account }),
    statuses: '    401  401     403   200 403     403  403     200   200    200   200       404',
    spends: true,
  },
  {
    call: 'POST /sys/v1/session/refresh',
    statuses: '    401  401     403   204 400     204  400     204   204    204   204       204',
  },
  {
    call: 'POST /sys/v1/session/reauth',
    statuses: '    401  401     403   403 200     200  200     403   403    403   403       403',
  },
  {
    call: 'POST /sys/v1/session/terminate',
    statuses: '    401  401     204   204 400     204  400     204   204    204   204       204',
    spends: true,
  },
  {
    call: 'POST /sys/v1/session/auth/2fa/fido2',
    body: strayAssertion,
    statuses: '    401  401     403   400 403     403  403     400   400    400   400       400',
  },
  {
    call: 'POST /sys/v1/session/auth/2fa/u2f',
    body: () => ({}),
    statuses: '    401  401     400   400 400     400  400     400   400    400   400       400',
  },
  {
    call: 'POST /sys/v1/session/auth/2fa/recovery_code',
    body: () => ({ recovery_code: 'none of theirs' }),
    statuses: '    401  401     401   400 403     403  403     400   400    400   400       400',
  },
  {
    call: 'POST /sys/v1/session/config_2fa/new_challenge?protocol=fido2',
    statuses: '    401  401     403   400 403     403  403     400   400    400   400       400',
  },
  { call: 'POST /sys/v1/session/config_2fa/auth', body: () => ({ password }), statuses: anyUser },
  { call: 'POST /sys/v1/session/config_2fa/new_challenge?protocol=u2f', statuses: anyUser },
  { call: 'POST /sys/v1/session/config_2fa/terminate', statuses: done },

  {
    call: 'POST /sys/v1/users',
    body: () => ({ ...user(), user_password: password }),
    statuses: '    201  201     201   201 201     201  201     201   201    201   201       201',
  },
  { call: 'GET /sys/v1/users', statuses: inAccount },
  {
    call: 'GET /sys/v1/users/{id}',
    of: ids.user,
    statuses: '    401  401     403   403 200     200  200     200   200    200   200       404',
  },
  {
    call: 'PATCH /sys/v1/users/{id}',
    of: ids.user,
    body: () => ({ enable: true }),
    statuses: '    401  401     403   403 403     403  403     403   403    403   200       404',
  },
  {
    call: 'POST /sys/v1/users/invite',
    body: () => ({ ...user(), account_role: ['ACCOUNTMEMBER'] }),
    statuses: '    401  401     403   403 403     403  403     403   403    403   201       201',
  },
  { call: 'POST /sys/v1/users/process_invite', statuses: done },
  { call: 'GET /sys/v1/users/accounts', statuses: anyUser },
  { call: 'POST /sys/v1/users/generate_recovery_codes', statuses: anyUser },

  {
    call: 'GET /sys/v1/accounts',
    statuses: '    401  401     403   200 200     200  200     200   200    200   200       200',
  },
  {
    call: 'POST /sys/v1/accounts',
    body: () => ({ name: newName() }),
    statuses: '    401  401     403   201 403     403  403     201   201    201   201       201',
  },
  {
    call: 'GET /sys/v1/accounts/{id}',
    of: ids.account,
    statuses: '    401  401     403   403 200     200  200     200   200    200   200       404',
  },
  {
    call: 'PATCH /sys/v1/accounts/{id}',
    of: ids.account,
    body: () => ({ description: 'changed' }),
    statuses: '    401  401     403   403 403     403  403     403   403    403   200       404',
  },

  { call: 'GET /sys/v1/groups', statuses: inAccount },
  {
    call: 'POST /sys/v1/groups',
    body: () => ({ name: newName() }),
    statuses: '    401  401     403   403 403     403  403     403   201    201   201       201',
  },
  { call: 'GET /sys/v1/groups/{id}', of: ids.group, statuses: seesGroup },
  { call: 'PATCH /sys/v1/groups/{id}', of: ids.group, body: () => ({ description: 'changed' }), statuses: manages },
  { call: 'DELETE /sys/v1/groups/{id}', of: ids.newGroup, statuses: removes },

  { call: 'GET /sys/v1/apps', statuses: inAccount },
  {
    call: 'POST /sys/v1/apps',
    body: () => ({ name: newName(), add_groups: { [group]: ['SIGN'] } }),
    statuses: manages.replaceAll('200', '201'),
  },
  {
    call: 'GET /sys/v1/apps/{id}',
    of: ids.app,
    statuses: '    401  401     403   403 200     200  404     200   404    200   200       404',
  },
  {
    call: 'PATCH /sys/v1/apps/{id}',
    of: ids.app,
    body: () => ({ description: 'changed' }),
    statuses: '    401  401     403   403 403     403  404     403   404    200   200       404',
  },
  { call: 'DELETE /sys/v1/apps/{id}', of: ids.newApp, statuses: removes },
  {
    call: 'GET /sys/v1/apps/{id}/credential',
    // Of one that no policy names: the secret of one that approves is asked for.
    of: ids.newApp,
    statuses: '    401  401     403   403 404     404  404     403   404    200   200       404',
  },
  {
    call: 'POST /sys/v1/apps/{id}/reset_secret',
    of: ids.newApp,
    statuses: '    401  401     403   403 404     404  404     403   404    200   200       404',
  },

  { call: 'GET /sys/v1/approval_requests', statuses: inAccount },
  { call: 'POST /sys/v1/approval_requests', body: question, statuses: makes },
  {
    call: 'GET /sys/v1/approval_requests/{id}',
    of: newRequest,
    //          nobody dead pending blank key session weak auditor plain member admin elsewhere
    statuses: '    401  401     403   403 200     200  404     404   404    200   200       404',
  },
  {
    call: 'DELETE /sys/v1/approval_requests/{id}',
    of: newRequest,
    statuses: '    401  401     403   403 403     403  404     404   404    403   204       404',
  },
  { call: 'POST /sys/v1/approval_requests/{id}/approve', of: newRequest, statuses: reviews },
  { call: 'POST /sys/v1/approval_requests/{id}/deny', of: newRequest, statuses: reviews },
  {
    call: 'POST /sys/v1/approval_requests/{id}/challenge',
    of: newRequest,
    // None of them has a security key.
    statuses: reviews.replaceAll('200', '403'),
  },
  {
    call: 'POST /sys/v1/approval_requests/{id}/result',
    of: approvedRequest,
    statuses: '    401  401     403   403 403     403  404     404   404    403   200       404',
  },

  { call: 'GET /crypto/v1/keys', statuses: inAccount },
  {
    call: 'POST /crypto/v1/keys',
    body: () => ({ name: newName(), group_id: group, ...aes }),
    statuses: makes,
  },
  {
    call: 'PUT /crypto/v1/keys',
    body: () => ({ name: newName(), group_id: group, obj_type: 'AES', value: Buffer.alloc(16).toString('base64') }),
    statuses: makes,
  },
  { call: 'POST /crypto/v1/keys/info', body: async () => ({ kid: await ids.newKey() }), statuses: seesGroup },
  { call: 'GET /crypto/v1/keys/{id}', of: ids.newKey, statuses: seesGroup },
  { call: 'PATCH /crypto/v1/keys/{id}', of: ids.newKey, body: () => ({ description: 'changed' }), statuses: uses },
  { call: 'DELETE /crypto/v1/keys/{id}', of: ids.newKey, statuses: ends },
  { call: 'DELETE /crypto/v1/keys/{id}/private', of: ids.newKey, statuses: ends },
  { call: 'POST /crypto/v1/keys/{id}/destroy', of: ids.newKey, statuses: ends },
  { call: 'POST /crypto/v1/keys/{id}/revoke', of: ids.newKey, statuses: ends },
  { call: 'POST /crypto/v1/keys/export', body: async () => ({ kid: await newKey(aes) }), statuses: uses },
  { call: 'POST /crypto/v1/sign', body: toSign, statuses: uses },
  {
    call: 'POST /crypto/v1/verify',
    body: async () => ({ ...(await toSign()), signature: data }),
    statuses: uses,
  },
  {
    call: 'POST /crypto/v1/encrypt',
    body: async () => ({ key: { kid: await newKey(aes) }, alg: 'AES', mode: 'GCM', plain: data }),
    statuses: uses,
  },
  {
    call: 'POST /crypto/v1/decrypt',
    body: async () => {
      const key = { kid: await newKey(aes) }
      const made = await cleo.post('/crypto/v1/encrypt', { key, alg: 'AES', mode: 'GCM', plain: data })
      const { cipher, iv, tag } = expectStatus(made, 200)
      return { key, alg: 'AES', mode: 'GCM', cipher, iv, tag }
    },
    statuses: uses,
  },
  {
    call: 'POST /crypto/v1/mac',
    body: async () => ({ key: { kid: await newKey({ obj_type: 'HMAC', key_size: 256 }) }, data }),
    statuses: uses,
  },
]

async function send(row: Row, caller: FortanixCalls, id: string): Promise<RawAnswer> {
  const [method = '', path = ''] = row.call.split(' ')
  const call = caller[method.toLowerCase() as keyof FortanixCalls]
  return await call(path.replace('{id}', id), await row.body?.())
}

/** An error is a line of text, 204 says nothing, and all else is JSON (contract fortanix §1.1). */
function expectForm({ status, type, text }: RawAnswer): void {
  if (status === 204) expect([type, text]).toEqual([undefined, ''])
  else if (status >= 400) {
    expect(type).toBe('text/plain')
    expect(text).toMatch(/^[^\s"][^\r\n]*[^\s"]$/)
  } else expect(type).toMatch(/^application\/json/)
}

describe.each(rows.map((row) => [row.call, row] as const))('%s', (_call, row) => {
  const expected = row.statuses.trim().split(/\s+/).map(Number)

  it('answers each caller with the status that is theirs', async () => {
    const got: number[] = []
    for (const who of whos) {
      const caller = await callerOf(who, row.spends === true)
      const answer = await send(row, caller, (await row.of?.()) ?? '')
      expectForm(answer)
      got.push(answer.status)
    }
    const named = (statuses: readonly number[]) => whos.map((who, index) => `${who} ${statuses[index]}`)
    expect(named(got)).toEqual(named(expected))
  })

  if (row.of !== undefined) {
    it('is 404 of an id that names nothing, and 400 of one that is none', async () => {
      const answers = ['00000000-0000-7000-8000-00000000dead', 'no-uuid', '0000-0000', `{${'0'.repeat(36)}}`].map(
        async (id) => (await send(row, ada, id)).status,
      )
      expect(await Promise.all(answers)).toEqual([404, 400, 400, 400])
    })

    it('takes an id in capitals for the same', async () => {
      const id = (await row.of?.()) ?? ''
      const { status } = await send(row, await callerOf('admin', false), id.toUpperCase())
      expect(status).toBe(expected[whos.indexOf('admin')])
    })
  }
})

it('every route there is stands in the table', async () => {
  const routes = await routesOf(fortanixDialect, scene.world.ctx, 'GET', 'POST', 'PUT', 'PATCH', 'DELETE')
  const listed = rows.map(({ call }) => call.replace(/\?.*/, '').replace('{id}', ':id'))
  expect([...new Set(listed)].toSorted()).toEqual(routes.map(({ method, url }) => `${method} ${url}`).toSorted())
})

it('a Basic of a user is for signing in alone', async () => {
  const answer = await callsWith(scene.world, basic(ada.email, password)).get('/sys/v1/groups')
  expect(answer).toMatchObject({ status: 401, type: 'text/plain' })
})
