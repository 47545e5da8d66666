import { createHmac, createPublicKey, hash, randomBytes, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyNumberOf } from '../../../src/config/secrets.ts'
import { maintain } from '../../../src/maintenance.ts'
import { addDataKey } from '../../../src/store/data-keys.ts'
import {
  expectStatus,
  startFortanix,
  type FortanixApp,
  type FortanixUser,
  type FortanixWorld,
  type RawAnswer,
} from '../../helpers/fortanix.ts'

const keysUrl = '/crypto/v1/keys'
const unknown = '019a0000-0000-7000-8000-000000000000'
const required = 'This operation requires approval'
const everything = ['SIGN', 'VERIFY', 'ENCRYPT', 'DECRYPT', 'MACGENERATE', 'EXPORT', 'MANAGE']
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string) => Buffer.from(text, 'base64')

let fortanix: FortanixWorld
let ada: FortanixUser
let ben: FortanixUser
let group: string
let other: string
let app: FortanixApp
let account: string
let count = 0

async function newGroup(): Promise<string> {
  count += 1
  return expectStatus(await ada.post('/sys/v1/groups', { name: `group ${count}` }), 201).group_id
}

/** A key in the group, as its answer shows it. */
async function newKey(members: Record<string, unknown>): Promise<RawAnswer['body']> {
  count += 1
  return expectStatus(await ada.post(keysUrl, { name: `key ${count}`, group_id: group, ...members }), 201)
}

beforeAll(async () => {
  fortanix = await startFortanix()
  ada = await fortanix.signUp('Ada')
  ben = await fortanix.signUp('Ben')
  account = await fortanix.account(ada, 'Keys')
  await fortanix.join(ada, ben, account)
  group = await newGroup()
  other = await newGroup()
  app = await fortanix.app(ada, 'signer', { [group]: everything })
})
afterAll(() => fortanix[Symbol.asyncDispose]())

const aes = { obj_type: 'AES', key_size: 256 }
const hmac = { obj_type: 'HMAC', key_size: 256 }
const rsa = { obj_type: 'RSA', key_size: 2048 }
const ec = { obj_type: 'EC', elliptic_curve: 'NistP256' }

describe('a security object', () => {
  it.each([
    ['AES', aes, ['ENCRYPT', 'DECRYPT', 'WRAPKEY', 'UNWRAPKEY', 'DERIVEKEY', 'APPMANAGEABLE'], false],
    ['HMAC', hmac, ['DERIVEKEY', 'MACGENERATE', 'MACVERIFY', 'APPMANAGEABLE'], false],
    ['RSA', rsa, ['SIGN', 'VERIFY', 'ENCRYPT', 'DECRYPT', 'WRAPKEY', 'UNWRAPKEY', 'APPMANAGEABLE'], true],
    ['EC', ec, ['SIGN', 'VERIFY', 'APPMANAGEABLE', 'AGREEKEY'], true],
  ] as const)('of kind %s is made with every member that clients need', async (_, members, operations, isPair) => {
    const key = await newKey(members)
    expect(key).toEqual({
      acct_id: account,
      kid: expect.any(String),
      group_id: group,
      name: `key ${count}`,
      ...members,
      key_ops: operations,
      enabled: true,
      state: 'Active',
      origin: 'FortanixHSM',
      public_only: false,
      ...(isPair && { pub_key: expect.any(String) }),
      created_at: expect.stringMatching(/^\d{8}T\d{6}Z$/),
      lastused_at: '19700101T000000Z',
      creator: { user: ada.id },
    })
    expect(expectStatus(await ada.get(`${keysUrl}/${key.kid}`), 200)).toEqual(key)
    expect(expectStatus(await app.post(`${keysUrl}/info?view=json`, { name: key.name }), 200)).toEqual(key)
  })

  it('is listed as a bare array, by group, name and kind', async () => {
    const mine = await newGroup()
    const [one, two] = [await newKey({ ...aes, group_id: mine }), await newKey({ ...hmac, group_id: mine })]
    const listed = async (query: string) =>
      expectStatus(await ada.get(`${keysUrl}?${query}`), 200).map(({ kid }: { kid: string }) => kid)
    expect(await listed(`group_id=${mine}`)).toEqual([one.kid, two.kid])
    expect(await listed(`group_id=${mine}&sort=kid:desc&limit=1`)).toEqual([two.kid])
    expect(await listed(`group_id=${mine}&sort=nameasc&start=${encodeURIComponent(one.name)}`)).toEqual([two.kid])
    expect(await listed(`name=${encodeURIComponent(one.name)}`)).toEqual([one.kid])
    expect(await listed(`group_id=${mine}&obj_type=HMAC`)).toEqual([two.kid])
    expect(await ada.get(`${keysUrl}?group_id=nonsense`)).toMatchObject({ status: 400 })
    expect((await app.get(keysUrl)).body.some(({ kid }: { kid: string }) => kid === one.kid)).toBe(false)
  })

  it('has a name that no other key of the account has', async () => {
    const { name } = await newKey(aes)
    expect(await ada.post(keysUrl, { name, group_id: group, ...aes })).toMatchObject({ status: 409 })
  })

  it.each([
    ['without a name', { ...aes, group_id: 'group' }, 400],
    ['of no kind', { name: 'n', group_id: 'group' }, 400],
    ['of an unknown kind', { name: 'n', obj_type: 'DES', group_id: 'group' }, 400],
    ['of no size', { name: 'n', obj_type: 'AES', group_id: 'group' }, 400],
    ['of a wrong size', { name: 'n', obj_type: 'AES', key_size: 100, group_id: 'group' }, 400],
    ['of an unknown curve', { name: 'n', obj_type: 'EC', elliptic_curve: 'NistP521', group_id: 'group' }, 400],
    ['for an unknown operation', { name: 'n', ...aes, key_ops: ['FLY'], group_id: 'group' }, 400],
    ['with another exponent', { name: 'n', ...rsa, pub_exponent: 3, group_id: 'group' }, 400],
    ['in no group', { name: 'n', ...aes }, 400],
    ['in an unknown group', { name: 'n', ...aes, group_id: unknown }, 404],
    ['in a malformed group', { name: 'n', ...aes, group_id: 'x' }, 400],
    ['with a value', { name: 'n', ...aes, value: 'AAAA', group_id: 'group' }, 400],
  ])('is not made %s', async (_, body, status) => {
    const sent = 'group_id' in body && body.group_id === 'group' ? { ...body, group_id: group } : body
    expect(await ada.post(keysUrl, sent)).toMatchObject({ status, type: 'text/plain' })
  })

  it('is not made where the caller may make none', async () => {
    const reader = await fortanix.app(ada, `reader ${count}`, { [group]: ['VERIFY'] })
    expect(await reader.post(keysUrl, { name: 'mine', group_id: group, ...aes })).toMatchObject({ status: 403 })
    expect(await app.post(keysUrl, { name: 'mine', group_id: other, ...aes })).toMatchObject({ status: 404 })
    expect(await ben.post(keysUrl, { name: 'mine', group_id: group, ...aes })).toMatchObject({ status: 404 })
    expect(await app.post(keysUrl, { name: 'by an app', group_id: group, ...aes })).toMatchObject({ status: 201 })
  })

  it('does not exist for who is not in its group, nor under a malformed id', async () => {
    const { kid } = await newKey(aes)
    expect(await ben.get(`${keysUrl}/${kid}`)).toMatchObject({ status: 404 })
    expect(await ada.get(`${keysUrl}/${unknown}`)).toMatchObject({ status: 404 })
    expect(await ada.get(`${keysUrl}/nonsense`)).toMatchObject({ status: 400 })
  })

  it('is imported and exported as it was, if it may leave', async () => {
    const value = randomBytes(32)
    const key_ops = ['EXPORT', 'ENCRYPT']
    const body = { name: 'imported', group_id: group, obj_type: 'AES', key_ops, value: base64(value), key_size: null }
    const key = expectStatus(await ada.put(keysUrl, body), 201)
    expect(key).toMatchObject({ origin: 'External', key_size: 256, key_ops: ['ENCRYPT', 'EXPORT'] })
    expect(key.value).toBe(undefined)
    const exported = expectStatus(await app.post(`${keysUrl}/export`, { kid: key.kid }), 200)
    expect(bytesOf(exported.value)).toEqual(value)
    const { kid } = await newKey(aes)
    expect(await app.post(`${keysUrl}/export`, { kid })).toMatchObject({ status: 403 })
    expect(await ada.put(keysUrl, { ...body, name: 'bad', value: '!' })).toMatchObject({ status: 400 })
    expect(await ada.put(keysUrl, { ...body, name: 'bad', value: 'AAAA' })).toMatchObject({ status: 400 })
    expect(await ada.put(keysUrl, { ...body, name: 'bad', obj_type: 'RSA' })).toMatchObject({ status: 400 })
  })
})

describe('a key', () => {
  const data = Buffer.from('some data')

  it.each([
    ['RSA', rsa, {}, {}],
    ['RSA', rsa, { mode: { PKCS1_V15: {} } }, {}],
    ['RSA', rsa, { mode: { PSS: { mgf: { mgf1: { hash: 'SHA256' } } } } }, { padding: 6, saltLength: -1 }],
    ['EC', ec, {}, { dsaEncoding: 'der' }],
  ] as const)('of kind %s signs data and hashes so that OpenSSL agrees', async (_, members, mode, options) => {
    const { kid, pub_key: der } = await newKey(members)
    const key = { key: createPublicKey({ key: bytesOf(der), format: 'der', type: 'spki' }), ...options }
    for (const what of [{ data: base64(data) }, { hash: base64(hash('sha256', data, 'buffer')), data: null }]) {
      const request = { key: { kid }, hash_alg: 'SHA256', ...what, ...mode }
      const signed = expectStatus(await app.post('/crypto/v1/sign', request), 200)
      expect(signed.kid).toBe(kid)
      expect(verify('SHA256', data, key, bytesOf(signed.signature))).toBe(true)
      const check = { ...request, signature: signed.signature }
      expect((await app.post('/crypto/v1/verify', check)).body).toEqual({ kid, result: true })
      const wrong = { ...request, data: base64('other'), hash: null, signature: signed.signature }
      expect((await app.post('/crypto/v1/verify', wrong)).body).toEqual({ kid, result: false })
    }
  })

  it('masks PSS with SHA1, and hashes nothing with it', async () => {
    const { kid } = await newKey(rsa)
    const mode = { PSS: { mgf: { mgf1: { hash: 'SHA1' } } } }
    const request = { key: { kid }, hash_alg: 'SHA256', data: base64(data), mode }
    const { signature } = expectStatus(await app.post('/crypto/v1/sign', request), 200)
    expect((await app.post('/crypto/v1/verify', { ...request, signature })).body).toEqual({ kid, result: true })
    const hashed = await app.post('/crypto/v1/sign', { ...request, hash_alg: 'SHA1' })
    expect(hashed).toMatchObject({ status: 400, text: 'hash_alg must be one of SHA256, SHA384, SHA512.' })
  })

  it.each([
    ['GCM', { ad: base64('ad'), tag_len: 96 }, { ad: base64('ad') }],
    ['CBC', {}, {}],
  ])('encrypts in %s and decrypts again', async (mode, more, back) => {
    const { kid } = await newKey(aes)
    const request = { key: { kid }, alg: 'AES', mode, plain: base64(data), ...more }
    const made = expectStatus(await app.post('/crypto/v1/encrypt', request), 200)
    const { cipher, iv, tag } = made
    const sent = { key: { kid }, alg: 'AES', mode, cipher, iv, tag: tag ?? null, ...back }
    expect((await app.post('/crypto/v1/decrypt', sent)).body).toEqual({ kid, plain: base64(data) })
    const altered = { ...sent, cipher: base64(Buffer.concat([bytesOf(cipher), Buffer.alloc(16)])) }
    expect(await app.post('/crypto/v1/decrypt', altered)).toMatchObject({ status: 400, type: 'text/plain' })
  })

  it.each([
    [null, 'SHA256'],
    ['SHA256', null],
    ['SHA1', 'SHA1'],
  ])('encrypts with RSA-OAEP of %s and decrypts with that of %s', async (with1, with2) => {
    const { kid } = await newKey(rsa)
    const modeOf = (name: string | null) => name && { OAEP: { mgf: { mgf1: { hash: name } } } }
    const mode = modeOf(with2)
    const request = { key: { kid }, alg: 'RSA', mode: modeOf(with1), plain: base64(data) }
    const { cipher } = expectStatus(await app.post('/crypto/v1/encrypt', request), 200)
    const opened = await app.post('/crypto/v1/decrypt', { key: { kid }, mode, cipher })
    expect(opened.body).toEqual({ kid, plain: base64(data) })
  })

  it('makes a code that everyone who has it makes', async () => {
    const { kid } = await newKey({ ...hmac, key_ops: ['MACGENERATE', 'EXPORT'] })
    const { value } = expectStatus(await app.post(`${keysUrl}/export`, { kid }), 200)
    const made = expectStatus(
      await app.post('/crypto/v1/mac', { key: { kid }, alg: 'SHA384', data: base64(data) }),
      200,
    )
    expect(made.mac).toBe(createHmac('sha384', bytesOf(value)).update(data).digest('base64'))
  })

  it('counts what it did, and nothing that was refused', async () => {
    const { kid } = await newKey(ec)
    const request = { key: { kid }, hash_alg: 'SHA256', data: base64(data) }
    fortanix.world.clock.advance(60_000)
    await Promise.all(Array.from({ length: 5 }, () => app.post('/crypto/v1/sign', request)))
    await app.post('/crypto/v1/sign', { ...request, hash: base64('short'), data: null })
    const row = await fortanix.world.ctx.db
      .selectFrom('fortanix_keys')
      .select(['used', 'last_used_at'])
      .where('id', '=', kid)
      .executeTakeFirstOrThrow()
    expect([Number(row.used), row.last_used_at]).toEqual([5, fortanix.world.clock.now()])
  })

  it.each([
    ['no key', {}, 400],
    ['a key without a name', { key: {} }, 400],
    ['an unknown key', { key: { kid: unknown } }, 404],
    ['a malformed id', { key: { kid: 'x' } }, 400],
    ['an unknown name', { key: { name: 'nobody' } }, 404],
    ['no hash_alg', { key: 'key', hash_alg: undefined }, 400],
    ['an unknown hash_alg', { key: 'key', hash_alg: 'MD5' }, 400],
    ['neither hash nor data', { key: 'key', data: null }, 400],
    ['a hash of the wrong length', { key: 'key', data: null, hash: 'AAAA' }, 400],
    ['what is not base64', { key: 'key', data: '*' }, 400],
    ['an unknown mode', { key: 'key', mode: { X: {} } }, 400],
    ['a mode for EC', { key: 'key', mode: { PKCS1_V15: {} } }, 400],
    ['a mode that is a number', { key: 'key', mode: 3 }, 400],
  ])('signs nothing for %s', async (_, wrong, status) => {
    const { kid } = await newKey(ec)
    const body: Record<string, unknown> = { hash_alg: 'SHA256', data: base64(data), ...wrong }
    if (body['key'] === 'key') body['key'] = { kid }
    expect(await app.post('/crypto/v1/sign', body)).toMatchObject({ status, type: 'text/plain' })
  })

  it('does only what its kind, its key_ops and the permission of the app allow, while it is enabled', async () => {
    const request = (kid: string) => ({ key: { kid }, hash_alg: 'SHA256', data: base64(data) })
    const sign = async (kid: string, by: { post: FortanixApp['post'] } = app) =>
      (await by.post('/crypto/v1/sign', request(kid))).status
    const { kid } = await newKey(ec)
    expect(await sign(kid)).toBe(200)
    expect(await sign((await newKey({ ...aes, key_ops: ['SIGN'] })).kid)).toBe(400)
    expect(await sign((await newKey({ ...ec, key_ops: ['VERIFY'] })).kid)).toBe(403)
    expect(await sign((await newKey({ ...ec, key_ops: [] })).kid)).toBe(403)
    expect(await sign((await newKey({ ...ec, enabled: false })).kid)).toBe(403)
    expect(await sign((await newKey({ ...ec, group_id: other })).kid)).toBe(404)
    const weak = await fortanix.app(ada, `weak ${count}`, { [group]: ['VERIFY', 'MANAGE'] })
    expect(await sign(kid, weak)).toBe(403)
    expect(await sign(kid, ben)).toBe(404)
    expectStatus(await ada.patch(`${keysUrl}/${kid}`, { enabled: false }), 200)
    expect(await sign(kid)).toBe(403)
  })

  it('is changed, moved and deleted', async () => {
    const { kid } = await newKey(aes)
    const changed = {
      name: `renamed ${count}`,
      description: 'new',
      key_ops: ['DECRYPT'],
      group_id: other,
      enabled: null,
    }
    expect(expectStatus(await ada.patch(`${keysUrl}/${kid}`, changed), 200)).toMatchObject({
      ...changed,
      enabled: true,
    })
    expect(await app.get(`${keysUrl}/${kid}`)).toMatchObject({ status: 404 })
    expect(await ada.patch(`${keysUrl}/${kid}`, { group_id: unknown })).toMatchObject({ status: 404 })
    expect(await ada.patch(`${keysUrl}/${kid}`, { key_ops: 'all' })).toMatchObject({ status: 400 })
    expect(await ben.delete(`${keysUrl}/${kid}`)).toMatchObject({ status: 404 })
    expect(await ada.delete(`${keysUrl}/${kid}`)).toMatchObject({ status: 204, text: '' })
    expect(await ada.get(`${keysUrl}/${kid}`)).toMatchObject({ status: 404 })
  })

  it('is managed by an app only with the permission, and if it is for that', async () => {
    const { kid } = await newKey(aes)
    const weak = await fortanix.app(ada, `user ${count}`, { [group]: ['ENCRYPT', 'UPDATE_KEY_OPS'] })
    expect(await weak.patch(`${keysUrl}/${kid}`, { description: 'd' })).toMatchObject({ status: 403 })
    expect(await weak.patch(`${keysUrl}/${kid}`, { key_ops: ['ENCRYPT'] })).toMatchObject({ status: 200 })
    expect(await app.patch(`${keysUrl}/${kid}`, { description: 'd' })).toMatchObject({ status: 403 })
    expect(await app.delete(`${keysUrl}/${kid}`)).toMatchObject({ status: 403 })
  })

  it('that is revoked makes nothing new, destroyed does nothing, without its private half verifies', async () => {
    const { kid } = await newKey(ec)
    const request = { key: { kid }, hash_alg: 'SHA256', data: base64(data) }
    const { signature } = expectStatus(await app.post('/crypto/v1/sign', request), 200)
    const verified = async () => (await app.post('/crypto/v1/verify', { ...request, signature })).status
    expectStatus(await ada.post(`${keysUrl}/${kid}/revoke`, { code: 'Superseded' }), 204)
    expect([(await app.post('/crypto/v1/sign', request)).status, await verified()]).toEqual([403, 200])
    expectStatus(await ada.delete(`${keysUrl}/${kid}/private`), 204)
    expect(expectStatus(await ada.get(`${keysUrl}/${kid}`), 200)).toMatchObject({ public_only: true })
    expect(await verified()).toBe(200)
    expectStatus(await ada.post(`${keysUrl}/${kid}/destroy`), 204)
    expect(await verified()).toBe(400)
    expect(expectStatus(await ada.get(`${keysUrl}/${kid}`), 200)).toMatchObject({ state: 'Destroyed' })
    expect(await ada.post(`${keysUrl}/${kid}/destroy`)).toMatchObject({ status: 400 })
    const isListed = async (query: string) =>
      (await ada.get(`${keysUrl}?${query}`)).body.some((shown: { kid: string }) => shown.kid === kid)
    expect([await isListed(''), await isListed('show_destroyed=true')]).toEqual([false, true])
  })
})

describe('in a group with a policy', () => {
  it('what is protected answers 403 with the fixed sentence, and changes nothing', async () => {
    const guarded = await newGroup()
    const policy = { quorum: { n: 1, members: [{ user: ada.id }] } }
    expectStatus(await ada.patch(`/sys/v1/groups/${guarded}`, { approval_policy: policy }), 200)
    const made = await newKey({ ...ec, key_ops: ['SIGN', 'VERIFY', 'EXPORT'], group_id: guarded })
    const { kid } = made
    const request = { key: { kid }, hash_alg: 'SHA256', data: base64('x') }
    for (const answer of [
      await ada.post('/crypto/v1/sign', request),
      await ada.post(`${keysUrl}/export`, { kid }),
      await ada.delete(`${keysUrl}/${kid}`),
      await ada.patch(`${keysUrl}/${kid}`, { name: 'other' }),
      await ada.patch(`${keysUrl}/${kid}`, { group_id: group }),
      await ada.post(`${keysUrl}/${kid}/destroy`),
    ]) {
      expect([answer.status, answer.type, answer.text]).toEqual([403, expect.stringMatching(/^text\/plain/), required])
    }
    expect(expectStatus(await ada.get(`${keysUrl}/${kid}`), 200)).toEqual(made)
    expect((await ada.post('/crypto/v1/verify', { ...request, signature: 'AAAA' })).body).toEqual({
      kid,
      result: false,
    })
    const outside = await newKey(aes)
    const moved = await ada.patch(`${keysUrl}/${outside.kid}`, { group_id: guarded })
    expect([moved.status, moved.text]).toEqual([403, required])
  })
})

it('a key is made in a group with a policy, unless the policy names the making of keys', async () => {
  const guarded = await newGroup()
  const policy = { user: ada.id, protect_permissions: ['DELETE_SOBJECTS'] }
  expectStatus(await ada.patch(`/sys/v1/groups/${guarded}`, { approval_policy: policy }), 200)
  expect((await newKey({ ...aes, group_id: guarded })).group_id).toBe(guarded)
  const closed = await newGroup()
  const naming = { user: ada.id, protect_permissions: ['CREATE_SOBJECTS'] }
  expectStatus(await ada.patch(`/sys/v1/groups/${closed}`, { approval_policy: naming }), 200)
  const refused = await ada.post(keysUrl, { name: 'refused', group_id: closed, ...aes })
  expect([refused.status, refused.text]).toEqual([403, required])
})

it('no answer and no row but the sealed one holds what a key is made of, and a new data key seals it anew', async () => {
  const value = randomBytes(32)
  const body = { name: 'sealed', group_id: group, obj_type: 'HMAC', key_ops: ['MACGENERATE'], value: base64(value) }
  const { kid } = expectStatus(await ada.put(keysUrl, body), 201)
  const { ctx, clock } = fortanix.world
  const material = async () =>
    (await ctx.db.selectFrom('fortanix_keys').select('material').where('id', '=', kid).executeTakeFirstOrThrow())
      .material
  const sealed = Buffer.from((await material()) ?? [])
  expect(sealed.includes(value)).toBe(false)
  const leaves = await ctx.db.selectFrom('audit_leaves').select(['content', 'private']).execute()
  for (const text of [base64(value), value.toString('hex'), value.toString('base64url')]) {
    expect(JSON.stringify(leaves)).not.toContain(text)
  }
  await addDataKey(ctx.db, ctx.config.masterKeys, clock.now())
  clock.advance(5 * 60_000)
  await maintain(ctx)
  expect(keyNumberOf((await material()) ?? new Uint8Array())).toBe(2)
  const made = expectStatus(await app.post('/crypto/v1/mac', { key: { kid }, data: base64('x') }), 200)
  expect(made.mac).toBe(createHmac('sha256', value).update('x').digest('base64'))
})

it('a key of another account is not there', async () => {
  const { kid } = await newKey(aes)
  const eve = await fortanix.signUp('Eve')
  await fortanix.account(eve, 'Elsewhere')
  for (const answer of [
    await eve.get(`${keysUrl}/${kid}`),
    await eve.patch(`${keysUrl}/${kid}`, { name: 'mine' }),
    await eve.delete(`${keysUrl}/${kid}`),
    await eve.post('/crypto/v1/encrypt', { key: { kid }, alg: 'AES', mode: 'GCM', plain: 'AAAA' }),
  ]) {
    expect(answer.status).toBe(404)
  }
})
