import { verify, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groupPermissions, type GroupPermission } from '../../../src/custody/policies.ts'
import { Authenticator } from '../../helpers/authenticator.ts'
import { registerKey } from '../../helpers/fortanix-devices.ts'
import {
  attestationOf,
  basic,
  callsWith,
  expectStatus,
  password,
  sendRaw,
  startFortanix,
  type FortanixApp,
  type FortanixUser,
  type FortanixWorld,
  type RawAnswer,
  type Sent,
} from '../../helpers/fortanix.ts'

/** What contract fortanix states and no other test of this dialect is about. */
let scene: FortanixWorld
/** Administers the account. */
let ada: FortanixUser
let ben: FortanixUser
let account: string
let group: string
let app: FortanixApp
let count = 0

const everything = ['SIGN', 'VERIFY', 'ENCRYPT', 'DECRYPT', 'MACGENERATE', 'EXPORT', 'MANAGE']

beforeAll(async () => {
  scene = await startFortanix()
  ada = await scene.signUp('Ada')
  ben = await scene.signUp('Ben')
  account = await scene.account(ada, 'Vault')
  await scene.join(ada, ben, account)
  group = await newGroup()
  app = await scene.app(ada, 'robot', { [group]: everything })
})
afterAll(() => scene[Symbol.asyncDispose]())

const name = () => `name ${++count}`
const refused = (status: number, text: string) => ({ status, text, type: 'text/plain' })
const needsApproval = refused(403, 'This operation requires approval')
const nobody = '0192f0c0-0000-7000-8000-000000000000'
const text = Buffer.from('some data')

async function newGroup(policy?: object): Promise<string> {
  const body = { name: name(), ...(policy !== undefined && { approval_policy: policy }) }
  return expectStatus(await ada.post('/sys/v1/groups', body), 201).group_id
}

const managed = ['SIGN', 'VERIFY', 'ENCRYPT', 'DECRYPT', 'MACGENERATE', 'EXPORT', 'APPMANAGEABLE']
const kinds = {
  AES: { obj_type: 'AES', key_size: 256 },
  HMAC: { obj_type: 'HMAC', key_size: 256 },
  EC: { obj_type: 'EC', elliptic_curve: 'NistP256' },
}
async function newKey(kind: keyof typeof kinds, group_id = group): Promise<RawAnswer['body']> {
  const body = { name: name(), group_id, key_ops: managed, ...kinds[kind] }
  return expectStatus(await ada.post('/crypto/v1/keys', body), 201)
}

/** Sends with Ada's session, exactly this. */
const sent = async (call: Omit<Sent, 'headers'>, headers: Record<string, string> = {}) =>
  await sendRaw(scene.world, { ...call, headers: { authorization: `Bearer ${ada.token}`, ...headers } })

describe('§1, a body', () => {
  const emptiable: readonly (readonly [NonNullable<Sent['method']>, () => Promise<string> | string, number])[] = [
    ['PATCH', () => `/sys/v1/users/${ben.id}`, 200],
    ['PATCH', () => `/sys/v1/accounts/${account}`, 200],
    ['PATCH', () => `/sys/v1/groups/${group}`, 200],
    ['PATCH', () => `/sys/v1/apps/${app.id}`, 200],
    ['PATCH', async () => `/crypto/v1/keys/${(await newKey('AES')).kid}`, 200],
    ['POST', () => '/sys/v1/users/process_invite', 204],
    ['POST', async () => `/crypto/v1/keys/${(await newKey('AES')).kid}/revoke`, 204],
  ]
  it.each(emptiable)('may be empty where all of its members may be absent: %s %s', async (method, url, status) => {
    for (const payload of [undefined, '', 'null', '{}', '{}\n']) {
      const answer = await sent({ method, url: await url(), ...(payload !== undefined && { payload }) })
      expect([payload, answer.status]).toEqual([payload, status])
    }
  })

  it('of no length is none, whatever its Content-Type', async () => {
    for (const type of ['', 'application/json']) {
      const headers = { 'content-length': '0', 'content-type': type, authorization: basic(ada.email, password) }
      const answer = await sendRaw(scene.world, { method: 'POST', url: '/sys/v1/session/auth', headers })
      expect(answer).toMatchObject({ status: 200, body: { entity_id: ada.id } })
    }
  })
})

describe('§1, ids and principals', () => {
  it('are shown in small letters, however they were sent', async () => {
    const shown = expectStatus(await ada.get(`/sys/v1/groups/${group.toUpperCase()}`), 200)
    expect(shown.group_id).toBe(group)
    const policy = { quorum: { n: 1, members: [{ user: ada.id.toUpperCase() }] } }
    const made = await newGroup(policy)
    expect((await ada.get(`/sys/v1/groups/${made}`)).body.approval_policy.quorum.members).toEqual([{ user: ada.id }])
    const other = await scene.app(ada, name(), { [group.toUpperCase()]: ['SIGN'] })
    expect((await ada.get(`/sys/v1/apps/${other.id}`)).body.groups).toEqual([group])
  })

  it('have one member that says what they are', async () => {
    const body = { name: name(), group_id: group, ...kinds.AES }
    expect(expectStatus(await app.post('/crypto/v1/keys', body), 201).creator).toEqual({ app: app.id })
    expect((await newKey('AES')).creator).toEqual({ user: ada.id })
  })
})

describe('§1, bytes', () => {
  const forms = (bytes: Buffer): readonly string[] => {
    const [standard, url] = [bytes.toString('base64'), bytes.toString('base64url')]
    return [standard, standard.replaceAll('=', ''), url, url + '='.repeat(standard.length - url.length)]
  }
  // Its base64 has both characters that the alphabets differ in, and is padded.
  const bytes = Buffer.from([0xfb, 0xef, 0xff, 0x01])

  it('are taken in either alphabet of base64, padded or not, and shown in the standard one', async () => {
    const [aes, hmac] = [{ kid: (await newKey('AES')).kid }, { kid: (await newKey('HMAC')).kid }]
    const macs = new Set<string>()
    for (const form of forms(bytes)) {
      const gcm = { key: aes, alg: 'AES', mode: 'GCM' }
      const made = expectStatus(await app.post('/crypto/v1/encrypt', { ...gcm, plain: form, ad: form }), 200)
      for (const ad of forms(bytes)) {
        const again = { ...gcm, cipher: made.cipher, iv: made.iv, tag: made.tag, ad }
        const { plain } = expectStatus(await app.post('/crypto/v1/decrypt', again), 200)
        expect(plain).toBe('++//AQ==')
      }
      macs.add(expectStatus(await app.post('/crypto/v1/mac', { key: hmac, data: form }), 200).mac)
    }
    expect([...macs]).toEqual([expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/)])
  })

  it('that are taken as a key and as a signature too', async () => {
    const value = Buffer.from('fbefff01'.repeat(4), 'hex')
    for (const form of forms(value)) {
      const body = { name: name(), group_id: group, obj_type: 'AES', key_ops: ['EXPORT'], value: form }
      const { kid } = expectStatus(await ada.put('/crypto/v1/keys', body), 201)
      const out = expectStatus(await ada.post('/crypto/v1/keys/export', { kid }), 200)
      expect(out.value).toBe(value.toString('base64'))
    }
    const { kid } = await newKey('EC')
    const request = { key: { kid }, hash_alg: 'SHA256', data: text.toString('base64') }
    const { signature } = expectStatus(await app.post('/crypto/v1/sign', request), 200)
    for (const form of forms(Buffer.from(signature, 'base64'))) {
      const { body } = await app.post('/crypto/v1/verify', { ...request, signature: form })
      expect(body).toEqual({ kid, result: true })
    }
  })

  it.each(['AB=C', 'A', 'AAAAA', '=', 'AA=', 'AAAA=', 'A A=', 'AAA\n', '%41AA', 'ÄÄÄÄ'])(
    'are not taken from %j',
    async (form) => {
      const { kid } = await newKey('HMAC')
      const answer = await app.post('/crypto/v1/mac', { key: { kid }, data: form })
      expect(answer).toMatchObject(refused(400, 'data must be base64.'))
    },
  )
})

describe('§2, who may sign in', () => {
  it('an app is of its account, and sees nothing of another', async () => {
    const mallory = await scene.signUp('Mallory')
    const other = await scene.account(mallory, 'Elsewhere')
    const { group_id: theirs } = expectStatus(await mallory.post('/sys/v1/groups', { name: 'theirs' }), 201)
    const robot = await scene.app(mallory, 'robot', { [theirs]: everything })
    for (const [caller, id, unseen] of [
      [robot, theirs, group],
      [app, group, theirs],
    ] as const) {
      expect(await caller.get(`/sys/v1/groups/${id}`)).toMatchObject({ status: 200 })
      expect(await caller.get(`/sys/v1/groups/${unseen}`)).toMatchObject({ status: 404 })
    }
    expect((await robot.get('/sys/v1/accounts')).body.map(({ acct_id }: { acct_id: string }) => acct_id)).toEqual([
      other,
    ])
    expect(await robot.post('/sys/v1/session/select_account', { acct_id: account })).toMatchObject({ status: 403 })
  })

  it('a user who is disabled loses the sessions of the account, and selects it no more', async () => {
    const cleo = await scene.signUp('Cleo')
    await scene.join(ada, cleo, account)
    const again = await scene.signIn(cleo.email)
    expectStatus(await ada.patch(`/sys/v1/users/${cleo.id}`, { enable: false }), 200)
    expect(await cleo.get('/sys/v1/groups')).toMatchObject({ status: 401 })
    for (const session of [again, await scene.signIn(cleo.email)]) {
      const answer = await session.post('/sys/v1/session/select_account', { acct_id: account })
      expect(answer).toMatchObject({ status: 403, type: 'text/plain' })
    }
  })

  it('what signing in answers beyond its four members is there while a second factor is owed, and no longer', async () => {
    const dan = await scene.signUp('Dan')
    const members = async () =>
      Object.keys(
        expectStatus(await callsWith(scene.world, basic(dan.email, password)).post('/sys/v1/session/auth'), 200),
      )
    const always = ['token_type', 'expires_in', 'access_token', 'entity_id']
    expect(await members()).toEqual(always)
    await registerKey(scene.world, dan, new Authenticator())
    expect(await members()).toEqual([...always, 'challenge', 'fido2_assertion_options', 'allowed_mfa_methods'])
  })
})

describe('§5.5, a security key', () => {
  it('is registered one at a time', async () => {
    const hal = await scene.signUp('Hal')
    expectStatus(await hal.post('/sys/v1/session/config_2fa/auth', { password }), 200)
    const asked = expectStatus(await hal.post('/sys/v1/session/config_2fa/new_challenge?protocol=fido2'), 200)
    const device = (called: string) => ({
      name: called,
      attestationResult: attestationOf(scene.world, new Authenticator(), asked.challenge, asked.rp.id),
    })
    const add = async (...devices: readonly object[]) =>
      await hal.patch(`/sys/v1/users/${hal.id}`, { add_mfa_devices: devices })
    expect(await add(device('one'), device('two'))).toMatchObject(refused(400, 'add_mfa_devices must hold one device.'))
    const { mfa_devices: devices, u2f_devices: same } = expectStatus(await add(device('one')), 200)
    expect(devices).toEqual([{ name: 'one', type: 'Fido2', origin: expect.any(String) }])
    expect(same).toEqual(devices)
    // Its challenge is spent.
    expect(await add(device('two'))).toMatchObject({ status: 400, type: 'text/plain' })
  })
})

describe('§4.1, whoever a policy names', () => {
  const answerFor = async (policy: object) =>
    await ada.post('/sys/v1/groups', { name: name(), approval_policy: policy })

  it('has accepted the invitation', async () => {
    const eve = await scene.signUp('Eve')
    const invitation = { user_email: eve.email, account_role: ['ACCOUNTMEMBER', 'STATEENABLED'] }
    expectStatus(await ada.post('/sys/v1/users/invite', invitation), 201)
    expect(await answerFor({ user: eve.id })).toMatchObject({ status: 400 })
    expectStatus(await eve.post('/sys/v1/users/process_invite', { accepts: [account] }), 204)
    expect(await answerFor({ user: eve.id })).toMatchObject({ status: 201 })
  })

  it('is a user whose address is verified', async () => {
    const fay = await scene.signUp('Fay')
    await scene.join(ada, fay, account)
    const verified = async (at: Date | null) =>
      await scene.world.ctx.db
        .updateTable('fortanix_users')
        .set({ verified_at: at })
        .where('person_id', '=', fay.id)
        .execute()
    await verified(null)
    expect(await answerFor({ user: fay.id })).toMatchObject({ status: 400 })
    await verified(scene.world.clock.now())
    expect(await answerFor({ user: fay.id })).toMatchObject({ status: 201 })
  })

  it('is no app that is disabled', async () => {
    const robot = await scene.app(ada, name(), { [group]: [] })
    expect(await answerFor({ app: robot.id })).toMatchObject({ status: 201 })
    expectStatus(await ada.patch(`/sys/v1/apps/${robot.id}`, { enabled: false }), 200)
    expect(await answerFor({ app: robot.id })).toMatchObject({ status: 400 })
  })

  it('is asked about at an account too, when it is made and when it is changed', async () => {
    const approval_policy = { policy: { user: nobody } }
    const before = await ada.get('/sys/v1/accounts')
    expect(await ada.post('/sys/v1/accounts', { name: name(), approval_policy })).toMatchObject({ status: 400 })
    expect(await ada.patch(`/sys/v1/accounts/${account}`, { approval_policy })).toMatchObject({ status: 400 })
    expect((await ada.get('/sys/v1/accounts')).body).toEqual(before.body)
  })

  it('may be named once in each of several quorums, and twice in none', async () => {
    const inner = { quorum: { n: 1, members: [{ user: ben.id }] } }
    expect(await answerFor({ quorum: { n: 2, members: [inner, inner, { user: ben.id }] } })).toMatchObject({
      status: 201,
    })
    const twice = {
      quorum: { n: 1, members: [inner, { quorum: { n: 1, members: [{ app: app.id }, { app: app.id }] } }] },
    }
    expect(await answerFor(twice)).toMatchObject({ status: 400 })
  })
})

/** All that a call could have changed, but sessions. */
async function everyRow(): Promise<unknown> {
  const tables = [
    'organizations',
    'principals',
    'credentials',
    'groups',
    'memberships',
    'fortanix_accounts',
    'fortanix_apps',
    'fortanix_app_groups',
    'fortanix_groups',
    'fortanix_keys',
    'fortanix_members',
    'fortanix_users',
    'audit_leaves',
  ] as const
  const rows = tables.map(async (table) => {
    const found = await scene.world.ctx.db.selectFrom(table).selectAll().execute()
    return [table, found.map((row) => JSON.stringify(row)).toSorted()]
  })
  return await Promise.all(rows)
}

describe('§6, what a policy protects', () => {
  /** Sends it as the user or the app, and compares every byte of the answer. */
  const expectSentence = ({ status, type, text: said }: RawAnswer) =>
    expect([status, type, Buffer.from(said).toString('hex')]).toEqual([
      403,
      'text/plain',
      Buffer.from('This operation requires approval').toString('hex'),
    ])

  it('is refused with the very sentence, whoever calls, and nothing is changed by it', async () => {
    const guarded = await newGroup()
    const inside = await scene.app(ada, name(), { [guarded]: everything })
    const [aes, ec, hmac] = [await newKey('AES', guarded), await newKey('EC', guarded), await newKey('HMAC', guarded)]
    const gcm = { key: { kid: aes.kid }, alg: 'AES', mode: 'GCM' }
    const made = expectStatus(await inside.post('/crypto/v1/encrypt', { ...gcm, plain: 'AAAA' }), 200)
    const policy = { quorum: { n: 1, members: [{ user: ada.id }, { app: inside.id }] } }
    expectStatus(await ada.patch(`/sys/v1/groups/${guarded}`, { approval_policy: policy }), 200)
    const outside = await newKey('AES')
    const opened = { ...gcm, cipher: made.cipher, iv: made.iv, tag: made.tag }
    const key = `/crypto/v1/keys/${ec.kid}`
    const before = await everyRow()
    for (const caller of [ada, inside]) {
      expectSentence(
        await caller.post('/crypto/v1/sign', { key: { kid: ec.kid }, hash_alg: 'SHA256', data: 'AAAA', mode: null }),
      )
      expectSentence(await caller.post('/crypto/v1/sign', { key: { name: ec.name }, hash_alg: 'SHA256', data: 'AAAA' }))
      expectSentence(await caller.post('/crypto/v1/encrypt', { ...gcm, plain: 'AAAA' }))
      expectSentence(await caller.post('/crypto/v1/decrypt', opened))
      expectSentence(await caller.post('/crypto/v1/mac', { key: { kid: hmac.kid }, data: 'AAAA' }))
      expectSentence(await caller.post('/crypto/v1/keys/export', { kid: aes.kid }))
      expectSentence(await caller.patch(key, { description: 'changed' }))
      expectSentence(await caller.post(`${key}/revoke`))
      expectSentence(await caller.post(`${key}/destroy`))
      expectSentence(await caller.delete(`${key}/private`))
      expectSentence(await caller.delete(key))
    }
    const appUrl = `/sys/v1/apps/${inside.id}`
    expectSentence(await ada.patch(key, { group_id: group }))
    expectSentence(await ada.patch(`/crypto/v1/keys/${outside.kid}`, { group_id: guarded }))
    expectSentence(await ada.patch(`/sys/v1/groups/${guarded}`, { description: 'changed' }))
    expectSentence(await ada.patch(`/sys/v1/groups/${guarded}`, { approval_policy: {} }))
    expectSentence(await ada.patch(appUrl, { mod_groups: { [guarded]: ['SIGN'] } }))
    expectSentence(await ada.patch(appUrl, { enabled: false }))
    expectSentence(await ada.post(`${appUrl}/reset_secret`))
    expectSentence(await ada.get(`${appUrl}/credential`))
    expect(await everyRow()).toEqual(before)
  })

  it('of an account: its groups are neither made, changed nor deleted, and it is not changed itself', async () => {
    const gil = await scene.signUp('Gil')
    const id = await scene.account(gil, name())
    const made = expectStatus(await gil.post('/sys/v1/groups', { name: name() }), 201).group_id
    const approval_policy = { policy: { user: gil.id }, manage_groups: true }
    expectStatus(await gil.patch(`/sys/v1/accounts/${id}`, { approval_policy }), 200)
    const before = await everyRow()
    expectSentence(await gil.post('/sys/v1/groups', { name: name() }))
    expectSentence(await gil.patch(`/sys/v1/groups/${made}`, { description: 'changed' }))
    expectSentence(await gil.patch(`/sys/v1/groups/${made}`, { approval_policy: { user: gil.id } }))
    expectSentence(await gil.delete(`/sys/v1/groups/${made}`))
    expectSentence(await gil.patch(`/sys/v1/accounts/${id}`, { approval_policy }))
    expectSentence(await gil.patch(`/sys/v1/accounts/${id}`, { approval_policy: { policy: {} } }))
    expect(await everyRow()).toEqual(before)
  })
})

describe('§4.2, a policy that names permissions', () => {
  type Call = (kid: string, at: string) => Promise<RawAnswer>
  const calls: Readonly<Partial<Record<GroupPermission, readonly Call[]>>> = {
    CREATE_SOBJECTS: [
      async (_kid, at) => await ada.post('/crypto/v1/keys', { name: name(), group_id: at, ...kinds.AES }),
      async (_kid, at) =>
        await ada.put('/crypto/v1/keys', {
          name: name(),
          group_id: at,
          obj_type: 'AES',
          value: Buffer.alloc(16).toString('base64'),
        }),
    ],
    UPDATE_SOBJECTS_PROFILE: [async (kid) => await ada.patch(`/crypto/v1/keys/${kid}`, { name: name() })],
    UPDATE_SOBJECTS_ENABLED_STATE: [async (kid) => await ada.patch(`/crypto/v1/keys/${kid}`, { enabled: false })],
    UPDATE_KEY_OPS: [async (kid) => await ada.patch(`/crypto/v1/keys/${kid}`, { key_ops: ['SIGN'] })],
    MOVE_SOBJECTS: [async (kid) => await ada.patch(`/crypto/v1/keys/${kid}`, { group_id: group })],
    REVOKE_SOBJECTS: [async (kid) => await ada.post(`/crypto/v1/keys/${kid}/revoke`)],
    DELETE_KEY_MATERIAL: [async (kid) => await ada.delete(`/crypto/v1/keys/${kid}/private`)],
    DESTROY_SOBJECTS: [async (kid) => await ada.post(`/crypto/v1/keys/${kid}/destroy`)],
    DELETE_SOBJECTS: [async (kid) => await ada.delete(`/crypto/v1/keys/${kid}`)],
  }

  it.each(groupPermissions)('of %s protects what that is the permission for, and nothing else', async (permission) => {
    for (const [of, made] of Object.entries(calls)) {
      for (const call of made) {
        const fresh = await newGroup()
        const { kid } = await newKey('EC', fresh)
        const policy = { user: ada.id, protect_permissions: [permission], protect_crypto_operations: false }
        expectStatus(await ada.patch(`/sys/v1/groups/${fresh}`, { approval_policy: policy }), 200)
        const { status, text: said } = await call(kid, fresh)
        const isRefused = status === 403 && said === needsApproval.text
        expect([of, isRefused]).toEqual([of, of === permission])
        if (!isRefused) expect([of, Math.trunc(status / 100)]).toEqual([of, 2])
      }
    }
  })

  it('of the crypto operations leaves the rest to the other flags', async () => {
    const open = { user: ada.id, protect_manage_operations: false, protect_crypto_operations: true }
    const closed = { user: ada.id, protect_manage_operations: true, protect_crypto_operations: false }
    for (const [policy, signing, renaming] of [
      [open, 403, 200],
      [closed, 200, 403],
    ] as const) {
      const guarded = await newGroup(policy)
      const { kid } = await newKey('EC', guarded)
      const request = { key: { kid }, hash_alg: 'SHA256', data: 'AAAA' }
      expect((await ada.post('/crypto/v1/sign', request)).status).toBe(signing)
      expect((await ada.patch(`/crypto/v1/keys/${kid}`, { name: name() })).status).toBe(renaming)
    }
  })
})

describe('§4.4, an account', () => {
  it('has requests expire after 30 days and checks sensitive results, unless it says otherwise', async () => {
    expect(expectStatus(await ada.get(`/sys/v1/accounts/${account}`), 200)).toMatchObject({
      approval_request_expiry: 2_592_000,
      retain_expired_requests: false,
      log_expired_pending_requests: false,
      check_access_for_sensitive_operation_results: true,
    })
  })

  it.each(['0', '-1', '0.5', '"60"', 'true', '[]', '1e400', '1e308', '2147483648'])(
    'has no period of %s seconds',
    async (seconds) => {
      const payload = `{"approval_request_expiry":${seconds}}`
      const answer = await sent({ method: 'PATCH', url: `/sys/v1/accounts/${account}`, payload })
      expect(answer).toMatchObject({ status: 400, type: 'text/plain' })
    },
  )
})

describe('§6, a crypto call', () => {
  it.each(['SHA256', 'SHA384', 'SHA512'])('signs with %s, by the name of a key as by its id', async (hash_alg) => {
    const key = await newKey('EC')
    const pub = createPublicKey({ key: Buffer.from(key.pub_key, 'base64'), format: 'der', type: 'spki' })
    for (const named of [{ kid: key.kid }, { name: key.name }, { kid: null, name: key.name }]) {
      const body = { key: named, hash_alg, data: text.toString('base64') }
      const { kid, signature } = expectStatus(await app.post('/crypto/v1/sign', body), 200)
      expect(kid).toBe(key.kid)
      expect(verify(hash_alg, text, pub, Buffer.from(signature, 'base64'))).toBe(true)
    }
  })

  it('names one key, and in one way', async () => {
    const { kid, name: called } = await newKey('EC')
    for (const key of [{ kid, name: called }, {}, [], 'x', null, 7, { kid: 7 }, { name: 7 }]) {
      const answer = await app.post('/crypto/v1/sign', { key, hash_alg: 'SHA256', data: 'AAAA' })
      expect(answer).toMatchObject({ status: 400, type: 'text/plain' })
    }
  })
})
