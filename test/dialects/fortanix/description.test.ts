import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fortanixDescription } from '../../../src/dialects/fortanix/description.ts'
import { Authenticator } from '../../helpers/authenticator.ts'
import { DescribedCalls } from '../../helpers/described.ts'
import {
  assertionOf,
  attestationOf,
  basic,
  callsWith,
  expectStatus,
  password,
  startFortanix,
  type FortanixCalls,
  type FortanixUser,
  type FortanixWorld,
  type RawAnswer,
} from '../../helpers/fortanix.ts'

const described = new DescribedCalls(fortanixDescription)
let scene: FortanixWorld
let ada: FortanixUser
let ben: FortanixUser
let account: string
let group: string

/** The same calls, each of which has to succeed and to be as described. */
function compared<Caller extends FortanixCalls>(caller: Caller): Caller {
  const one = (method: 'get' | 'post' | 'patch' | 'put' | 'delete') => async (url: string, body?: unknown) => {
    const answer = await caller[method](url, body)
    if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${answer.text}`)
    described.compare(method.toUpperCase(), url, body, answer)
    return answer
  }
  return { ...caller, get: one('get'), post: one('post'), patch: one('patch'), put: one('put'), delete: one('delete') }
}

beforeAll(async () => {
  scene = await startFortanix()
  const [first, second] = (await Promise.all(['Ada', 'Ben'].map((name) => scene.signUp(name)))) as [
    FortanixUser,
    FortanixUser,
  ]
  ;[ada, ben] = [compared(first), compared(second)]
  account = (await ada.post('/sys/v1/accounts', { name: 'Vault', description: 'of the team' })).body.acct_id
  await ada.post('/sys/v1/session/select_account', { acct_id: account })
  await scene.join(ada, second, account)
  group = (await ada.post('/sys/v1/groups', { name: 'keys', description: 'of the team' })).body.group_id
})
afterAll(() => scene[Symbol.asyncDispose]())

const key = async (name: string, more: object): Promise<string> =>
  (await ada.post('/crypto/v1/keys', { name, group_id: group, ...more })).body.kid
const data = Buffer.from('what is signed').toString('base64')

describe('/fortanix/openapi.json tells what is sent and answered', () => {
  it('of accounts and users', async () => {
    const anyone = compared(scene.anyone)
    const newcomer = { user_email: 'cleo@example.com', user_password: password, first_name: 'Cleo', last_name: 'C.' }
    await anyone.post('/sys/v1/users', newcomer)
    await ada.get('/sys/v1/accounts?sort_by=id&limit=5')
    await ada.get(`/sys/v1/accounts/${account}`)
    await ada.patch(`/sys/v1/accounts/${account}`, { approval_request_expiry: 600, retain_expired_requests: true })
    await ada.get('/sys/v1/users?limit=5&sort=user_id:desc')
    await ada.get(`/sys/v1/users/${ben.id}`)
    await ada.post('/sys/v1/users/invite', {
      user_email: 'dora@example.com',
      account_role: ['ACCOUNTMEMBER', 'STATEENABLED'],
      user_password: password,
    })
    const dora = compared(await scene.signIn('dora@example.com'))
    await dora.get('/sys/v1/users/accounts')
    await dora.post('/sys/v1/users/process_invite', { accepts: [account] })
    await ada.patch(`/sys/v1/users/${ben.id}`, { add_groups: { [group]: ['GROUPADMINISTRATOR'] } })
  })

  it('of groups and apps', async () => {
    const { group_id: id } = (await ada.post('/sys/v1/groups', { name: 'short' })).body
    await ada.patch(`/sys/v1/groups/${id}`, {
      approval_policy: {
        quorum: { n: 1, members: [{ user: ben.id }], require_password: true },
        protect_permissions: [],
      },
    })
    await ada.get('/sys/v1/groups?sort_by=name&previous_sort_value=a&limit=5')
    await ada.get(`/sys/v1/groups/${group}`)
    const other = (await ada.post('/sys/v1/groups', { name: 'shorter' })).body.group_id
    await ada.delete(`/sys/v1/groups/${other}`)

    const app = { name: 'signer', description: 'signs', add_groups: { [group]: ['SIGN'] }, default_group: group }
    const { app_id: appId } = (await ada.post('/sys/v1/apps?group_permissions=true', app)).body
    await ada.get('/sys/v1/apps')
    await ada.get(`/sys/v1/apps/${appId}?group_permissions=true`)
    await ada.patch(`/sys/v1/apps/${appId}`, { enabled: true, mod_groups: { [group]: ['SIGN', 'VERIFY'] } })
    await ada.post(`/sys/v1/apps/${appId}/reset_secret`)
    const { credential } = (await ada.get(`/sys/v1/apps/${appId}/credential`)).body
    const body = { method: 'auth-by-app-name', acct_id: account, name: 'signer', password: credential.secret }
    const { access_token: token } = (await compared(scene.anyone).post('/sys/v1/session/auth', body)).body
    await compared(callsWith(scene.world, `Bearer ${token}`)).post('/sys/v1/session/reauth')
    await ada.delete(`/sys/v1/apps/${appId}`)
  })

  it('of keys', async () => {
    const rsa = await key('rsa', { obj_type: 'RSA', key_size: 2048, key_ops: ['SIGN', 'VERIFY', 'EXPORT'] })
    const aes = await key('aes', { obj_type: 'AES', key_size: 256, description: 'of the team' })
    const hmac = await ada.put('/crypto/v1/keys', {
      name: 'hmac',
      group_id: group,
      obj_type: 'HMAC',
      value: Buffer.alloc(32, 7).toString('base64'),
    })
    const toSign = { key: { kid: rsa }, hash_alg: 'SHA256', data, mode: { PSS: { mgf: { mgf1: { hash: 'SHA256' } } } } }
    const { signature } = (await ada.post('/crypto/v1/sign', toSign)).body
    await ada.post('/crypto/v1/verify', { ...toSign, signature })
    const sealed = await ada.post('/crypto/v1/encrypt', { key: { kid: aes }, alg: 'AES', mode: 'GCM', plain: data })
    const { cipher, iv, tag } = sealed.body
    await ada.post('/crypto/v1/decrypt', { key: { name: 'aes' }, mode: 'GCM', cipher, iv, tag })
    await ada.post('/crypto/v1/mac', { key: { kid: hmac.body.kid }, data })
    await ada.post('/crypto/v1/keys/export', { kid: rsa })
    await ada.get('/crypto/v1/keys?sort=name&start=a&limit=10&show_destroyed=true')
    await ada.post('/crypto/v1/keys/info', { name: 'rsa' })
    await ada.get(`/crypto/v1/keys/${aes}`)
    await ada.patch(`/crypto/v1/keys/${aes}`, { enabled: false, description: 'at rest' })
    await ada.post(`/crypto/v1/keys/${aes}/revoke`, { code: 'KeyCompromise' })
    await ada.post(`/crypto/v1/keys/${aes}/destroy`)
    await ada.delete(`/crypto/v1/keys/${rsa}/private`)
    await ada.delete(`/crypto/v1/keys/${rsa}`)
  })

  it('of security keys and sessions', async () => {
    const device = new Authenticator()
    await ada.post('/sys/v1/session/config_2fa/auth', { password })
    const options = (await ada.post('/sys/v1/session/config_2fa/new_challenge?protocol=fido2')).body
    const attestationResult = attestationOf(scene.world, device, options.challenge, options.rp.id)
    await ada.patch(`/sys/v1/users/${ada.id}`, { add_mfa_devices: [{ name: 'blue', attestationResult }] })
    const codes = (await ada.post('/sys/v1/users/generate_recovery_codes')).body.recovery_codes
    await ada.post('/sys/v1/session/config_2fa/terminate')

    const [one, two] = [await session(), await session()]
    const assertion = assertionOf(scene.world, device, one.options)
    expect((assertion as { readonly response: object }).response).toHaveProperty('userHandle', null)
    await one.calls.post('/sys/v1/session/auth/2fa/fido2', withoutNulls(assertion))
    await two.calls.post('/sys/v1/session/auth/2fa/recovery_code', { recovery_code: codes[0] })
    await two.calls.post('/sys/v1/session/refresh')
    await two.calls.post('/sys/v1/session/terminate')
  })

  it('of approval requests', async () => {
    const approval_policy = { quorum: { n: 1, members: [{ user: ben.id }], require_password: true } }
    const guarded = (await ada.post('/sys/v1/groups', { name: 'guarded', approval_policy })).body.group_id
    const kid = await key('guarded', { obj_type: 'EC', elliptic_curve: 'NistP256', group_id: guarded })
    const body = { key: { kid }, hash_alg: 'SHA256', data }
    const ask = async () =>
      (
        await ada.post('/sys/v1/approval_requests', {
          method: 'POST',
          operation: '/crypto/v1/sign',
          body,
          description: 'now',
        })
      ).body.request_id as string
    const [approved, denied] = [await ask(), await ask()]
    await ben.post(`/sys/v1/approval_requests/${approved}/approve`, { password })
    await ada.post(`/sys/v1/approval_requests/${approved}/result`)
    await ben.post(`/sys/v1/approval_requests/${denied}/deny`, { reason: 'not now' })
    await ada.get(
      `/sys/v1/approval_requests?status=DENIED&requester=${ada.id}&reviewer=${ben.id}&subject=${kid}&limit=1`,
    )
    await ada.get(`/sys/v1/approval_requests/${denied}`)
    await ada.delete(`/sys/v1/approval_requests/${denied}`)
    const two = { quorum: { n: 1, members: [{ user: ada.id }], require_2fa: true } }
    const strict = (await ada.post('/sys/v1/groups', { name: 'strict', approval_policy: two })).body.group_id
    const change = { method: 'PATCH', operation: `/sys/v1/groups/${strict}`, body: { description: 'changed' } }
    const asked = (await ada.post('/sys/v1/approval_requests', change)).body.request_id
    await ada.post(`/sys/v1/approval_requests/${asked}/challenge?protocol=fido2`)
  })

  it('of every call', () => {
    expect(described.unseen).toEqual([])
  })
})

/** A session that owes its second factor. */
async function session(): Promise<{
  readonly calls: FortanixCalls
  readonly options: { challenge: string; rpId: string }
}> {
  const answer: RawAnswer = await callsWith(scene.world, basic(ada.email, password)).post('/sys/v1/session/auth')
  const { access_token: token, fido2_assertion_options: options } = expectStatus(answer, 200)
  described.compare('POST', '/sys/v1/session/auth', undefined, answer)
  return { calls: compared(callsWith(scene.world, `Bearer ${token}`)), options }
}

/** Null counts as left out, of which a description says nothing. */
function withoutNulls(value: object): object {
  return JSON.parse(JSON.stringify(value, (_name, member: unknown) => member ?? undefined)) as object
}
