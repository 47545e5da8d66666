import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authenticator } from '../../helpers/authenticator.ts'
import { registerKey } from '../../helpers/fortanix-devices.ts'
import { hashPassword } from '../../../src/identity/credentials/password-hash.ts'
import {
  assertionOf,
  basic,
  callsWith,
  expectStatus,
  password,
  startFortanix,
  type FortanixApp,
  type FortanixUser,
  type FortanixWorld,
} from '../../helpers/fortanix.ts'

let scene: FortanixWorld
let ada: FortanixUser
let account: string
let app: FortanixApp

beforeAll(async () => {
  scene = await startFortanix()
  ada = await scene.signUp('Ada')
  account = await scene.account(ada, 'Vault')
  const group = expectStatus(await ada.post('/sys/v1/groups', { name: 'keys' }), 201).group_id
  app = await scene.app(ada, 'signer', { [group]: ['SIGN'] })
})
afterAll(() => scene[Symbol.asyncDispose]())

const auth = '/sys/v1/session/auth'
const wrong = 'The name or the password is wrong, or whoever has them is disabled.'
const ended = 'The session is unknown or has ended.'
const refused = (status: number, text: string) => ({ status, text, type: 'text/plain' })
const fresh = async (): Promise<FortanixUser> => await scene.signIn(ada.email)

describe('whoever signs in', () => {
  it('a user by address and password, without a body', async () => {
    const answer = await callsWith(scene.world, basic(ada.email, password)).post(auth)
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      token_type: 'Bearer',
      expires_in: 86_400,
      access_token: expect.stringMatching(/^[\w-]{43}$/),
      entity_id: ada.id,
    })
  })

  it('an app by its key', async () => {
    const answer = await callsWith(scene.world, `Basic ${app.key}`).post(auth)
    expect(answer.body).toMatchObject({ token_type: 'Bearer', entity_id: app.id })
    const { access_token: token } = answer.body
    expect(await callsWith(scene.world, `Bearer ${token}`).get(`/sys/v1/apps/${app.id}`)).toMatchObject({ status: 200 })
  })

  it('a user by a body, whatever the case of the address', async () => {
    const body = { method: 'password', email: ada.email.toUpperCase(), password, token_type: 'Bearer' }
    expect(await scene.anyone.post(auth, body)).toMatchObject({ status: 200, body: { entity_id: ada.id } })
  })

  it('an app by the name that it has in its account', async () => {
    const secret = Buffer.from(app.key, 'base64').toString().split(':')[1]
    const body = { method: 'auth-by-app-name', acct_id: account, name: 'signer', password: secret }
    expect(await scene.anyone.post(auth, body)).toMatchObject({ status: 200, body: { entity_id: app.id } })
  })

  const uuid = '0192f0c0-0000-7000-8000-000000000000'
  it.each([
    ['a wrong password', () => basic(ada.email, 'x'), null],
    ['an unknown address', () => basic('nobody@example.com', password), null],
    ['an unknown app', () => basic(uuid, 'x'), null],
    ['a wrong secret', () => basic(app.id, 'x'), null],
    ['a Basic without a colon', () => `Basic ${Buffer.from('ada').toString('base64')}`, null],
    ['a Basic that is no base64', () => 'Basic *', null],
    ['a wrong password in a body', null, () => ({ method: 'password', email: ada.email, password: 'x' })],
    [
      'an app of another account',
      null,
      () => ({ method: 'auth-by-app-name', acct_id: uuid, name: 'signer', password: 'x' }),
    ],
  ])('is refused with %s', async (_name, header, body) => {
    const answer = await callsWith(scene.world, header?.() ?? null).post(auth, body?.())
    expect(answer).toMatchObject(refused(401, wrong))
  })

  it.each([
    [{ method: 'saml', password: 'x' }, 'method must be one of password, auth-by-app-name.'],
    [{ email: 'a@b', password: 'x' }, 'method is needed.'],
    [{ method: 'password', email: 'a@b', password: 'x', token_type: 'Mac' }, 'token_type must be one of Bearer.'],
    [{ method: 'auth-by-app-name', name: 'a', password: 'x' }, 'acct_id is needed.'],
    [
      { method: 'auth-by-app-name', acct_id: 'x', name: 'a', password: 'x' },
      'acct_id must be a UUID. acct_id is needed.',
    ],
  ])('is refused with the body %j', async (body, text) => {
    expect(await scene.anyone.post(auth, body)).toMatchObject(refused(400, text))
  })

  it('is held to so many wrong passwords a minute', async () => {
    const ben = await scene.signUp('Ben')
    const tries = await Promise.all(
      Array.from({ length: 25 }, () => callsWith(scene.world, basic(ben.email, 'x')).post(auth)),
    )
    expect(
      tries
        .map(({ status }) => status)
        .toSorted((one, other) => one - other)
        .slice(20),
    ).toEqual([429, 429, 429, 429, 429])
    scene.world.clock.advance(60_000)
    expect(await callsWith(scene.world, basic(ben.email, password)).post(auth)).toMatchObject({ status: 200 })
  })

  it('an app that is disabled: 403, by its key, with a session and anew', async () => {
    const group = expectStatus(await ada.post('/sys/v1/groups', { name: 'short' }), 201).group_id
    const short = await scene.app(ada, 'short', { [group]: ['SIGN'] })
    const { access_token: token } = expectStatus(await short.post(auth), 200)
    expectStatus(await ada.patch(`/sys/v1/apps/${short.id}`, { enabled: false }), 200)
    expect(await short.post(auth)).toMatchObject(refused(403, 'The app is disabled.'))
    expect(await short.get('/sys/v1/groups')).toMatchObject(refused(403, 'The app is disabled.'))
    expect(await callsWith(scene.world, `Bearer ${token}`).get('/sys/v1/groups')).toMatchObject(refused(401, ended))
  })
})

describe('an account is selected', () => {
  it('before which calls about one are refused, and sees another session not', async () => {
    const again = await fresh()
    const notYet = refused(403, 'The session has selected no account.')
    expect(await again.get('/sys/v1/groups')).toMatchObject(notYet)
    expect(await again.post('/sys/v1/session/select_account', { acct_id: account })).toMatchObject({
      status: 200,
      text: '{}',
    })
    expect(await again.get('/sys/v1/groups')).toMatchObject({ status: 200 })
    expect(await (await fresh()).get('/sys/v1/groups')).toMatchObject(notYet)
  })

  it('and one that is not theirs, or is none, is not found', async () => {
    const cleo = await scene.signUp('Cleo')
    for (const id of [account, '0192f0c0-0000-7000-8000-000000000000']) {
      const answer = await cleo.post('/sys/v1/session/select_account', { acct_id: id })
      expect(answer).toMatchObject(refused(404, 'No such account.'))
    }
    expect(await cleo.post('/sys/v1/session/select_account', {})).toMatchObject(refused(400, 'acct_id is needed.'))
  })

  it('but not by an app', async () => {
    const answer = await app.post('/sys/v1/session/select_account', { acct_id: account })
    expect(answer).toMatchObject(refused(403, 'Only a user can do this.'))
  })
})

describe('a session', () => {
  it('lives a day, and a day longer from each refresh', async () => {
    const again = await fresh()
    scene.world.clock.advance(86_000_000)
    expect(await again.post('/sys/v1/session/refresh')).toMatchObject({ status: 204, text: '' })
    scene.world.clock.advance(86_000_000)
    expect(await again.get('/sys/v1/users/accounts')).toMatchObject({ status: 200 })
    scene.world.clock.advance(400_001)
    expect(await again.get('/sys/v1/users/accounts')).toMatchObject(refused(401, ended))
    expect(await again.post('/sys/v1/session/refresh')).toMatchObject(refused(401, ended))
    ada = await fresh()
    await ada.post('/sys/v1/session/select_account', { acct_id: account })
  })

  it('is dead once terminated, and the others are not', async () => {
    const again = await fresh()
    expect(await again.post('/sys/v1/session/terminate')).toMatchObject({ status: 204, text: '' })
    expect(await again.get('/sys/v1/users/accounts')).toMatchObject(refused(401, ended))
    expect(await again.post('/sys/v1/session/terminate')).toMatchObject(refused(401, ended))
    expect(await ada.get('/sys/v1/users/accounts')).toMatchObject({ status: 200 })
  })

  it('of an app is begun anew by one of its own, and by no user', async () => {
    expect(await app.post('/sys/v1/session/reauth')).toMatchObject({ status: 200, body: { entity_id: app.id } })
    expect(await ada.post('/sys/v1/session/reauth')).toMatchObject(refused(403, 'Only an app can do this.'))
  })

  it('is kept by its hash', async () => {
    const rows = await scene.world.ctx.db.selectFrom('fortanix_sessions').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(ada.token)
  })
})

type Keyed = FortanixUser & {
  readonly codes: readonly string[]
  readonly key: Authenticator
  readonly options: { readonly challenge: string; readonly rpId: string }
}

describe('a second factor', () => {
  /** Somebody with a security key, registered as a page does it, who has signed in since. */
  async function keyed(name: string): Promise<Keyed> {
    const user = await scene.signUp(name)
    const { recovery_codes: codes } = expectStatus(await user.post('/sys/v1/users/generate_recovery_codes'), 200)
    const key = new Authenticator()
    await registerKey(scene.world, user, key)
    const options = expectStatus(await callsWith(scene.world, basic(user.email, password)).post(auth), 200)
    const token: string = options.access_token
    return {
      ...callsWith(scene.world, `Bearer ${token}`),
      id: user.id,
      email: user.email,
      token,
      codes,
      key,
      options: options.fido2_assertion_options,
    }
  }

  const origin = () => new URL(scene.world.ctx.publicUrl).origin

  it('is delivered by a security key, once, and its challenge is spent by a failed try too', async () => {
    const gina = await keyed('Gina')
    const right = assertionOf(scene.world, gina.key, gina.options)
    const deliver = async (body: unknown) => await gina.post('/sys/v1/session/auth/2fa/fido2', body)
    expect(await deliver({})).toMatchObject(refused(400, 'response must be an object.'))
    expect(await deliver(right)).toMatchObject({ status: 204, text: '' })
    expect(await gina.get('/sys/v1/users/accounts')).toMatchObject({ status: 200 })
    expect(await deliver(right)).toMatchObject(refused(400, 'The session owes no second factor.'))

    const harry = await keyed('Harry')
    const other = {
      ...assertionOf(scene.world, harry.key, harry.options),
      id: Buffer.from('another').toString('base64url'),
    }
    expect(await harry.post('/sys/v1/session/auth/2fa/fido2', other)).toMatchObject({ status: 403 })
    expect(
      await harry.post('/sys/v1/session/auth/2fa/fido2', assertionOf(scene.world, harry.key, harry.options)),
    ).toMatchObject({ status: 403 })
    expect(await harry.get('/sys/v1/users/accounts')).toMatchObject({ status: 403 })
  })

  it('that is owed is told with what the key has to sign', async () => {
    const ivan = await keyed('Ivan')
    const { body } = await callsWith(scene.world, basic(ivan.email, password)).post(auth)
    expect(body.fido2_assertion_options).toMatchObject({
      rpId: 'localhost',
      allowCredentials: [{ type: 'public-key' }],
    })
    expect(body.challenge).toEqual({ u2f_challenge: body.fido2_assertion_options.challenge, u2f_keys: [] })
    expect((await callsWith(scene.world, basic(ada.email, password)).post(auth)).body).not.toHaveProperty(
      'fido2_assertion_options',
    )
  })

  it('is registered, renamed and taken away in an unlocked session only', async () => {
    const locked = refused(400, 'The configuration of security keys is locked in this session.')
    const jane = await keyed('Jane')
    expectStatus(
      await jane.post('/sys/v1/session/auth/2fa/fido2', assertionOf(scene.world, jane.key, jane.options)),
      204,
    )
    const url = `/sys/v1/users/${jane.id}`
    const rename = { rename_mfa_devices: [{ old_name: 'usb', new_name: 'nfc' }] }
    const calls = [
      () => jane.post('/sys/v1/session/config_2fa/new_challenge?protocol=fido2'),
      () => jane.patch(url, rename),
      () => jane.patch(url, { del_mfa_devices: [{ name: 'usb' }] }),
    ]
    for (const call of calls) expect(await call()).toMatchObject(locked)
    expectStatus(await jane.post('/sys/v1/session/config_2fa/auth', { password }), 200)
    scene.world.clock.advance(600_000)
    for (const call of calls) expect(await call()).toMatchObject(locked)
    expectStatus(await jane.post('/sys/v1/session/config_2fa/auth', { password }), 200)
    expect(await ada.patch(url, rename)).toMatchObject({ status: 403 })
    expect((await jane.patch(url, rename)).body.mfa_devices).toEqual([{ name: 'nfc', type: 'Fido2', origin: origin() }])
    expect((await jane.patch(url, { del_mfa_devices: [{ name: 'nfc' }] })).body.mfa_devices).toEqual([])
    expectStatus(await jane.post('/sys/v1/session/config_2fa/terminate'), 204)
    for (const call of calls) expect(await call()).toMatchObject(locked)
  })

  it('that is owed makes the session good for nothing else', async () => {
    const dana = await keyed('Dana')
    const pending = refused(403, 'The session owes a second factor.')
    const calls = [
      () => dana.get('/sys/v1/users/accounts'),
      () => dana.post('/sys/v1/session/select_account', { acct_id: account }),
      () => dana.post('/sys/v1/session/refresh'),
      () => dana.post('/sys/v1/session/config_2fa/auth', { password }),
      () => dana.post('/sys/v1/accounts', { name: 'mine' }),
    ]
    for (const call of calls) expect(await call()).toMatchObject(pending)
    expect(await dana.post('/sys/v1/session/auth/2fa/u2f', {})).toMatchObject({ status: 400 })
    expect(await dana.post('/sys/v1/session/terminate')).toMatchObject({ status: 204 })
  })

  it('a recovery code delivers it, once', async () => {
    const eli = await keyed('Eli')
    const deliver = async (who: FortanixUser, code: unknown) =>
      await who.post('/sys/v1/session/auth/2fa/recovery_code', { recovery_code: code })
    expect(eli.codes).toHaveLength(10)
    const unknown = refused(401, 'The recovery code is unknown or was used already.')
    expect(await deliver(eli, 'nothing')).toMatchObject(unknown)
    expect(await deliver(eli, null)).toMatchObject(refused(400, 'recovery_code is needed.'))
    const answers = await Promise.all([
      deliver(eli, eli.codes[0]),
      deliver(await scene.signIn(eli.email), eli.codes[0]),
    ])
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([204, 401])
    const whole = await scene.signIn(eli.email)
    expect(await deliver(whole, eli.codes[1])).toMatchObject({ status: 204, text: '' })
    expect(await whole.get('/sys/v1/users/accounts')).toMatchObject({ status: 200, text: '{}' })
    expect(await deliver(whole, eli.codes[2])).toMatchObject(refused(400, 'The session owes no second factor.'))
  })

  it('is configured once the password was given again', async () => {
    const again = await fresh()
    const wrongPassword = refused(403, 'The password is wrong.')
    expect(await again.post('/sys/v1/session/config_2fa/auth', { password: 'x' })).toMatchObject(wrongPassword)
    expect(await again.post('/sys/v1/session/config_2fa/auth', {})).toMatchObject(refused(400, 'password is needed.'))
    expect(await again.post('/sys/v1/session/config_2fa/auth', { password })).toMatchObject({ status: 200, text: '{}' })
    expect(await again.post('/sys/v1/session/config_2fa/terminate')).toMatchObject({ status: 204, text: '' })
  })
})

it('a password is kept as a slow hash', async () => {
  const rows = await scene.world.ctx.db
    .selectFrom('person_credentials')
    .selectAll()
    .where('kind', '=', 'password')
    .execute()
  const [algorithm] = (await hashPassword('x')).split('$', 2).slice(1)
  for (const { hash } of rows) expect(hash).toMatch(new RegExp(`^\\$${algorithm}\\$`))
})
