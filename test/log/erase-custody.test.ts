import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eraseText } from '../../src/audit/erase-text.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf } from '../../src/monitor/finding.ts'
import { findingsOf } from '../monitor/tried.ts'
import { Authenticator } from '../helpers/authenticator.ts'
import {
  attestationOf,
  basic,
  callsWith,
  expectStatus,
  password,
  startFortanix,
  type FortanixUser,
  type FortanixWorld,
} from '../helpers/fortanix.ts'
import { placesOf } from '../helpers/places-of.ts'
import { orgId } from '../helpers/quorum.ts'

const secret = 'a-text-to-forget'
const sys = '/sys/v1'

describe.each(['postgres', 'pglite'] as const)('erasing what the Fortanix API made, on %s', (engine) => {
  let scene: FortanixWorld
  let ada: FortanixUser
  let account: string
  let serial = 0
  beforeAll(async () => {
    scene = await startFortanix({ engine })
    ada = await scene.signUp('Ada')
    account = await scene.account(ada, 'Vault')
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  const db = () => scene.world.ctx.db
  const erase = (organization: string, id: string, seq: number | null = null) =>
    eraseText(scene.world.ctx, { organization, id, seq })
  const places = () => placesOf(db(), secret)
  const found = async () => (await findingsOf(scene.world, new Map())).found.map(lineOf)
  /** Nothing is left of it, and the monitor has nothing to say, sealed or not. */
  const expectGone = async () => {
    expect(await places()).toEqual([])
    expect(await found()).toEqual([])
    const organizations = await db().selectFrom('organizations').select('id').execute()
    for (const { id } of organizations) await sealNow(scene.world.ctx, id)
    expect(await found()).toEqual([])
  }
  const group = async (members: object = {}) =>
    String(expectStatus(await ada.post(`${sys}/groups`, { name: `group ${++serial}`, ...members }), 201).group_id)
  /** Somebody whose address and names are to be forgotten, with a security key that is called so too. */
  const forgettable = async (): Promise<FortanixUser> => {
    const email = `${secret}-${++serial}@example.com`
    const names = { first_name: `${secret} Olga`, last_name: secret }
    expectStatus(await scene.anyone.post(`${sys}/users`, { user_email: email, user_password: password, ...names }), 201)
    const user = await scene.signIn(email)
    expectStatus(await user.post(`${sys}/session/config_2fa/auth`, { password }), 200)
    const asked = await user.post(`${sys}/session/config_2fa/new_challenge?protocol=fido2`)
    const { challenge, rp } = expectStatus(asked, 200)
    const attestationResult = attestationOf(scene.world, new Authenticator(), challenge, rp.id)
    const device = { add_mfa_devices: [{ name: secret, attestationResult }] }
    expectStatus(await user.patch(`${sys}/users/${user.id}`, device), 200)
    expectStatus(await user.post(`${sys}/users/generate_recovery_codes`), 200)
    return user
  }
  const rowsOf = async (table: string, person: string): Promise<number> => {
    const { rows } = await sql`select from ${sql.table(table)} where person_id = ${person}`.execute(db())
    return rows.length
  }
  /** Nobody comes in as them any more, by whatever they had. */
  const expectShutOut = async (user: FortanixUser) => {
    expect(await user.get(`${sys}/users/accounts`)).toMatchObject({ status: 401 })
    expect(await callsWith(scene.world, basic(user.email, password)).post(`${sys}/session/auth`)).toMatchObject({
      status: 401,
    })
    for (const table of ['person_credentials', 'fortanix_recovery_codes', 'fortanix_sessions', 'key_challenges']) {
      expect([table, await rowsOf(table, user.id)]).toEqual([table, 0])
    }
  }
  const memberOf = async (user: FortanixUser) =>
    await db().selectFrom('fortanix_members').selectAll().where('person_id', '=', user.id).execute()

  it('forgets a user by what they are in an account, who can come back to none', async () => {
    const user = await forgettable()
    await scene.join(ada, user, account)
    const [member] = await memberOf(user)
    expect(await erase(account, member?.principal_id ?? '')).toMatchObject({ what: 'user', fields: ['email', 'name'] })
    await expectShutOut(user)
    expect(await memberOf(user)).toMatchObject([{ is_enabled: false, state: 'joined' }])
    await expectGone()
    expect(await erase(account, member?.principal_id ?? '')).toMatchObject({ fields: [] })
  })

  it('forgets a person with all that they are in whatever account, or in none', async () => {
    const [member, loner, invited] = [await forgettable(), await forgettable(), await forgettable()]
    await scene.join(ada, member, account)
    await scene.account(member, secret)
    const invitation = { user_email: invited.email, account_role: ['ACCOUNTMEMBER', 'STATEENABLED'] }
    expectStatus(await ada.post(`${sys}/users/invite`, invitation), 201)
    const own = (await memberOf(member)).find((row) => row.org_id !== account)?.org_id ?? ''
    for (const user of [member, loner, invited]) {
      const { what, fields } = await erase('default', user.id)
      expect([what, fields]).toEqual(['person', ['email', 'first_name', 'last_name', 'name']])
      await expectShutOut(user)
      expect((await memberOf(user)).filter((row) => row.is_enabled)).toEqual([])
      expect(await erase('default', user.id)).toMatchObject({ fields: [] })
    }
    // What the account was called is erased by itself.
    expect(await places()).toEqual(['audit_leaves', 'organizations'])
    await erase(own, own)
    await expectGone()
  })

  it('does not take away what somebody signs in with elsewhere', async () => {
    const user = await forgettable()
    const native = await scene.world.person(user.email.split('@')[0] ?? '', { admin: true })
    const both = [
      [orgId, native.id],
      [orgId, user.id],
    ] as const
    for (const [organization, id] of both) {
      await expect(erase(organization, id)).rejects.toThrow('signs in with their e-mail address: disable them first')
    }
    expect(await rowsOf('person_credentials', user.id)).toBe(2)
    const admin = await scene.world.person(`admin${++serial}`, { admin: true })
    expect(await admin.post(`/v1/users/${native.id}/disable`)).toMatchObject({ status: 204 })
    await erase('default', user.id)
    await expectShutOut(user)
    await expectGone()
  })

  it('forgets an account, its description and its name, and keeps that of one that the server made', async () => {
    const other = await scene.account(ada, secret)
    expectStatus(await ada.patch(`${sys}/accounts/${other}`, { name: `${secret} 2`, description: secret }), 200)
    expect(await erase(other, other)).toEqual({ what: 'account', fields: ['description', 'name'], leaves: 2 })
    await expectGone()
    expect(await erase(other, other)).toMatchObject({ fields: [] })
    expect(expectStatus(await ada.get(`${sys}/accounts/${other}`), 200).name).toBe(`erased:${other}`)
    expectStatus(await ada.post(`${sys}/session/select_account`, { acct_id: account }), 200)
  })

  it('forgets an app and a key, which go on by their ids', async () => {
    const keys = await group({ name: secret, description: secret })
    const app = await scene.app(ada, secret, { [keys]: ['ENCRYPT'] })
    expectStatus(await ada.patch(`${sys}/apps/${app.id}`, { description: secret }), 200)
    const made = { name: secret, description: secret, obj_type: 'AES', key_size: 256, group_id: keys }
    const { kid } = expectStatus(await ada.post('/crypto/v1/keys', made), 201)
    expectStatus(await ada.patch(`/crypto/v1/keys/${kid}`, { name: `${secret} 2` }), 200)
    expect(await erase(account, kid)).toEqual({ what: 'key', fields: ['description', 'name'], leaves: 2 })
    const fields = ['app_type', 'description', 'email', 'name']
    expect(await erase(account, app.id)).toMatchObject({ what: 'API client', fields })
    await erase(account, keys)
    await expectGone()
    const plain = Buffer.from('data').toString('base64')
    const call = { key: { kid }, alg: 'AES', mode: 'CBC', plain }
    expectStatus(await app.post('/crypto/v1/encrypt', call), 200)
    expect(await erase(account, kid)).toMatchObject({ fields: [] })
    await expectGone()
  })

  it('forgets an app and a key that are gone', async () => {
    const keys = await group()
    const app = await scene.app(ada, secret, { [keys]: ['SIGN'] })
    const made = { name: secret, obj_type: 'AES', key_size: 256, group_id: keys }
    const { kid } = expectStatus(await ada.post('/crypto/v1/keys', made), 201)
    expectStatus(await ada.delete(`/crypto/v1/keys/${kid}`), 204)
    expectStatus(await ada.delete(`${sys}/apps/${app.id}`), 204)
    for (const id of [kid, app.id]) await erase(account, id)
    await expectGone()
  })

  it('forgets what was asked for, sent with approvals, answered and said against it', async () => {
    const keys = await group({ approval_policy: { user: ada.id } })
    const requests = `${sys}/approval_requests`
    const ask = async () => {
      const body = { description: secret }
      const question = { method: 'PATCH', operation: `${sys}/groups/${keys}?why=${secret}`, body, description: secret }
      return String(expectStatus(await ada.post(requests, question), 201).request_id)
    }
    const [done, denied] = [await ask(), await ask()]
    await expect(erase(account, done)).rejects.toThrow('can still be voted on')
    expectStatus(await ada.post(`${requests}/${done}/approve`, { body: { part: secret } }), 200)
    expectStatus(await ada.post(`${requests}/${denied}/deny`, { reason: secret }), 200)
    await db().updateTable('fortanix_requests').set(undone).where('request_id', '=', done).execute()
    await expect(erase(account, done)).rejects.toThrow('is approved and not done yet: let it be done')
    await db()
      .updateTable('fortanix_requests')
      .set({ execution: 'succeeded', result_status: 200, executed_at: scene.world.clock.now() })
      .where('request_id', '=', done)
      .execute()
    const fields = ['body', 'description', 'metadata', 'name', 'operation', 'result']
    for (const id of [done, denied]) expect(await erase(account, id)).toMatchObject({ what: 'request', fields })
    expect(await erase(account, denied, 1)).toMatchObject({ fields: ['reason', 'reason_salt'] })
    await erase(account, keys)
    const row = db().selectFrom('fortanix_requests').select(['body', 'result', 'operation'])
    expect(await row.where('request_id', '=', done).executeTakeFirst()).toEqual({
      body: null,
      result: null,
      operation: `${sys}/groups/${keys}`,
    })
    expect(await db().selectFrom('fortanix_approvals').selectAll().execute()).toEqual([])
    await expectGone()
    expect(await erase(account, done)).toMatchObject({ fields: [] })
  })
})

const undone = { execution: 'due', result_status: null, executed_at: null } as const
