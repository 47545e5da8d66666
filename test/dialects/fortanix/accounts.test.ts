import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  callsWith,
  expectStatus,
  password,
  startFortanix,
  type FortanixApp,
  type FortanixUser,
  type FortanixWorld,
} from '../../helpers/fortanix.ts'

let scene: FortanixWorld
/** Administers the account. */
let ada: FortanixUser
/** A plain member. */
let ben: FortanixUser
let auditor: FortanixUser
/** Administers another account. */
let mallory: FortanixUser
let account: string
let other: string

beforeAll(async () => {
  scene = await startFortanix()
  ada = await scene.signUp('Ada')
  ben = await scene.signUp('Ben')
  auditor = await scene.signUp('Audrey')
  mallory = await scene.signUp('Mallory')
  account = await scene.account(ada, 'Vault')
  other = await scene.account(mallory, 'Elsewhere')
  await scene.join(ada, ben, account)
  await scene.join(ada, auditor, account, 'ACCOUNTAUDITOR')
})
afterAll(() => scene[Symbol.asyncDispose]())

const nobody = '0192f0c0-0000-7000-8000-000000000000'
const refused = (status: number, text: string) => ({ status, text, type: 'text/plain' })
const forbidden = refused(403, 'The caller does not hold the permission that this call needs.')
const time = expect.stringMatching(/^\d{8}T\d{6}Z$/)
const group = async (by: FortanixUser, name: string, more: object = {}): Promise<string> =>
  expectStatus(await by.post('/sys/v1/groups', { name, ...more }), 201).group_id

describe('a user', () => {
  it('signs up, and is shown with all that the Rust client needs', async () => {
    const body = {
      user_email: 'cleo@example.com',
      user_password: password,
      recaptcha_response: null,
      first_name: 'Cleo',
      last_name: null,
    }
    const answer = await scene.anyone.post('/sys/v1/users', body)
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      user_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      user_email: 'cleo@example.com',
      first_name: 'Cleo',
      account_role: [],
      created_at: time,
      email_verified: true,
      has_password: true,
      groups: {},
      explicit_groups: {},
      mfa_devices: [],
      u2f_devices: [],
    })
  })

  it.each([
    [{ user_email: 'x@example.com' }, 400, 'user_password is needed.'],
    [{ user_email: 'x', user_password: 'x' }, 400, 'user_email must be an e-mail address.'],
    [{ user_email: 'ADA@example.com', user_password: 'x' }, 409, 'A user with this e-mail address exists already.'],
  ])('does not sign up with %j', async (body, status, text) => {
    expect(await scene.anyone.post('/sys/v1/users', body)).toMatchObject(refused(status, text))
  })

  it('cannot take the address of a person whom another organization knows', async () => {
    await scene.world.person('Oscar')
    const body = { user_email: 'oscar@example.com', user_password: 'mine now' }
    expect(await scene.anyone.post('/sys/v1/users', body)).toMatchObject({ status: 409 })
  })

  it('does not sign up by themselves where that is closed', async () => {
    await using closed = await startFortanix({ env: { QUORATE_FORTANIX_OPEN_SIGNUP: '0' } })
    const body = { user_email: 'x@example.com', user_password: 'x' }
    expect(await closed.anyone.post('/sys/v1/users', body)).toMatchObject(
      refused(403, 'Nobody signs up by themselves here.'),
    )
  })

  it('is invited, accepts, and is a member from then on', async () => {
    const dan = await scene.signUp('Dan')
    const invited = await ada.post('/sys/v1/users/invite', {
      user_email: dan.email,
      account_role: ['ACCOUNTMEMBER', 'STATEENABLED'],
    })
    expect(invited).toMatchObject({
      status: 201,
      body: { user_id: dan.id, account_role: ['ACCOUNTMEMBER', 'STATEENABLED', 'PENDINGINVITE'] },
    })
    expect((await dan.get('/sys/v1/users/accounts')).body).toEqual({
      [account]: ['ACCOUNTMEMBER', 'STATEENABLED', 'PENDINGINVITE'],
    })
    const select = async () => await dan.post('/sys/v1/session/select_account', { acct_id: account })
    expect(await select()).toMatchObject(refused(403, 'The invitation to this account has not been accepted.'))
    expect(await dan.post('/sys/v1/users/process_invite', { accepts: [account], rejects: null })).toMatchObject({
      status: 204,
      text: '',
    })
    expect(await select()).toMatchObject({ status: 200 })
    expect((await dan.get(`/sys/v1/users/${dan.id}`)).body.account_role).toEqual(['ACCOUNTMEMBER', 'STATEENABLED'])
  })

  it('turns an invitation down, and answers none that is none', async () => {
    const eve = await scene.signUp('Eve')
    expectStatus(
      await ada.post('/sys/v1/users/invite', { user_email: eve.email, account_role: ['ACCOUNTMEMBER'] }),
      201,
    )
    expect(await eve.post('/sys/v1/users/process_invite', { rejects: [account] })).toMatchObject({ status: 204 })
    expect((await eve.get('/sys/v1/users/accounts')).body).toEqual({})
    for (const id of [account, other, nobody]) {
      expect(await eve.post('/sys/v1/users/process_invite', { accepts: [id] })).toMatchObject(
        refused(404, `No invitation to account ${id}.`),
      )
    }
    expect(await eve.post('/sys/v1/users/process_invite')).toMatchObject({ status: 204 })
  })

  it('who is invited without STATEENABLED is disabled until an administrator enables them', async () => {
    const fay = await scene.signUp('Fay')
    expectStatus(
      await ada.post('/sys/v1/users/invite', { user_email: fay.email, account_role: ['ACCOUNTMEMBER'] }),
      201,
    )
    expectStatus(await fay.post('/sys/v1/users/process_invite', { accepts: [account] }), 204)
    const select = async () => await fay.post('/sys/v1/session/select_account', { acct_id: account })
    expect(await select()).toMatchObject(refused(403, 'The user is disabled in this account.'))
    expectStatus(await ada.patch(`/sys/v1/users/${fay.id}`, { enable: true }), 200)
    expect(await select()).toMatchObject({ status: 200 })
    expectStatus(await ada.patch(`/sys/v1/users/${fay.id}`, { enable: false }), 200)
    expect(await fay.get('/sys/v1/groups')).toMatchObject({ status: 401 })
  })

  it.each([
    [{ user_email: 'new@example.com', account_role: [] }, 400, 'account_role must name one role.'],
    [
      { user_email: 'new@example.com', account_role: ['ACCOUNTMEMBER', 'ACCOUNTAUDITOR'] },
      400,
      'account_role must name one role.',
    ],
    [
      { user_email: 'ben@example.com', account_role: ['ACCOUNTMEMBER'] },
      409,
      'A user with this e-mail address exists already.',
    ],
    [
      { user_email: 'mallory@example.com', user_password: 'mine', account_role: ['ACCOUNTMEMBER'] },
      400,
      'This user chose a password of their own.',
    ],
  ])('is not invited by %j', async (body, status, text) => {
    expect(await ada.post('/sys/v1/users/invite', body)).toMatchObject(refused(status, text))
  })

  it('is invited and changed by administrators only', async () => {
    const body = { user_email: 'new@example.com', account_role: ['ACCOUNTMEMBER'] }
    for (const caller of [ben, auditor]) {
      expect(await caller.post('/sys/v1/users/invite', body)).toMatchObject(forbidden)
      expect(await caller.patch(`/sys/v1/users/${ada.id}`, { enable: false })).toMatchObject(forbidden)
      expect(
        await caller.patch(`/sys/v1/users/${caller.id}`, { account_role: ['ACCOUNTADMINISTRATOR'] }),
      ).toMatchObject(forbidden)
    }
  })

  it('changes their own name, and nobody else does', async () => {
    expect((await ben.patch(`/sys/v1/users/${ben.id}`, { last_name: 'B', first_name: null })).body).toMatchObject({
      first_name: 'Ben',
      last_name: 'B',
    })
    expect(await ada.patch(`/sys/v1/users/${ben.id}`, { last_name: 'X' })).toMatchObject(forbidden)
  })

  it('who is the last administrator stays one', async () => {
    const last = refused(400, 'Without this user nobody could administer the account.')
    expect(await ada.patch(`/sys/v1/users/${ada.id}`, { enable: false })).toMatchObject(last)
    expect(await ada.patch(`/sys/v1/users/${ada.id}`, { account_role: ['ACCOUNTMEMBER'] })).toMatchObject(last)
  })

  it('of another account is not there', async () => {
    const unknown = refused(404, 'No such user.')
    for (const id of [mallory.id, nobody]) {
      expect(await ada.get(`/sys/v1/users/${id}`)).toMatchObject(unknown)
      expect(await ada.patch(`/sys/v1/users/${id}`, { enable: false })).toMatchObject(unknown)
    }
    const ids = (await ada.get('/sys/v1/users')).body.map((user: { user_id: string }) => user.user_id)
    expect(ids).toContain(ben.id)
    expect(ids).not.toContain(mallory.id)
    expect(await ada.get('/sys/v1/users/x')).toMatchObject(refused(400, 'user_id must be a UUID.'))
  })

  it('is found by pages, as the clients ask for them', async () => {
    const all = (await ada.get('/sys/v1/users?')).body.map((user: { user_id: string }) => user.user_id)
    const first = (await ada.get('/sys/v1/users?limit=2&sort=user_id:asc')).body
    expect(first.map((user: { user_id: string }) => user.user_id)).toEqual(all.slice(0, 2))
    const next = (await ada.get(`/sys/v1/users?limit=2&start=${all[1]}`)).body
    expect(next.map((user: { user_id: string }) => user.user_id)).toEqual(all.slice(2, 4))
    expect(await ada.get('/sys/v1/users?limit=x')).toMatchObject(refused(400, 'limit must be a whole number.'))
  })
})

describe('an account', () => {
  it('is made with its settings, and shown in the form that the Go client takes', async () => {
    const gus = await scene.signUp('Gus')
    const { status, body } = await gus.post('/sys/v1/accounts', {
      name: 'Settings',
      approval_request_expiry: 60,
      retain_expired_requests: true,
      organization: null,
    })
    expect(status).toBe(201)
    expect(body).toEqual({
      acct_id: expect.any(String),
      name: 'Settings',
      enabled: true,
      created_at: time,
      approval_request_expiry: 60,
      retain_expired_requests: true,
      log_expired_pending_requests: false,
      check_access_for_sensitive_operation_results: true,
      logging_configs: {},
      mark_key_disable_when_deactivated: false,
      purpose: { $type: 'Standard' },
      original_purpose: { $type: 'Standard' },
      subscription: { on_prem: {} },
    })
    expect((await gus.get('/sys/v1/users/accounts')).body).toEqual({
      [body.acct_id]: ['ACCOUNTADMINISTRATOR', 'STATEENABLED'],
    })
    expect((await gus.get('/sys/v1/accounts')).body).toHaveLength(1)
  })

  it('is changed by its administrator, and keeps what is absent', async () => {
    const answer = await ada.patch(`/sys/v1/accounts/${account}`, {
      description: 'Keys',
      approval_request_expiry: 3600,
    })
    expect(answer).toMatchObject({
      status: 200,
      body: { name: 'Vault', description: 'Keys', approval_request_expiry: 3600 },
    })
    expect((await ada.patch(`/sys/v1/accounts/${account}`, { name: 'Vault 2', description: null })).body).toMatchObject(
      { name: 'Vault 2', description: 'Keys' },
    )
    expect((await ben.get(`/sys/v1/accounts/${account}`)).body).toMatchObject({ name: 'Vault 2' })
  })

  it.each([
    [{ approval_request_expiry: 0 }, 400, 'approval_request_expiry must be from 1 to 2147483647.'],
    [{ retain_expired_requests: 'yes' }, 400, 'retain_expired_requests must be true or false.'],
    [{ name: '' }, 400, 'name is needed.'],
    [{ name: 'Elsewhere' }, 409, 'An account of this name exists already.'],
  ])('is not changed by %j', async (body, status, text) => {
    expect(await ada.patch(`/sys/v1/accounts/${account}`, body)).toMatchObject(refused(status, text))
  })

  it('of others is not there, and nobody else changes it', async () => {
    for (const id of [other, nobody]) {
      expect(await ada.get(`/sys/v1/accounts/${id}`)).toMatchObject(refused(404, 'No such account.'))
      expect(await ada.patch(`/sys/v1/accounts/${id}`, { name: 'x' })).toMatchObject(refused(404, 'No such account.'))
    }
    for (const caller of [ben, auditor]) {
      expect(await caller.patch(`/sys/v1/accounts/${account}`, { name: 'x' })).toMatchObject(forbidden)
    }
  })
})

describe('a group', () => {
  it('is made, and shown with all that the Rust client needs', async () => {
    const { status, body } = await ben.post('/sys/v1/groups', {
      name: 'bens',
      description: 'His',
      approval_policy: null,
    })
    expect(status).toBe(201)
    const shown = {
      acct_id: account,
      group_id: body.group_id,
      name: 'bens',
      description: 'His',
      created_at: time,
      creator: { user: ben.id },
    }
    expect(body).toEqual(shown)
    expect((await ben.get(`/sys/v1/groups/${body.group_id}`)).body).toEqual(shown)
    expect((await ben.get(`/sys/v1/users/${ben.id}`)).body.groups).toEqual({ [body.group_id]: ['GROUPADMINISTRATOR'] })
  })

  it('is seen by administrators, auditors and its members, and by nobody else', async () => {
    const id = await group(ada, 'adas')
    expect(await auditor.get(`/sys/v1/groups/${id}`)).toMatchObject({ status: 200 })
    const unknown = refused(404, 'No such group.')
    for (const [caller, wanted] of [
      [ben, id],
      [mallory, id],
      [ada, nobody],
    ] as const) {
      expect(await caller.get(`/sys/v1/groups/${wanted}`)).toMatchObject(unknown)
      expect(await caller.patch(`/sys/v1/groups/${wanted}`, { name: 'x' })).toMatchObject(unknown)
      expect(await caller.delete(`/sys/v1/groups/${wanted}`)).toMatchObject(unknown)
    }
    expect((await ben.get('/sys/v1/groups')).body.map((shown: { name: string }) => shown.name)).not.toContain('adas')
    expectStatus(await ada.patch(`/sys/v1/users/${ben.id}`, { add_groups: { [id]: ['GROUPADMINISTRATOR'] } }), 200)
    expect(await ben.patch(`/sys/v1/groups/${id}`, { description: 'Both' })).toMatchObject({ status: 200 })
    expectStatus(await ada.patch(`/sys/v1/users/${ben.id}`, { del_groups: { [id]: ['GROUPADMINISTRATOR'] } }), 200)
    expect(await ben.get(`/sys/v1/groups/${id}`)).toMatchObject(unknown)
  })

  it('is not made or changed by an auditor', async () => {
    const id = await group(ada, 'audited')
    expect(await auditor.post('/sys/v1/groups', { name: 'mine' })).toMatchObject(forbidden)
    expect(await auditor.patch(`/sys/v1/groups/${id}`, { name: 'x' })).toMatchObject(forbidden)
  })

  it('has a name of its own in the account', async () => {
    await group(ada, 'taken')
    expect(await ada.post('/sys/v1/groups', { name: 'taken' })).toMatchObject(
      refused(409, 'A group of this name exists already.'),
    )
    expect(await mallory.post('/sys/v1/groups', { name: 'taken' })).toMatchObject({ status: 201 })
    expect(await ada.post('/sys/v1/groups', {})).toMatchObject(refused(400, 'name is needed.'))
    expect(await ada.get('/sys/v1/groups/x')).toMatchObject(refused(400, 'group_id must be a UUID.'))
  })

  it('is deleted with its name', async () => {
    const id = await group(ben, 'gone')
    expect(await ben.delete(`/sys/v1/groups/${id}`)).toMatchObject({ status: 204, text: '' })
    expect(await ada.get(`/sys/v1/groups/${id}`)).toMatchObject(refused(404, 'No such group.'))
    await group(ada, 'gone')
  })
})

describe('an app', () => {
  let keys: string
  let app: FortanixApp
  beforeAll(async () => {
    keys = await group(ada, 'app keys')
    app = await scene.app(ada, 'robot', { [keys]: ['VERIFY', 'SIGN'] })
  })

  it('is shown with all that the Rust client needs, its permissions when they are asked for', async () => {
    const shown = {
      acct_id: account,
      app_id: app.id,
      app_type: 'default',
      name: 'robot',
      enabled: true,
      auth_type: 'Secret',
      role: 'crypto',
      default_group: keys,
      created_at: time,
      creator: { user: ada.id },
    }
    expect((await ada.get(`/sys/v1/apps/${app.id}?`)).body).toEqual({ ...shown, groups: [keys] })
    expect((await app.get(`/sys/v1/apps/${app.id}?group_permissions=true`)).body).toEqual({
      ...shown,
      groups: { [keys]: ['SIGN', 'VERIFY'] },
    })
  })

  it('sees its groups and itself', async () => {
    await scene.app(ada, 'second', { [keys]: ['SIGN'] })
    expect((await app.get('/sys/v1/groups')).body.map((shown: { group_id: string }) => shown.group_id)).toEqual([keys])
    expect((await app.get('/sys/v1/apps')).body.map((shown: { app_id: string }) => shown.app_id)).toEqual([app.id])
    expect((await ada.get('/sys/v1/apps')).body).toHaveLength(2)
    expect((await ben.get('/sys/v1/apps')).body).toEqual([])
  })

  it('administers nothing', async () => {
    expect(await app.post('/sys/v1/groups', { name: 'x' })).toMatchObject(forbidden)
    expect(await app.patch(`/sys/v1/groups/${keys}`, { name: 'x' })).toMatchObject(forbidden)
    expect(await app.get(`/sys/v1/apps/${app.id}/credential`)).toMatchObject(forbidden)
    expect(await app.post('/sys/v1/accounts', { name: 'x' })).toMatchObject(refused(403, 'Only a user can do this.'))
  })

  it('gets groups and loses them, and keeps what is absent', async () => {
    const more = await group(ada, 'more keys')
    const url = `/sys/v1/apps/${app.id}?group_permissions=true`
    const added = await ada.patch(url, {
      add_groups: { [more]: ['ENCRYPT'] },
      mod_groups: { [keys]: ['SIGN'] },
      enabled: null,
    })
    expect(added.body).toMatchObject({
      name: 'robot',
      enabled: true,
      groups: { [keys]: ['SIGN'], [more]: ['ENCRYPT'] },
    })
    const less = await ada.patch(url, { del_groups: [more], name: 'robot 2', description: 'Signs' })
    expect(less.body).toMatchObject({ name: 'robot 2', description: 'Signs', groups: { [keys]: ['SIGN'] } })
    expect(await ada.patch(url, { del_groups: [more] })).toMatchObject(
      refused(400, 'del_groups names a group that the app is not in.'),
    )
    expect(await ada.patch(url, { default_group: more })).toMatchObject(
      refused(400, 'default_group must be one of the groups of the app.'),
    )
  })

  it('has another secret once that is reset, and the one before lets nobody in', async () => {
    expectStatus(await ada.post(`/sys/v1/apps/${app.id}/reset_secret`, { secret_size: null }), 200)
    expect(await app.get('/sys/v1/groups')).toMatchObject({ status: 401 })
    const { body } = await ada.get(`/sys/v1/apps/${app.id}/credential`)
    expect(body).toEqual({ app_id: app.id, credential: { secret: expect.stringMatching(/^[\w-]{43}$/) } })
    const key = Buffer.from(`${app.id}:${body.credential.secret}`).toString('base64')
    expect(await callsWith(scene.world, `Basic ${key}`).get('/sys/v1/groups')).toMatchObject({ status: 200 })
  })

  it('is managed by whoever is in all of its groups', async () => {
    const bens = await group(ben, 'bens robots')
    const his = await scene.app(ben, 'bens robot', { [bens]: ['SIGN'] })
    expect(await ben.post('/sys/v1/apps', { name: 'stray', add_groups: { [keys]: ['SIGN'] } })).toMatchObject(
      refused(404, 'No such group.'),
    )
    expect(await ben.post('/sys/v1/apps', { name: 'stray' })).toMatchObject(forbidden)
    expectStatus(await ada.patch(`/sys/v1/apps/${his.id}`, { add_groups: { [keys]: ['SIGN'] } }), 200)
    expect(await ben.get(`/sys/v1/apps/${his.id}`)).toMatchObject({ status: 200 })
    for (const call of [
      () => ben.get(`/sys/v1/apps/${his.id}/credential`),
      () => ben.patch(`/sys/v1/apps/${his.id}`, { name: 'x' }),
    ]) {
      expect(await call()).toMatchObject(forbidden)
    }
  })

  it('of others is not there', async () => {
    const unknown = refused(404, 'No such app.')
    for (const [caller, id] of [
      [mallory, app.id],
      [ben, app.id],
      [ada, nobody],
    ] as const) {
      expect(await caller.get(`/sys/v1/apps/${id}`)).toMatchObject(unknown)
      expect(await caller.patch(`/sys/v1/apps/${id}`, { name: 'x' })).toMatchObject(unknown)
      expect(await caller.get(`/sys/v1/apps/${id}/credential`)).toMatchObject(unknown)
      expect(await caller.delete(`/sys/v1/apps/${id}`)).toMatchObject(unknown)
    }
    expect(await ada.patch(`/sys/v1/apps/${app.id}`, { add_groups: { [nobody]: ['SIGN'] } })).toMatchObject(
      refused(404, 'No such group.'),
    )
  })

  it.each([
    [{}, 'name is needed.'],
    [{ name: 'x', add_groups: { x: ['SIGN'] } }, 'add_groups.x must be named by a UUID.'],
    [{ name: 'x', credential: { secret: 'mine' } }, 'credential is made by the server, and is a secret.'],
    [{ name: 'x', role: 'king' }, 'role must be one of crypto, admin.'],
  ])('is not made of %j', async (body, text) => {
    expect(await ada.post('/sys/v1/apps', body)).toMatchObject(refused(400, text))
  })

  it('has a name of its own in the account', async () => {
    await scene.app(ada, 'once', { [keys]: [] })
    expect(await ada.post('/sys/v1/apps', { name: 'once' })).toMatchObject(
      refused(409, 'An app of this name exists already.'),
    )
  })

  it('is removed for good', async () => {
    const gone = await scene.app(ada, 'gone', { [keys]: ['SIGN'] })
    expect(await ada.delete(`/sys/v1/apps/${gone.id}`)).toMatchObject({ status: 204 })
    expect(await gone.get('/sys/v1/groups')).toMatchObject({ status: 401 })
    expect(await ada.get(`/sys/v1/apps/${gone.id}`)).toMatchObject({ status: 404 })
  })
})
