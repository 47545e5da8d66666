import { openAccount } from '../../src/custody/accounts.ts'
import { addMember } from '../../src/custody/members.ts'
import { addUser, signUp } from '../../src/custody/users.ts'
import { relyingPartyOf } from '../../src/identity/webauthn/relying-party.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { Authenticator } from './authenticator.ts'
import { withFactors, type Voter } from './factors.ts'
import {
  assertionOf,
  attestationOf,
  basic,
  callsWith,
  password,
  type FortanixCalls,
  type RawAnswer,
} from './fortanix.ts'
import { orgId } from './quorum.ts'
import type { Client, World } from './world.ts'

const sys = '/sys/v1'
const keys = '/crypto/v1/keys'

/** A user with a session in the account. */
type User = FortanixCalls & { readonly id: string; readonly email: string }

/**
 * Makes the organization an account, to which everything happens that leaves a leaf of the custody of keys: users, invitations,
 * groups, apps, keys in every state, policies, security keys, and votes that were proved with them.
 */
export async function makeBusyCustody(world: World, ada: Client): Promise<void> {
  const admin = await openBusyAccount(world, ada)
  const [olga, paul] = [await joined(world, admin, 'Olga'), await joined(world, admin, 'Paul')]
  await invitations(world, admin, paul)
  await ok(olga.patch(`${sys}/users/${olga.id}`, { first_name: 'Olga', last_name: 'Orlova' }))
  const plain = await group(admin, { name: 'plain keys', description: 'Of everyone.' })
  const other = await group(admin, { name: 'other keys' })
  await ok(admin.patch(`${sys}/groups/${plain}`, { name: 'plainest keys' }))
  for (const user of [olga, paul]) await membership(admin, user, 'add_groups', plain)
  await membership(admin, paul, 'del_groups', plain)
  const app = await apps(world, admin, plain, other)
  world.clock.advance(1_000)
  await keysOf(world, admin, plain, other)
  await securityKeys(world, olga)
  await ok(admin.patch(`${sys}/users/${paul.id}`, { account_role: ['ACCOUNTAUDITOR'], enable: false }))
  world.clock.advance(1_000)
  const guarded = await policies(admin, { olga: olga.id, admin: admin.id, app: app.id, plain })
  await operations(world, { admin, olga, app }, guarded)
}

/** Ada administers it. */
async function openBusyAccount(world: World, ada: Client): Promise<User> {
  const { ctx } = world
  const email = 'ada@example.com'
  const personId = await transact(ctx, null, async (tx) => {
    await openAccount(ctx, tx, orgId, null)
    const user = { email, firstName: 'Ada', lastName: null, password }
    const person = await addUser(ctx, tx, { kind: 'system' }, user)
    const member = { orgId, personId: person, principalId: ada.id, role: 'administrator', isEnabled: true } as const
    await addMember(ctx, tx, { kind: 'system' }, 'member.joined', member)
    return person
  })
  const admin = { ...(await signedIn(world, email)), id: personId, email }
  await ok(admin.post(`${sys}/session/select_account`, { acct_id: orgId }))
  await ok(
    admin.patch(`${sys}/accounts/${orgId}`, {
      description: 'Where keys are kept.',
      approval_request_expiry: 86_400,
      retain_expired_requests: true,
    }),
  )
  return admin
}

async function signedIn(world: World, email: string): Promise<FortanixCalls> {
  const { body } = await ok(callsWith(world, basic(email, password)).post(`${sys}/session/auth`))
  return callsWith(world, `Bearer ${body.access_token}`)
}

/** Signs somebody up, whatever the configuration says of that. */
async function known(world: World, name: string): Promise<User> {
  const { ctx } = world
  const isOpen = { ...ctx, config: { ...ctx.config, fortanix: { ...ctx.config.fortanix, openSignUp: true } } }
  const email = `${name.toLowerCase()}@keys.example`
  const id = await signUp(isOpen, { email, firstName: name, lastName: 'of the keys', password })
  return { ...(await signedIn(world, email)), id, email }
}

async function joined(world: World, admin: User, name: string): Promise<User> {
  const user = await known(world, name)
  await invite(admin, user.email)
  world.clock.advance(1_000)
  await ok(user.post(`${sys}/users/process_invite`, { accepts: [orgId] }))
  await ok(user.post(`${sys}/session/select_account`, { acct_id: orgId }))
  return user
}

const invite = async (admin: User, email: string) =>
  await ok(admin.post(`${sys}/users/invite`, { user_email: email, account_role: ['ACCOUNTMEMBER', 'STATEENABLED'] }))

/** One that is turned down, one that nobody has answered, and one to somebody who was not known before. */
async function invitations(world: World, admin: User, { id }: User): Promise<void> {
  const quin = await known(world, 'Quin')
  await invite(admin, quin.email)
  await ok(quin.post(`${sys}/users/process_invite`, { rejects: [orgId] }))
  await invite(admin, (await known(world, 'Rosa')).email)
  await invite(admin, 'nobody.yet@keys.example')
  await ok(admin.patch(`${sys}/users/${id}`, { enable: false }))
  await ok(admin.patch(`${sys}/users/${id}`, { enable: true }))
}

async function group(admin: User, members: object): Promise<string> {
  return String((await ok(admin.post(`${sys}/groups`, members))).body.group_id)
}

async function membership(admin: User, { id }: User, how: 'add_groups' | 'del_groups', groupId: string): Promise<void> {
  await ok(admin.patch(`${sys}/users/${id}`, { [how]: { [groupId]: ['GROUPADMINISTRATOR'] } }))
}

/** @returns one that is enabled, and calls with its key */
async function apps(
  world: World,
  admin: User,
  plain: string,
  other: string,
): Promise<FortanixCalls & { readonly id: string }> {
  const made = async (name: string, members: object) =>
    String((await ok(admin.post(`${sys}/apps`, { name, ...members }))).body.app_id)
  const signer = await made('signer', {
    description: 'Signs.',
    app_type: 'pipeline',
    add_groups: { [plain]: ['SIGN', 'ENCRYPT'], [other]: ['SIGN'] },
    default_group: plain,
  })
  await ok(admin.patch(`${sys}/apps/${signer}`, { name: 'signers', mod_groups: { [plain]: ['SIGN', 'VERIFY'] } }))
  await ok(admin.get(`${sys}/apps/${signer}/credential`))
  await ok(admin.post(`${sys}/apps/${signer}/reset_secret`))
  const idle = await made('idle', { add_groups: { [other]: ['SIGN'] } })
  await ok(admin.patch(`${sys}/apps/${idle}`, { enabled: false, del_groups: [other], add_groups: { [plain]: [] } }))
  await ok(admin.delete(`${sys}/apps/${await made('gone', { add_groups: { [plain]: ['SIGN'] } })}`))
  // What an app may in a group goes with the group.
  const gone = await group(admin, { name: 'gone keys' })
  await made('stranded', { add_groups: { [gone]: ['SIGN'] } })
  await ok(admin.delete(`${sys}/groups/${gone}`))
  const { body } = await ok(admin.get(`${sys}/apps/${signer}/credential`))
  return { ...callsWith(world, basic(signer, body.credential.secret)), id: signer }
}

async function keysOf(world: World, admin: User, plain: string, other: string): Promise<void> {
  const made = async (members: object) => String((await ok(admin.post(keys, members))).body.kid)
  const pair = (name: string, more: object = {}) =>
    made({
      name,
      obj_type: 'EC',
      elliptic_curve: 'NistP256',
      key_ops: ['SIGN', 'VERIFY', 'EXPORT'],
      group_id: plain,
      ...more,
    })
  const data = Buffer.from('data').toString('base64')
  const signing = await pair('signing', { description: 'Signs.' })
  for (let use = 0; use < 3; use++) {
    world.clock.advance(1_000)
    await ok(admin.post('/crypto/v1/sign', { key: { kid: signing }, hash_alg: 'SHA256', data }))
  }
  await ok(admin.post(`${keys}/export`, { kid: signing }))
  const cipher = await made({ name: 'cipher', obj_type: 'AES', key_size: 256, group_id: plain })
  const iv = Buffer.alloc(12, 1).toString('base64')
  const encrypted = { key: { kid: cipher }, alg: 'AES', mode: 'GCM', iv, plain: data }
  await ok(admin.post('/crypto/v1/encrypt', encrypted))
  const value = Buffer.alloc(32, 7).toString('base64')
  const code = { name: 'code', obj_type: 'HMAC', key_ops: ['MACGENERATE'], group_id: other, value }
  const { kid } = (await ok(admin.put(keys, code))).body
  await ok(admin.post('/crypto/v1/mac', { key: { kid }, data }))
  await ok(admin.patch(`${keys}/${kid}`, { name: 'codes', description: 'Makes codes.', enabled: false }))
  const moved = await pair('moved')
  await ok(admin.patch(`${keys}/${moved}`, { group_id: other, key_ops: ['SIGN'] }))
  const [revoked, publicOnly, destroyed] = [await pair('revoked'), await pair('public'), await pair('destroyed')]
  await ok(admin.post(`${keys}/${revoked}/revoke`, { code: 'KeyCompromise' }))
  await ok(admin.delete(`${keys}/${publicOnly}/private`))
  await ok(admin.post(`${keys}/${destroyed}/destroy`))
  await ok(admin.delete(`${keys}/${await pair('gone')}`))
}

/** Registers three, takes one away, and signs in by one and by a recovery code. */
async function securityKeys(world: World, olga: User): Promise<void> {
  const user = `${sys}/users/${olga.id}`
  await ok(olga.post(`${sys}/session/config_2fa/auth`, { password }))
  const usb = new Authenticator()
  for (const [name, key] of [['usb', usb], ['spare'], ['lost']] as const) {
    const { body } = await ok(olga.post(`${sys}/session/config_2fa/new_challenge?protocol=fido2`))
    const attestationResult = attestationOf(world, key ?? new Authenticator(), body.challenge, body.rp.id)
    await ok(olga.patch(user, { add_mfa_devices: [{ name, attestationResult }] }))
  }
  world.clock.advance(1_000)
  await ok(olga.patch(user, { rename_mfa_devices: [{ old_name: 'spare', new_name: 'in the safe' }] }))
  await ok(olga.patch(user, { del_mfa_devices: [{ name: 'lost' }] }))
  const { body: codes } = await ok(olga.post(`${sys}/users/generate_recovery_codes`))
  const auth = callsWith(world, basic(olga.email, password))
  const owing = async () => {
    const { body } = await ok(auth.post(`${sys}/session/auth`))
    return { user: callsWith(world, `Bearer ${body.access_token}`), options: body.fido2_assertion_options }
  }
  for (let time = 0; time < 2; time++) {
    const { user: again, options } = await owing()
    await ok(again.post(`${sys}/session/auth/2fa/fido2`, assertionOf(world, usb, options)))
  }
  const { user: again } = await owing()
  await ok(again.post(`${sys}/session/auth/2fa/recovery_code`, { recovery_code: codes.recovery_codes[0] }))
}

interface Named {
  readonly olga: string
  readonly admin: string
  readonly app: string
  readonly plain: string
}

/** What needs approval from now on, by who has to give it. */
interface Guarded {
  /** Of Olga and the administrator, with a password and a key. */
  readonly byKeys: string
  /** Of one of them, or of an app. */
  readonly byAny: string
  /** A key of the second. */
  readonly key: string
}

/** Of groups that are made with one, of one that gets one, and of the account. */
async function policies(admin: User, { olga, admin: ada, app, plain }: Named): Promise<Guarded> {
  const both = { quorum: { n: 2, members: [{ user: olga }, { user: ada }] } }
  const nested = { quorum: { n: 1, members: [both, { app }] } }
  const proven = { quorum: { ...both.quorum, require_password: true, require_2fa: true } }
  const byKeys = await group(admin, { name: 'guarded keys', approval_policy: proven })
  const byAny = await group(admin, {
    name: 'watched keys',
    approval_policy: { ...nested, protect_crypto_operations: true },
  })
  const made = { name: 'watched', obj_type: 'AES', key_size: 256, key_ops: ['ENCRYPT', 'EXPORT'], group_id: byAny }
  const { kid: key } = (await ok(admin.post(keys, made))).body
  await ok(
    admin.patch(`${sys}/groups/${plain}`, {
      approval_policy: { ...both, protect_permissions: ['DELETE_SOBJECTS', 'UPDATE_KEY_OPS'] },
    }),
  )
  await ok(
    admin.patch(`${sys}/accounts/${orgId}`, {
      approval_policy: { policy: nested, protect_logging_config: true, manage_groups: false },
    }),
  )
  return { byKeys, byAny, key }
}

interface Callers {
  readonly admin: User
  readonly olga: User
  readonly app: FortanixCalls & { readonly id: string }
}

/** Requests for operations in every state: done, failed, denied, waiting, deleted; approved with keys and passwords, and with words. */
async function operations(world: World, { admin, olga, app }: Callers, { byKeys, byAny, key }: Guarded): Promise<void> {
  const requests = `${sys}/approval_requests`
  const ask = async (method: string, operation: string, body?: object, description?: string): Promise<string> =>
    String((await ok(admin.post(requests, { method, operation, body, description }))).body.request_id)
  const group = (id: string) => `${sys}/groups/${id}`

  const renamed = await ask('PATCH', group(byAny), { name: 'well watched keys' }, 'They are.')
  await ok(app.post(`${requests}/${renamed}/approve`, { body: { part: 'a part of it' } }))
  await ok(admin.post(`${requests}/${renamed}/result`))
  const exported = await ask('POST', `${keys}/export?why=moving`, { kid: key })
  await ok(olga.post(`${requests}/${exported}/approve`))
  world.clock.advance(1_000)
  await ok(admin.post(`${requests}/${exported}/approve`))
  const denied = await ask('PATCH', group(byAny), { description: 'Never.' })
  await ok(olga.post(`${requests}/${denied}/deny`, { reason: 'not like this' }))
  await ok(admin.delete(`${requests}/${await ask('PATCH', group(byAny), { description: 'Gone.' })}`))
  // The name is taken by then.
  const failing = await ask('PATCH', `${keys}/${key}`, { name: 'signing' })
  await ok(app.post(`${requests}/${failing}/approve`))
  await ok(olga.post(`${requests}/${await ask('PATCH', group(byAny), { description: 'Open.' })}/approve`))

  const [fido, u2f] = [new Authenticator(), new Authenticator()]
  const factors = withFactors(world)
  const [first, second] = [{ personId: admin.id }, { personId: olga.id }] as Voter[]
  await factors.addKey(first as Voter, fido, 'packed', 'of Ada')
  await factors.addKey(second as Voter, u2f, 'fido-u2f', 'old one')
  await ok(olga.post(`${sys}/session/config_2fa/terminate`))
  const proven = await ask('PATCH', group(byKeys), { description: 'Changed with keys.' })
  const asked = (await ok(admin.post(`${requests}/${proven}/challenge?protocol=fido2`))).body
  const assertion = assertionOf(world, fido, asked)
  await ok(admin.post(`${requests}/${proven}/approve`, { password, fido2_auth_request: assertion }))
  const { u2f_challenge: challenge } = (await ok(olga.post(`${requests}/${proven}/challenge?protocol=u2f`))).body
  const { appId } = relyingPartyOf(world.ctx)
  const made = u2f.signU2f({ ...factors.ceremony({ challenge }), rpId: appId })
  const answer = Object.fromEntries(Object.entries(made).map(([name, bytes]) => [name, bytes.toString('base64')]))
  await ok(olga.post(`${requests}/${proven}/approve`, { password, u2f: answer }))
}

async function ok(answer: Promise<RawAnswer>): Promise<RawAnswer> {
  const settled = await answer
  if (![200, 201, 204].includes(settled.status)) throw new Error(`answered ${settled.status} ${settled.text}`)
  return settled
}
