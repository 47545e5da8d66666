import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { executeOperation } from '../../../src/custody/requests/execute.ts'
import { deferredOperations } from '../../../src/dialects/fortanix/deferred-operations.ts'
import { runDueJobs } from '../../../src/jobs/worker.ts'
import { expectStatus, password, type FortanixApp, type FortanixUser } from '../../helpers/fortanix.ts'
import {
  approve,
  ask,
  deny,
  idsOf,
  quorum,
  refused,
  requests,
  result,
  sentence,
  show,
  signing,
  startVault,
  timeOf,
  user,
  type Vault,
} from '../../helpers/fortanix-requests.ts'

/** What contract fortanix §3.6, §4.3 and §4.4 state of operations that were approved, their policies and their time. */
let vault: Vault<'Ada' | 'Ben' | 'Cleo' | 'Dora'>
/** Administers the account. */
let ada: FortanixUser
let ben: FortanixUser
let cleo: FortanixUser
let dora: FortanixUser

beforeAll(async () => {
  vault = await startVault(['Ada', 'Ben', 'Cleo', 'Dora'])
  ;({ Ada: ada, Ben: ben, Cleo: cleo, Dora: dora } = vault.people)
})
afterAll(() => vault[Symbol.asyncDispose]())

const day = 86_400_000
const twoOf = () => quorum(2, [user(ben), user(cleo)])
const settings = async (body: object) => expectStatus(await ada.patch(`/sys/v1/accounts/${vault.account}`, body), 200)

/** Time passes, and whoever calls signs in again. */
async function wait(milliseconds: number): Promise<void> {
  await vault.wait(milliseconds)
  ;({ Ada: ada, Ben: ben, Cleo: cleo, Dora: dora } = vault.people)
}

describe('§3.6, an approved operation', () => {
  it('is done as who asked, whose rights are looked at again', async () => {
    const group = await vault.group()
    const { kid } = await vault.key(group)
    const robot = await vault.scene.app(ada, vault.name(), { [group]: ['SIGN'] })
    const eve = await vault.scene.signUp(vault.name().replaceAll(' ', ''))
    await vault.scene.join(ada, eve, vault.account)
    const inGroup = async (member: string) =>
      expectStatus(await ada.patch(`/sys/v1/users/${eve.id}`, { [member]: { [group]: ['GROUPADMINISTRATOR'] } }), 200)
    await inGroup('add_groups')
    const policy = { ...user(ben), protect_manage_operations: false }
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: policy }), 200)
    const failing = async (who: FortanixUser | FortanixApp, lose: () => Promise<unknown>, status: number) => {
      const id = await ask(who, signing(kid))
      await lose()
      const { body } = await approve(ben, id)
      expect(body).toMatchObject({ status: 'FAILED', approvers: [user(ben)] })
      expect(await vault.usesOf(kid)).toBe(0)
      return { id, status }
    }
    const outOfGroup = await failing(eve, () => inGroup('del_groups'), 404)
    expect((await result(eve, outOfGroup.id)).body).toEqual({ status: 404, body: 'No such key.' })
    const change = async (body: object) => expectStatus(await ada.patch(`/sys/v1/apps/${robot.id}`, body), 200)
    const lessAllowed = await failing(robot, () => change({ mod_groups: { [group]: ['VERIFY'] } }), 403)
    const { body } = await result(robot, lessAllowed.id)
    expect(body).toEqual({ status: 403, body: expect.stringMatching(/^The caller does not hold the permission/) })
    await change({ mod_groups: { [group]: ['SIGN'] } })
    const disabled = await failing(robot, () => change({ enabled: false }), 403)
    await change({ enabled: true })
    expect((await result(robot, disabled.id)).body).toEqual({ status: 403, body: 'The app is disabled.' })
    await inGroup('add_groups')
    const out = await failing(
      eve,
      async () => expectStatus(await ada.patch(`/sys/v1/users/${eve.id}`, { enable: false }), 200),
      403,
    )
    expect((await show(ada, out.id)).status).toBe('FAILED')
  })

  it('is checked again as a whole, and not only who asks', async () => {
    const group = await vault.group()
    const { kid } = await vault.key(group)
    const robot = await vault.scene.app(ada, vault.name(), { [group]: ['MANAGE'] })
    const url = `/sys/v1/groups/${group}`
    const policy = { ...user(ben), protect_manage_operations: true }
    expectStatus(await ada.patch(url, { approval_policy: policy }), 200)
    const renaming = { method: 'PATCH', operation: `/crypto/v1/keys/${kid}`, body: { description: 'changed' } }
    const id = await ask(robot, renaming)
    const weaker = {
      method: 'PATCH',
      operation: `/sys/v1/apps/${robot.id}`,
      body: { mod_groups: { [group]: ['SIGN'] } },
    }
    expectStatus(await approve(ben, await ask(ada, weaker)), 200)
    expect((await approve(ben, id)).body).toMatchObject({ status: 'FAILED' })
    expect((await result(robot, id)).body).toMatchObject({ status: 403 })
    expect((await ada.get(`/crypto/v1/keys/${kid}`)).body).not.toHaveProperty('description')

    const kim = await vault.scene.signUp('Kim')
    await vault.scene.join(ada, kim, vault.account)
    const naming = await ask(ada, { method: 'PATCH', operation: url, body: { approval_policy: user(kim) } })
    expectStatus(await ada.patch(`/sys/v1/users/${kim.id}`, { enable: false }), 200)
    expect((await approve(ben, naming)).body).toMatchObject({ status: 'FAILED' })
    expect((await result(ada, naming)).body).toMatchObject({ status: 400 })
    expect((await ada.get(url)).body.approval_policy).toMatchObject(user(ben))
  })

  it('that fails leaves nothing of itself, and is not tried again', async () => {
    const name = vault.name()
    const group = await vault.group(user(ben))
    const url = `/sys/v1/groups/${group}`
    const id = await ask(ada, { method: 'PATCH', operation: url, body: { name, description: 'half' } })
    expectStatus(await ada.post('/sys/v1/groups', { name }), 201)
    const before = (await ada.get(url)).body
    expect((await approve(ben, id)).body).toMatchObject({ status: 'FAILED' })
    expect((await result(ada, id)).body).toEqual({ status: 409, body: 'A group of this name exists already.' })
    expect((await ada.get(url)).body).toEqual(before)
    expect(await approve(ben, id)).toMatchObject(refused(400))
    await wait(10_000)
    await runDueJobs(vault.scene.world.ctx)
    expect(await show(ada, id)).toMatchObject({ status: 'FAILED' })
  })

  it('has a result once it is done, for who asked, as often as they like, and is done once', async () => {
    const { id, kid } = await vault.asked(quorum(1, [user(ben), user(ada)]))
    expect(await result(ada, id)).toMatchObject(refused(400))
    expect(await result(ben, id)).toMatchObject(refused(403))
    expectStatus(await approve(ben, id), 200)
    expect(await result(ben, id)).toMatchObject(refused(403))
    expect(await show(ada, id)).toMatchObject({ result_viewed: false })
    const first = await result(ada, id)
    expect(first).toMatchObject({ status: 200, body: { status: 200, body: { kid } } })
    expect(await show(ben, id)).toMatchObject({ result_viewed: true })
    for (let again = 0; again < 3; again++) expect((await result(ada, id)).text).toBe(first.text)
    expect(await vault.usesOf(kid)).toBe(1)
    // As a job does that comes after all.
    await executeOperation(vault.scene.world.ctx, deferredOperations, vault.account, id)
    expect([await vault.usesOf(kid), (await result(ada, id)).text]).toEqual([1, first.text])
    const { id: denied } = await vault.asked(user(ben))
    expectStatus(await deny(ben, denied), 200)
    await executeOperation(vault.scene.world.ctx, deferredOperations, vault.account, denied)
    expect(await result(ada, denied)).toMatchObject(refused(400))
  })

  it('lives a period of the account from its approval on', async () => {
    const { id } = await vault.asked(user(ben))
    await wait(3 * day)
    expectStatus(await approve(ben, id), 200)
    const { created_at: made, expiry } = await show(ada, id)
    expect(timeOf(expiry) - timeOf(made)).toBe(33 * day)
  })

  it('keeps its result sealed', async () => {
    const { kid } = await vault.key(user(ben), 'AES')
    const id = await ask(ada, { operation: '/crypto/v1/keys/export', body: { kid } })
    expectStatus(await approve(ben, id), 200)
    const { value } = (await result(ada, id)).body.body
    const { ctx } = vault.scene.world
    const rows = await ctx.db.selectFrom('fortanix_requests').selectAll().where('request_id', '=', id).execute()
    const leaves = await ctx.db.selectFrom('audit_leaves').select(['content', 'private']).execute()
    const raw = Buffer.from(value, 'base64')
    for (const text of [value, raw.toString('hex'), raw.toString('base64url')]) {
      expect(JSON.stringify([rows, leaves])).not.toContain(text)
      expect(rows.some((row) => Buffer.from(row.result ?? []).includes(text))).toBe(false)
    }
    expect(rows.some((row) => Buffer.from(row.result ?? []).includes(raw))).toBe(false)
  })
})

describe('§3.6, a result that is a secret', () => {
  /** Of an app of a group that Ben approves for. */
  async function credential() {
    const group = await vault.group()
    const robot = await vault.scene.app(ada, vault.name(), { [group]: ['SIGN'] })
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) }), 200)
    return { group, operation: { method: 'GET', operation: `/sys/v1/apps/${robot.id}/credential` } }
  }
  const join = async (who: FortanixUser, member: 'add_groups' | 'del_groups', group: string) =>
    expectStatus(await ada.patch(`/sys/v1/users/${who.id}`, { [member]: { [group]: ['GROUPADMINISTRATOR'] } }), 200)

  it('is for who may still ask for it, unless the account says otherwise', async () => {
    const { group, operation } = await credential()
    await join(cleo, 'add_groups', group)
    const id = await ask(cleo, operation)
    expectStatus(await approve(ben, id), 200)
    const first = (await result(cleo, id)).body
    expect(first).toMatchObject({ status: 200, body: { credential: { secret: expect.any(String) } } })
    await join(cleo, 'del_groups', group)
    expect(await result(cleo, id)).toMatchObject(refused(403))
    await settings({ check_access_for_sensitive_operation_results: false })
    expect((await result(cleo, id)).body).toEqual(first)
    await settings({ check_access_for_sensitive_operation_results: true })
    expect(await result(cleo, id)).toMatchObject(refused(403))
    await join(cleo, 'add_groups', group)
    expect((await result(cleo, id)).body).toEqual(first)
  })

  it.each([
    ['an exported key', 'AES', (kid: string) => ({ operation: '/crypto/v1/keys/export', body: { kid } }), 403],
    ['a signature, which is none', 'EC', signing, 200],
  ] as const)('is %s', async (_name, kind, question, status) => {
    const group = await vault.group()
    const { kid } = await vault.key(group, kind)
    await join(cleo, 'add_groups', group)
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) }), 200)
    const id = await ask(cleo, question(kid))
    expectStatus(await approve(ben, id), 200)
    await join(cleo, 'del_groups', group)
    expect((await result(cleo, id)).status).toBe(status)
  })

  it('is what was decrypted', async () => {
    const group = await vault.group()
    const { kid } = await vault.key(group, 'AES')
    await join(cleo, 'add_groups', group)
    const key = { key: { kid }, alg: 'AES', mode: 'GCM' }
    const { cipher, iv, tag } = expectStatus(await cleo.post('/crypto/v1/encrypt', { ...key, plain: 'AAAA' }), 200)
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) }), 200)
    const id = await ask(cleo, { operation: '/crypto/v1/decrypt', body: { ...key, cipher, iv, tag } })
    expectStatus(await approve(ben, id), 200)
    expect((await result(cleo, id)).body).toEqual({ status: 200, body: { kid, plain: 'AAAA' } })
    await join(cleo, 'del_groups', group)
    expect(await result(cleo, id)).toMatchObject(refused(403))
  })
})

describe('§4.3, the policies of an operation', () => {
  it('are those of its beginning, whatever becomes of them', async () => {
    const { id, kid, group } = await vault.asked(twoOf())
    const url = `/sys/v1/groups/${group}`
    const changing = await ask(ada, { method: 'PATCH', operation: url, body: { approval_policy: user(dora) } })
    for (const who of [ben, cleo]) expectStatus(await approve(who, changing), 200)
    const { reviewers } = await show(ada, await ask(ada, signing(kid)))
    expect(reviewers).toEqual([{ ...user(dora), requires_password: false, requires_2fa: false }])
    expect((await show(ada, id)).reviewers).toHaveLength(2)
    expect(await approve(dora, id)).toMatchObject(refused(404))
    expect((await approve(ben, id)).body).toMatchObject({ status: 'PENDING' })
    expect((await approve(cleo, id)).body).toMatchObject({ status: 'APPROVED' })
  })

  it('are those of every group that is touched, and all of them have to be satisfied', async () => {
    const { kid } = await vault.key(user(ben))
    const to = await vault.group(quorum(1, [user(cleo), user(ben)], { require_password: true }))
    const url = `/crypto/v1/keys/${kid}`
    const move = { method: 'PATCH', operation: url, body: { group_id: to } }
    const id = await ask(ada, move)
    expect((await show(ada, id)).reviewers).toEqual([
      { ...user(ben), requires_password: true, requires_2fa: false },
      { ...user(cleo), requires_password: true, requires_2fa: false },
    ])
    expect((await approve(cleo, id, { password })).body).toMatchObject({ status: 'PENDING' })
    expect((await approve(ben, id, { password })).body).toMatchObject({ status: 'APPROVED' })
    expect((await ada.get(url)).body).toMatchObject({ group_id: to })
    // Ben alone satisfies both.
    const { kid: other } = await vault.key(user(ben))
    const second = await ask(ada, { ...move, operation: `/crypto/v1/keys/${other}` })
    expect((await approve(ben, second, { password })).body).toMatchObject({ status: 'APPROVED' })
  })

  it('are the account’s too, where its flag covers what is done', async () => {
    const { scene } = vault
    const [ivy, jim] = [await scene.signUp('Ivy'), await scene.signUp('Jim')]
    const account = await scene.account(ivy, vault.name())
    await scene.join(ivy, jim, account)
    const { group_id: group } = expectStatus(
      await ivy.post('/sys/v1/groups', { name: 'both', approval_policy: user(jim) }),
      201,
    )
    const approval_policy = { policy: user(ivy), manage_groups: true }
    expectStatus(await ivy.patch(`/sys/v1/accounts/${account}`, { approval_policy }), 200)
    const id = await ask(ivy, {
      method: 'PATCH',
      operation: `/sys/v1/groups/${group}`,
      body: { approval_policy: {} },
    })
    expect((await show(ivy, id)).reviewers).toMatchObject([user(ivy), user(jim)])
    expect((await approve(jim, id)).body).toMatchObject({ status: 'PENDING' })
    expect((await approve(ivy, id)).body).toMatchObject({ status: 'APPROVED' })
  })

  it('of all groups of an app protect it', async () => {
    const [one, two] = [await vault.group(), await vault.group()]
    const robot = await vault.scene.app(ada, vault.name(), { [one]: ['SIGN'], [two]: ['SIGN'] })
    for (const [group, who] of [
      [one, ben],
      [two, cleo],
    ] as const)
      expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(who) }), 200)
    const id = await ask(ada, { operation: `/sys/v1/apps/${robot.id}/reset_secret` })
    expect((await approve(ben, id)).body).toMatchObject({ status: 'PENDING' })
    expect((await approve(cleo, id)).body).toMatchObject({ status: 'APPROVED' })
    expect(await robot.get('/sys/v1/groups')).toMatchObject(refused(401))
  })

  it('that protects nothing of it is none to be asked', async () => {
    const group = await vault.group({ ...user(ben), protect_crypto_operations: false })
    const { kid } = await vault.key(group)
    expect(await ada.post(requests, signing(kid))).toMatchObject(refused(400, 'approval is not needed'))
    expect(await ada.patch(`/crypto/v1/keys/${kid}`, { description: 'x' })).toMatchObject(refused(403, sentence))
  })
})

describe('§4.4, a request that expired', () => {
  it('is gone, or stays as it was for whoever sees it, as the account says; nothing can be done with it', async () => {
    const waits = await vault.asked(quorum(1, [user(ben)], { require_password: true }))
    const done = await vault.asked(user(ben))
    expectStatus(await approve(ben, done.id), 200)
    expectStatus(await result(ada, done.id), 200)
    const before = [await show(ada, waits.id), await show(ada, done.id)]
    await wait(30 * day - 1)
    expect([await show(ada, waits.id), await show(ada, done.id)]).toEqual(before)
    await wait(1)
    for (const { id, kid } of [waits, done]) {
      for (const who of [ada, ben]) {
        expect(await who.get(`${requests}/${id}`)).toMatchObject(refused(404))
        expect(await approve(who, id, { password })).toMatchObject(refused(404))
        expect(idsOf(await who.get(`${requests}?subject=${kid}`))).toEqual([])
      }
    }
    await settings({ retain_expired_requests: true })
    expect([await show(ada, waits.id), await show(ben, done.id)]).toEqual(before)
    expect(idsOf(await ada.get(`${requests}?subject=${waits.kid}&status=PENDING`))).toEqual([waits.id])
    expect(await approve(ben, waits.id, { password })).toMatchObject(refused(400))
    expect(await deny(ben, waits.id)).toMatchObject(refused(400))
    expect(await ben.post(`${requests}/${waits.id}/challenge?protocol=fido2`)).toMatchObject(refused(400))
    for (const { id } of [waits, done]) expect(await result(ada, id)).toMatchObject(refused(400))
    expect([await show(ada, waits.id), await show(ada, done.id)]).toEqual(before)
    expect(await vault.usesOf(waits.kid)).toBe(0)
    await runDueJobs(vault.scene.world.ctx)
    expect([await show(ada, waits.id), await show(ada, done.id)]).toEqual(before)
    expect(await ada.delete(`${requests}/${waits.id}`)).toMatchObject({ status: 204 })
    await settings({ retain_expired_requests: false })
  })

  it('had the period of its beginning, and has that of now from its approval on', async () => {
    const { id } = await vault.asked(user(ben))
    const before = await show(ada, id)
    await settings({ approval_request_expiry: 60 })
    expect(await show(ada, id)).toEqual(before)
    const { id: short } = await vault.asked(user(ben))
    await wait(59_999)
    expect(await show(ada, short)).toMatchObject({ status: 'PENDING' })
    await wait(1)
    expect(await approve(ben, short)).toMatchObject(refused(404))
    expectStatus(await approve(ben, id), 200)
    const { expiry } = await show(ada, id)
    expect(timeOf(expiry)).toBe(Math.trunc(vault.scene.world.clock.now().getTime() / 1000) * 1000 + 60_000)
    await settings({ approval_request_expiry: 2_592_000 })
  })
})
