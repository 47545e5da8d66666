import { createPublicKey, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDueJobs } from '../../../src/jobs/worker.ts'
import { Authenticator } from '../../helpers/authenticator.ts'
import {
  assertionOf,
  attestationOf,
  expectStatus,
  password,
  startFortanix,
  type FortanixApp,
  type FortanixUser,
  type FortanixWorld,
  type RawAnswer,
} from '../../helpers/fortanix.ts'

let scene: FortanixWorld
let ada: FortanixUser
let ben: FortanixUser
let cleo: FortanixUser
let dora: FortanixUser
let mallory: FortanixUser
let account: string
let app: FortanixApp
let count = 0

beforeAll(async () => {
  scene = await startFortanix()
  const made = await Promise.all(['Ada', 'Ben', 'Cleo', 'Dora', 'Mallory'].map((name) => scene.signUp(name)))
  ;[ada, ben, cleo, dora, mallory] = made as [FortanixUser, FortanixUser, FortanixUser, FortanixUser, FortanixUser]
  account = await scene.account(ada, 'Vault')
  await scene.account(mallory, 'Elsewhere')
  for (const user of [ben, cleo, dora]) await scene.join(ada, user, account)
  app = await scene.app(ada, 'robot', { [await group()]: ['SIGN'] })
})
afterAll(() => scene[Symbol.asyncDispose]())

const requests = '/sys/v1/approval_requests'
const refused = (status: number, text: string) => ({ status, text, type: 'text/plain' })
const group = async (policy?: object): Promise<string> => {
  const body = { name: `group ${++count}`, ...(policy !== undefined && { approval_policy: policy }) }
  return expectStatus(await ada.post('/sys/v1/groups', body), 201).group_id
}
const user = (who: { readonly id: string }) => ({ user: who.id })
const quorum = (n: number, members: readonly object[], more: object = {}) => ({ quorum: { n, members, ...more } })
const ask = async (by: Pick<FortanixUser, 'post'>, body: object): Promise<string> =>
  expectStatus(await by.post(requests, body), 201).request_id
const approve = async (by: Pick<FortanixUser, 'post'>, id: string, body?: object): Promise<RawAnswer> =>
  await by.post(`${requests}/${id}/approve`, body)

/** A key that signs, of a group that asks these for approval. */
async function signingKey(policy: object): Promise<{ readonly kid: string; readonly groupId: string; pub: string }> {
  const groupId = await group(policy)
  const body = { name: `key ${++count}`, obj_type: 'EC', elliptic_curve: 'NistP256', group_id: groupId }
  const { kid, pub_key: pub } = expectStatus(await ada.post('/crypto/v1/keys', body), 201)
  return { kid, groupId, pub }
}
const data = Buffer.from('what is signed')
const signing = (kid: string) => ({
  method: 'POST',
  operation: '/crypto/v1/sign',
  body: { key: { kid }, hash_alg: 'SHA256', data: data.toString('base64') },
})

describe('an operation that needs a quorum', () => {
  it('is refused directly, asked for, approved by two of three, done once, and its result waits for who asked', async () => {
    const { kid, groupId, pub } = await signingKey(quorum(2, [user(ben), user(cleo), { app: app.id }]))
    const direct = await ada.post('/crypto/v1/sign', signing(kid).body)
    expect(direct).toMatchObject(refused(403, 'This operation requires approval'))

    const created = await ada.post(requests, { ...signing(kid), description: 'for the release' })
    expect(created.status).toBe(201)
    const id = created.body.request_id
    expect(created.body).toEqual({
      request_id: id,
      acct_id: account,
      requester: user(ada),
      method: 'POST',
      operation: '/crypto/v1/sign',
      body: signing(kid).body,
      description: 'for the release',
      created_at: expect.stringMatching(/^\d{8}T\d{6}Z$/),
      expiry: expect.stringMatching(/^\d{8}T\d{6}Z$/),
      status: 'PENDING',
      approvers: [],
      reviewers: [
        { ...user(ben), requires_password: false, requires_2fa: false },
        { ...user(cleo), requires_password: false, requires_2fa: false },
        { app: app.id, requires_password: false, requires_2fa: false },
      ],
      subjects: [{ sobject: kid }, { group: groupId }],
      result_viewed: false,
    })
    expect(await ada.post(`${requests}/${id}/result`)).toMatchObject({ status: 400 })

    const first = await approve(app, id)
    expect(first).toMatchObject({ status: 200, body: { status: 'PENDING', approvers: [{ app: app.id }] } })
    expect(await approve(app, id)).toMatchObject({ status: 400 })
    const second = await approve(cleo, id)
    expect(second.body).toMatchObject({ status: 'APPROVED', approvers: [{ app: app.id }, user(cleo)] })
    expect(await approve(ben, id)).toMatchObject({ status: 400 })

    expect(await cleo.post(`${requests}/${id}/result`)).toMatchObject({ status: 403 })
    const result = await ada.post(`${requests}/${id}/result`)
    expect(result).toMatchObject({ status: 200, body: { status: 200, body: { kid } } })
    const key = createPublicKey({ key: Buffer.from(pub, 'base64'), format: 'der', type: 'spki' })
    expect(verify('sha256', data, key, Buffer.from(result.body.body.signature, 'base64'))).toBe(true)
    expect((await ada.get(`${requests}/${id}`)).body.result_viewed).toBe(true)
    expect((await ada.post(`${requests}/${id}/result`)).body).toEqual(result.body)
    expect(await usesOf(kid)).toBe(1)
    await runDueJobs(scene.world.ctx)
    expect(await usesOf(kid)).toBe(1)
  })

  it('that nothing protects is not asked for, and one that is not known neither', async () => {
    const free = await group()
    const renaming = { method: 'PATCH', operation: `/sys/v1/groups/${free}`, body: { description: 'x' } }
    expect(await ada.post(requests, renaming)).toMatchObject(refused(400, 'approval is not needed'))
    for (const operation of ['/sys/v1/nothing', '/sys/v1/groups/1/2', '/crypto/v1/signs', '/']) {
      expect(await ada.post(requests, { operation })).toMatchObject({ status: 400, type: 'text/plain' })
    }
  })

  it('is checked when it is asked for, as if it were done', async () => {
    const { kid } = await signingKey(user(ben))
    const gone = '0192f0c0-0000-7000-8000-000000000000'
    expect(await ada.post(requests, signing(gone))).toMatchObject({ status: 404 })
    expect(await mallory.post(requests, signing(kid))).toMatchObject({ status: 404 })
    expect(await dora.post(requests, signing(kid))).toMatchObject({ status: 404 })
    expect(await ada.post(requests, { ...signing(kid), body: { key: { kid } } })).toMatchObject({ status: 400 })
  })

  it('is taken without its first slash, in any case of its method, and as POST where none is given', async () => {
    const { kid } = await signingKey(user(ben))
    const answer = await ada.post(requests, { ...signing(kid), method: null, operation: 'crypto/v1/sign' })
    expect(answer.body).toMatchObject({ method: 'POST', operation: '/crypto/v1/sign' })
    const lower = await ada.post(requests, { ...signing(kid), method: 'post' })
    expect(lower.body).toMatchObject({ method: 'POST' })
  })
})

describe('quorums', () => {
  it('of many kinds are each asked, one after the other', async () => {
    // More than PostgreSQL needs to plan a statement once for all values.
    for (let extra = 0; extra < 7; extra++) {
      const nested = [...Array(extra).keys()].reduce((inner: object) => quorum(1, [inner]), user(ben))
      const { kid } = await signingKey(quorum(1, [nested, user(cleo)]))
      expect((await approve(ben, await ask(ada, signing(kid)))).body).toMatchObject({ status: 'APPROVED' })
    }
  })
})

describe('a denial', () => {
  it('is final, by whoever may review, even after an approval of theirs', async () => {
    const { kid } = await signingKey(quorum(2, [user(ben), user(cleo)]))
    const id = await ask(ada, signing(kid))
    expectStatus(await approve(ben, id), 200)
    const denied = await ben.post(`${requests}/${id}/deny`, { reason: 'not today' })
    expect(denied).toMatchObject({
      status: 200,
      body: { status: 'DENIED', denier: user(ben), denial_reason: 'not today', approvers: [user(ben)] },
    })
    expect(await approve(cleo, id)).toMatchObject({ status: 400 })
    expect(await ada.post(`${requests}/${id}/result`)).toMatchObject({ status: 400 })
  })

  it('needs no body, and then has no reason', async () => {
    const { kid } = await signingKey(user(ben))
    const id = await ask(ada, signing(kid))
    const { body } = await ben.post(`${requests}/${id}/deny`)
    expect(body).toMatchObject({ status: 'DENIED', denier: user(ben) })
    expect(body).not.toHaveProperty('denial_reason')
  })
})

describe('factors', () => {
  it('are asked of each reviewer as the quorums above them say, and nothing is recorded where one fails', async () => {
    const { kid } = await signingKey(quorum(1, [user(ben), quorum(1, [user(cleo)], { require_password: true })]))
    const id = await ask(ada, signing(kid))
    expect(await approve(cleo, id)).toMatchObject({ status: 400, type: 'text/plain' })
    expect(await approve(cleo, id, { password: 'wrong' })).toMatchObject({ status: 403, type: 'text/plain' })
    expect((await ada.get(`${requests}/${id}`)).body.approvers).toEqual([])
    expect((await approve(cleo, id, { password })).body).toMatchObject({ status: 'APPROVED' })
  })

  it('of a security key count for the one request that they were made for', async () => {
    const key = new Authenticator()
    expectStatus(await dora.post('/sys/v1/session/config_2fa/auth', { password }), 200)
    const options = (await dora.post('/sys/v1/session/config_2fa/new_challenge?protocol=fido2')).body
    const attestationResult = attestationOf(scene.world, key, options.challenge, options.rp.id)
    expectStatus(
      await dora.patch(`/sys/v1/users/${dora.id}`, { add_mfa_devices: [{ name: 'blue', attestationResult }] }),
      200,
    )
    const { kid } = await signingKey(quorum(1, [user(dora)], { require_2fa: true }))
    const [one, other] = [await ask(ada, signing(kid)), await ask(ada, signing(kid))]
    const challenge = async (id: string) => await dora.post(`${requests}/${id}/challenge?protocol=fido2`)
    expect(await challenge(one)).toMatchObject({ status: 400 })
    expectStatus(await dora.post('/sys/v1/session/config_2fa/terminate'), 204)
    const first = (await challenge(one)).body
    const assertion = assertionOf(scene.world, key, first)
    expect(await approve(dora, other, { fido2_auth_request: assertion })).toMatchObject({ status: 403 })
    expect((await ada.get(`${requests}/${other}`)).body.approvers).toEqual([])
    expect((await approve(dora, one, { fido2_auth_request: assertion })).body).toMatchObject({ status: 'APPROVED' })
    const votes = await scene.world.ctx.db
      .selectFrom('votes')
      .select('evidence')
      .where('request_id', '=', one)
      .execute()
    expect(votes).toMatchObject([{ evidence: { kind: 'fido2' } }])
  })
})

describe('who sees a request', () => {
  it('is who asked, reviewers and administrators; for all others there is none', async () => {
    const { kid, groupId } = await signingKey(user(ben))
    const id = await ask(ada, signing(kid))
    expect(await ben.get(`${requests}/${id}`)).toMatchObject({ status: 200 })
    for (const stranger of [cleo, mallory, app]) {
      expect(await stranger.get(`${requests}/${id}`)).toMatchObject({ status: 404 })
      expect(await approve(stranger, id)).toMatchObject({ status: 404 })
      expect((await stranger.get(`${requests}?subject=${groupId}`)).body).toEqual([])
    }
    expect(await approve(ada, id)).toMatchObject({ status: 403 })
    for (const filter of [`subject=${kid}`, `subject=${groupId}&status=PENDING`, `reviewer=${ben.id}&subject=${kid}`]) {
      expect((await ben.get(`${requests}?${filter}`)).body).toMatchObject([{ request_id: id }])
    }
    expect((await ben.get(`${requests}?subject=${kid}&status=APPROVED`)).body).toEqual([])
    expect(await ben.get(`${requests}?status=pending`)).toMatchObject({ status: 400 })
    expect(await ben.get(`${requests}?requester=x`)).toMatchObject({ status: 400 })
  })
})

describe('a list of requests', () => {
  it('has every request, and bodies up to a few megabytes in all', async () => {
    const groupId = await group(user(ben))
    const key = { name: `key ${++count}`, obj_type: 'AES', key_size: 256, group_id: groupId }
    const { kid } = expectStatus(await ada.post('/crypto/v1/keys', key), 201)
    const plain = Buffer.alloc(700_000).toString('base64')
    const body = { key: { kid }, alg: 'AES', mode: 'GCM', plain }
    const ids: string[] = []
    for (let made = 0; made < 10; made += 1) ids.unshift(await ask(ada, { operation: '/crypto/v1/encrypt', body }))
    const answer = await ben.get(`${requests}?subject=${kid}`)
    expect(answer.body.map(({ request_id: id }: { request_id: string }) => id)).toEqual(ids)
    expect(answer.body[0].body).toEqual(body)
    expect(answer.body.at(-1)).not.toHaveProperty('body')
    expect(answer.text.length).toBeLessThan(9_000_000)
    expect((await ben.get(`${requests}/${ids.at(-1)}`)).body.body).toEqual(body)
  })
})

describe('an operation that fails when its time comes', () => {
  it('is FAILED, undone, and its result is the refusal', async () => {
    const { kid } = await signingKey(user(ben))
    const id = await ask(ada, signing(kid))
    await scene.world.ctx.db.updateTable('fortanix_keys').set({ is_enabled: false }).where('id', '=', kid).execute()
    expect((await approve(ben, id)).body).toMatchObject({ status: 'FAILED' })
    const result = await ada.post(`${requests}/${id}/result`)
    expect(result).toMatchObject({ status: 200, body: { status: 403, body: 'The key is disabled.' } })
    expect(await usesOf(kid)).toBe(0)
  })
})

describe('what was approved', () => {
  const overtaken = 'The operation is about something else by now than what was approved.'
  const onlyUse = { protect_permissions: ['DELETE_SOBJECTS'] }
  const byName = (name: string) => ({
    operation: '/crypto/v1/sign',
    body: { key: { name }, hash_alg: 'SHA256', data: data.toString('base64') },
  })

  it('is not done with another key that has the name by now', async () => {
    const [seen, other] = [
      await signingKey({ ...user(ben), ...onlyUse }),
      await signingKey({ ...user(cleo), ...onlyUse }),
    ]
    const { name } = (await ada.get(`/crypto/v1/keys/${seen.kid}`)).body
    const id = await ask(ada, byName(name))
    expectStatus(await ada.patch(`/crypto/v1/keys/${seen.kid}`, { name: `${name}, set aside` }), 200)
    expectStatus(await ada.patch(`/crypto/v1/keys/${other.kid}`, { name }), 200)
    expect((await approve(ben, id)).body).toMatchObject({ status: 'FAILED', subjects: [{ sobject: seen.kid }, {}] })
    expect((await ada.post(`${requests}/${id}/result`)).body).toEqual({ status: 403, body: overtaken })
    expect([await usesOf(seen.kid), await usesOf(other.kid)]).toEqual([0, 0])
  })

  it('is done to an app that left a group meanwhile', async () => {
    const [asked, free] = [await group({ ...user(ben), protect_manage_operations: true }), await group()]
    const groups = { [asked]: ['SIGN'], [free]: ['SIGN'] }
    const body = { name: `robot ${++count}`, add_groups: groups }
    const { app_id: appId } = expectStatus(await ada.post('/sys/v1/apps', body), 201)
    const reading = { method: 'GET', operation: `/sys/v1/apps/${appId}/credential` }
    const change = async (members: object) => {
      const changing = await ask(ada, { method: 'PATCH', operation: `/sys/v1/apps/${appId}`, body: members })
      expect((await approve(ben, changing)).body).toMatchObject({ status: 'APPROVED' })
    }
    const first = await ask(ada, reading)
    await change({ del_groups: [free] })
    expect((await approve(ben, first)).body).toMatchObject({ status: 'APPROVED' })
  })
})

describe('a request that is deleted', () => {
  it('is gone, for who asked and for an administrator, and for nobody else to do', async () => {
    const { kid } = await signingKey(user(ben))
    const id = await ask(ada, signing(kid))
    expect(await ben.delete(`${requests}/${id}`)).toMatchObject({ status: 403 })
    expect(await ada.delete(`${requests}/${id}`)).toMatchObject({ status: 204, text: '' })
    expect(await ada.get(`${requests}/${id}`)).toMatchObject({ status: 404 })
  })
})

describe('somebody whom the organization disabled by another of its APIs', () => {
  it('does nothing in the account any more, and approves nothing', async () => {
    const { kid } = await signingKey(user(dora))
    const id = await ask(ada, signing(kid))
    const disable = async (at: Date | null) =>
      await scene.world.ctx.db
        .updateTable('principals')
        .set({ disabled_at: at })
        .where('person_id', '=', dora.id)
        .where('org_id', '=', account)
        .execute()
    await disable(new Date())
    expect(await approve(dora, id)).toMatchObject({ status: 403 })
    expect(await dora.get('/sys/v1/groups')).toMatchObject({ status: 403 })
    await disable(null)
    expect((await approve(dora, id)).body).toMatchObject({ status: 'APPROVED' })
  })
})

describe('a policy in force', () => {
  it('is changed by itself alone', async () => {
    const groupId = await group(user(ben))
    const body = { approval_policy: {} }
    const path = `/sys/v1/groups/${groupId}`
    expect(await ada.patch(path, body)).toMatchObject(refused(403, 'This operation requires approval'))
    const id = await ask(ada, { method: 'PATCH', operation: path, body })
    expect((await approve(ben, id)).body).toMatchObject({ status: 'APPROVED' })
    expect((await ada.get(path)).body).not.toHaveProperty('approval_policy')
    expect(await ada.patch(path, { description: 'free again' })).toMatchObject({ status: 200 })
  })
})

describe('a reviewer who became an auditor', () => {
  it('decides nothing any more', async () => {
    const eve = await scene.signUp(`Eve${++count}`)
    await scene.join(ada, eve, account)
    const { kid } = await signingKey(user(eve))
    const id = await ask(ada, signing(kid))
    expectStatus(await ada.patch(`/sys/v1/users/${eve.id}`, { account_role: ['ACCOUNTAUDITOR'] }), 200)
    expect(await approve(eve, id)).toMatchObject({ status: 403, type: 'text/plain' })
    expect(await eve.post(`${requests}/${id}/deny`)).toMatchObject({ status: 403 })
    expect((await ada.get(`${requests}/${id}`)).body).toMatchObject({ status: 'PENDING', approvers: [] })
  })
})

async function usesOf(kid: string): Promise<number> {
  const key = await scene.world.ctx.db.selectFrom('fortanix_keys').select('used').where('id', '=', kid).execute()
  return Number(key[0]?.used)
}

describe('an operation that has become another by the time it is approved', () => {
  const move = async (kid: string, to: string): Promise<void> => {
    await scene.world.ctx.db.updateTable('fortanix_keys').set({ group_id: to }).where('id', '=', kid).execute()
  }
  const failed = {
    status: 403,
    body: 'The operation is about something else by now than what was approved.',
  }
  const resultOf = async (id: string) => (await ada.post(`${requests}/${id}/result`)).body

  it('is not done with a key that came into a group whose policy asks somebody else', async () => {
    const { kid } = await signingKey(user(ben))
    const id = await ask(ada, signing(kid))
    await move(kid, await group(user(cleo)))
    expect((await approve(ben, id)).body).toMatchObject({ status: 'FAILED' })
    expect(await resultOf(id)).toEqual({ status: 403, body: 'This operation requires approval' })
    expect(await usesOf(kid)).toBe(0)
  })

  it('is done with a key that came into a group that asks nobody, and under a policy that came later', async () => {
    const moved = await signingKey(user(ben))
    const first = await ask(ada, signing(moved.kid))
    await move(moved.kid, await group())
    expect((await approve(ben, first)).body).toMatchObject({ status: 'APPROVED' })

    const { kid, groupId } = await signingKey(user(ben))
    const second = await ask(ada, signing(kid))
    const body = { approval_policy: user(cleo) }
    const change = await ask(ada, { method: 'PATCH', operation: `/sys/v1/groups/${groupId}`, body })
    expect((await approve(ben, change)).body).toMatchObject({ status: 'APPROVED' })
    expect((await approve(ben, second)).body).toMatchObject({ status: 'APPROVED' })
  })

  it('is not done with another key of the name that it was asked for by', async () => {
    const { kid } = await signingKey(user(ben))
    const other = await signingKey(user(ben))
    const name = expectStatus(await ada.get(`/crypto/v1/keys/${kid}`), 200).name
    const id = await ask(ada, { ...signing(kid), body: { ...signing(kid).body, key: { name } } })
    const rename = async (one: string, to: string) =>
      await scene.world.ctx.db.updateTable('fortanix_keys').set({ name: to }).where('id', '=', one).execute()
    await rename(kid, `${name} of before`)
    await rename(other.kid, name)
    expect((await approve(ben, id)).body).toMatchObject({ status: 'FAILED' })
    expect(await resultOf(id)).toEqual(failed)
    expect([await usesOf(kid), await usesOf(other.kid)]).toEqual([0, 0])
  })

  it('is done where it changes less than it would have, having been done already', async () => {
    const { kid } = await signingKey(user(ben))
    const disabling = { method: 'PATCH', operation: `/crypto/v1/keys/${kid}`, body: { enabled: false } }
    for (const id of [await ask(ada, disabling), await ask(ada, disabling)]) {
      expect((await approve(ben, id)).body).toMatchObject({ status: 'APPROVED' })
    }
  })

  it('is not done where it would touch more of a group than what it was asked for', async () => {
    const source = await group({
      ...user(cleo),
      protect_permissions: ['UPDATE_KEY_OPS'],
      protect_crypto_operations: false,
    })
    const target = await group(user(ben))
    const made = { name: `key ${++count}`, obj_type: 'EC', elliptic_curve: 'NistP256', group_id: source }
    const { kid, key_ops: before } = expectStatus(await ada.post('/crypto/v1/keys', made), 201)
    const path = { method: 'PATCH', operation: `/crypto/v1/keys/${kid}` }
    // As long as it is for all of this the policy that protects what it is for is not touched.
    const moving = await ask(ada, { ...path, body: { group_id: target, key_ops: before } })
    const less = await ask(ada, { ...path, body: { key_ops: ['SIGN'] } })
    expect((await approve(cleo, less)).body).toMatchObject({ status: 'APPROVED' })
    expect((await approve(ben, moving)).body).toMatchObject({ status: 'FAILED' })
    expect(expectStatus(await ada.get(`/crypto/v1/keys/${kid}`), 200)).toMatchObject({
      group_id: source,
      key_ops: ['SIGN'],
    })
  })
})
