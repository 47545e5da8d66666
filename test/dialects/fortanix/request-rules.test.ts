import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDueJobs } from '../../../src/jobs/worker.ts'
import { expectStatus, password, type FortanixApp, type FortanixUser, type RawAnswer } from '../../helpers/fortanix.ts'
import {
  approve,
  ask,
  deny,
  quorum,
  refused,
  requests,
  result,
  sentence,
  show,
  signing,
  startVault,
  user,
  type Vault,
} from '../../helpers/fortanix-requests.ts'
import { madeUnder } from '../../helpers/held.ts'

/** What contract fortanix §3, §4.3 and §4.4 state of requests for approval. */
let vault: Vault<'Ada' | 'Ben' | 'Cleo' | 'Dora'>
/** Administers the account. */
let ada: FortanixUser
let ben: FortanixUser
let cleo: FortanixUser
/** In the account, and never in a policy. */
let dora: FortanixUser
/** Administers another account. */
let mallory: FortanixUser
let auditor: FortanixUser
let app: FortanixApp

beforeAll(async () => {
  vault = await startVault(['Ada', 'Ben', 'Cleo', 'Dora'])
  ;({ Ada: ada, Ben: ben, Cleo: cleo, Dora: dora } = vault.people)
  const { scene, account } = vault
  mallory = await scene.signUp('Mallory')
  await scene.account(mallory, 'Elsewhere')
  auditor = await scene.signUp('Audrey')
  await scene.join(ada, auditor, account, 'ACCOUNTAUDITOR')
  app = await scene.app(ada, 'robot', { [await vault.group()]: ['SIGN'] })
})
afterAll(() => vault[Symbol.asyncDispose]())

/** PGlite has one connection, on which nothing waits. */
const isPostgres = process.env['QUORATE_TEST_ENGINE'] !== 'pglite'
const nobody = '0192f0c0-0000-7000-8000-000000000000'
const day = 86_400_000
const idsOf = ({ body }: RawAnswer): string[] => body.map(({ request_id: id }: { request_id: string }) => id)
const timeOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
const twoOf = () => quorum(2, [user(ben), user(cleo)])
const settings = async (body: object) => expectStatus(await ada.patch(`/sys/v1/accounts/${vault.account}`, body), 200)

/** A request of Ada's that these have to approve. */
async function asked(policy: object, by: FortanixUser = ada): Promise<{ id: string; kid: string; group: string }> {
  const { kid, group } = await vault.key(policy)
  return { id: await ask(by, signing(kid)), kid, group }
}

async function usesOf(kid: string): Promise<number> {
  const { ctx } = vault.scene.world
  const row = await ctx.db.selectFrom('fortanix_keys').select('used').where('id', '=', kid).executeTakeFirstOrThrow()
  return Number(row.used)
}

async function votesOn(id: string): Promise<number> {
  const { ctx } = vault.scene.world
  return (await ctx.db.selectFrom('votes').select('seq').where('request_id', '=', id).execute()).length
}

async function wait(milliseconds: number): Promise<void> {
  await vault.wait(milliseconds)
  ;({ Ada: ada, Ben: ben, Cleo: cleo, Dora: dora } = vault.people)
}

describe('§3.2, a request', () => {
  it.each([
    [{}, 'operation is needed.'],
    [{ operation: null }, 'operation is needed.'],
    [{ operation: 7 }, 'operation must be a text.'],
    [{ operation: ['/crypto/v1/sign'] }, 'operation must be a text.'],
    [{ operation: '/x'.repeat(600) }, 'operation must have at most 1024 characters.'],
    [{ operation: '/crypto/v1/sign', method: 7 }, 'method must be a text.'],
    [{ operation: '/crypto/v1/sign', description: 7 }, 'description must be a text.'],
    [{ operation: '/nothing' }, 'operation is none that can wait for approval.'],
  ])('is not made of %j', async (body, text) => {
    expect(await ada.post(requests, body)).toMatchObject(refused(400, text))
  })

  it('leaves out what it has not, and says nothing of who denied it', async () => {
    const { id } = await asked(user(ben))
    const shown = await show(ada, id)
    for (const member of ['description', 'denier', 'denial_reason']) expect(shown).not.toHaveProperty(member)
    const { kid } = await vault.key(user(ben))
    const deleting = { method: 'delete', operation: `/crypto/v1/keys/${kid}`, body: null, description: null }
    const created = expectStatus(await ada.post(requests, deleting), 201)
    expect(created).toMatchObject({ method: 'DELETE', operation: deleting.operation })
    expect(created).not.toHaveProperty('body')
    expect(created).not.toHaveProperty('description')
  })

  it('is made as often as it is asked for, each by itself', async () => {
    const { kid } = await vault.key(user(ben))
    const [one, two] = [await ask(ada, signing(kid)), await ask(ada, signing(kid))]
    expect(one).not.toBe(two)
    expect((await approve(ben, one)).body).toMatchObject({ status: 'APPROVED' })
    expect(await show(ada, two)).toMatchObject({ status: 'PENDING', approvers: [] })
  })

  it('is no approval of who asks, who may give it afterwards where they review', async () => {
    const { id } = await asked(quorum(2, [user(ada), user(ben)]))
    expect(await show(ada, id)).toMatchObject({ status: 'PENDING', approvers: [], result_viewed: false })
    expect((await approve(ada, id)).body).toMatchObject({ status: 'PENDING', approvers: [user(ada)] })
    expect((await approve(ben, id)).body).toMatchObject({ status: 'APPROVED', approvers: [user(ada), user(ben)] })
  })

  it('is approved by nobody for themselves where the installation forbids that', async () => {
    await using strict = await startVault(['Ada', 'Ben'], { env: { QUORATE_SELF_APPROVAL: 'deny' } })
    const { Ada: self, Ben: other } = strict.people
    const { kid } = await strict.key(quorum(1, [user(self), user(other)]))
    const id = await ask(self, signing(kid))
    expect(await approve(self, id)).toMatchObject(refused(403))
    expect(await show(self, id)).toMatchObject({ status: 'PENDING', approvers: [] })
    expect((await approve(other, id)).body).toMatchObject({ status: 'APPROVED' })
  })

  it('expires a period of the account after it was made', async () => {
    const { id } = await asked(user(ben))
    const { created_at: made, expiry } = await show(ada, id)
    expect(timeOf(expiry) - timeOf(made)).toBe(30 * day)
  })
})

describe('§3.3, who sees a request', () => {
  it('is who asked, whoever reviews, and an administrator, in the account that they selected', async () => {
    const group = await vault.group(quorum(1, [user(ben), { app: app.id }]))
    const { kid } = await vault.key(group)
    expectStatus(await ada.patch(`/sys/v1/users/${ada.id}`, { first_name: 'Ada' }), 200)
    const asker = await vault.scene.app(ada, vault.name(), { [await vault.group()]: [] })
    const id = await ask(ada, signing(kid))
    for (const who of [ada, ben, app]) {
      expect(await show(who, id)).toMatchObject({ request_id: id })
      expect(idsOf(await who.get(`${requests}?subject=${kid}`))).toEqual([id])
    }
    const unknown = refused(404, 'No such approval request.')
    for (const who of [cleo, dora, auditor, mallory, asker]) {
      expect(await who.get(`${requests}/${id}`)).toMatchObject(unknown)
      expect(await approve(who, id, { password: 'wrong' })).toMatchObject(unknown)
      expect(await deny(who, id)).toMatchObject(unknown)
      expect(await result(who, id)).toMatchObject(unknown)
      expect(await who.post(`${requests}/${id}/challenge`)).toMatchObject(unknown)
      expect(await who.delete(`${requests}/${id}`)).toMatchObject(unknown)
      expect(idsOf(await who.get(`${requests}?subject=${kid}`))).toEqual([])
    }
    // The same person in another account of theirs.
    const again = await vault.scene.signIn(ada.email)
    await vault.scene.account(again, vault.name())
    expect(await again.get(`${requests}/${id}`)).toMatchObject(unknown)
    expect(await again.get(requests)).toMatchObject({ status: 200, body: [] })
  })

  it('lists a bare array, the newest first', async () => {
    const { kid } = await vault.key(user(ben))
    const ids: string[] = []
    for (let made = 0; made < 4; made++) {
      ids.unshift(await ask(ada, signing(kid)))
      if (made % 2 === 0) vault.scene.world.clock.advance(1000)
    }
    const listed = await ada.get(`${requests}?subject=${kid}`)
    expect(idsOf(listed)).toEqual(ids)
    expect(listed.body[0]).toEqual(await show(ada, ids[0] ?? ''))
    expect(idsOf(await ada.get(`${requests}?subject=${kid}&`))).toEqual(ids)
  })

  it('filters by who asked, who reviews, what it is about and what it is at, all of them together', async () => {
    const group = await vault.group()
    const { kid } = await vault.key(group)
    const asker = await vault.scene.app(ada, vault.name(), { [group]: ['SIGN'] })
    const policy = quorum(1, [user(ben), user(cleo), { app: app.id }])
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: policy }), 200)
    const [byAda, byApp] = [await ask(ada, signing(kid)), await ask(asker, signing(kid))]
    const found = async (query: string) => idsOf(await ada.get(`${requests}?subject=${group}&${query}`)).toSorted()
    const both = [byAda, byApp].toSorted()
    expect(await found('')).toEqual(both)
    expect(await found(`requester=${asker.id}`)).toEqual([byApp])
    expect(await found(`requester=${ada.id.toUpperCase()}`)).toEqual([byAda])
    for (const reviewer of [ben, cleo, app]) expect(await found(`reviewer=${reviewer.id}`)).toEqual(both)
    expect(await found(`reviewer=${dora.id}`)).toEqual([])
    expect(idsOf(await ada.get(`${requests}?subject=${kid}&requester=${ada.id}`))).toEqual([byAda])
    expectStatus(await approve(ben, byAda), 200)
    expect(await found('status=PENDING')).toEqual([byApp])
    expect(await found('status=APPROVED')).toEqual([byAda])
    expect(await found(`status=APPROVED&requester=${asker.id}`)).toEqual([])
    expectStatus(await deny(cleo, byApp), 200)
    expect(await found('status=DENIED')).toEqual([byApp])
    expect(await found('status=FAILED')).toEqual([])
    expect(idsOf(await ada.get(`${requests}?subject=${nobody}`))).toEqual([])
  })

  it.each(['status=pending', 'status=', 'status=EXPIRED', 'requester=x', 'reviewer=', 'subject=1', 'limit=x'])(
    'refuses to filter by %s',
    async (query) => {
      expect(await ada.get(`${requests}?${query}`)).toMatchObject(refused(400))
    },
  )
})

describe('§3.4, an approval', () => {
  it('may come with no body, an empty one, and members that are null', async () => {
    const none = { password: null, u2f: null, fido2_auth_request: null, body: null }
    for (const body of [undefined, null, {}, none]) {
      const { id } = await asked(user(ben))
      expect((await approve(ben, id, body)).body).toMatchObject({ status: 'APPROVED', approvers: [user(ben)] })
    }
  })

  it('of all that is wrong with it is told the first', async () => {
    const { id } = await asked(quorum(2, [user(ben), user(cleo)], { require_password: true }))
    const wrong = { password: 'wrong' }
    expect(await approve(dora, id, wrong)).toMatchObject(refused(404))
    expect(await approve(ada, id, wrong)).toMatchObject(refused(403, 'You are no reviewer of this request.'))
    expectStatus(await approve(ben, id, { password }), 200)
    expect(await approve(ben, id, wrong)).toMatchObject(refused(400))
    expect(await show(ada, id)).toMatchObject({ approvers: [user(ben)] })
    expect(await approve(cleo, id)).toMatchObject(refused(400))
    expect(await approve(cleo, id, wrong)).toMatchObject(refused(403))
    expectStatus(await deny(ben, id), 200)
    expect(await approve(cleo, id, wrong)).toMatchObject(refused(400))
    expect(await approve(ada, id, wrong)).toMatchObject(refused(403))
  })

  it('that lacks a factor or has a wrong one leaves nothing behind', async () => {
    const { id, kid } = await asked(quorum(1, [user(ben)], { require_password: true }))
    const before = await show(ada, id)
    const leaves = async () => {
      const { ctx } = vault.scene.world
      return (await ctx.db.selectFrom('audit_leaves').select('kind').where('subject_id', '=', id).execute()).length
    }
    const told = await leaves()
    for (const [body, status] of [
      [undefined, 400],
      [{}, 400],
      [{ password: null }, 400],
      [{ password: '' }, 403],
      [{ password: 'wrong' }, 403],
      [{ password: `${password} ` }, 403],
      [{ password: 7 }, 400],
      [{ body: { password } }, 400],
    ] as const) {
      const answer = await approve(ben, id, body)
      expect([body, answer.status, answer.type]).toEqual([body, status, 'text/plain'])
    }
    expect([await show(ada, id), await votesOn(id), await leaves(), await usesOf(kid)]).toEqual([before, 0, told, 0])
    expect((await approve(ben, id, { password })).body).toMatchObject({ status: 'APPROVED' })
  })

  it('with a password that nobody asked for is refused if that is wrong', async () => {
    const { id } = await asked(user(ben))
    expect(await approve(ben, id, { password: 'wrong' })).toMatchObject(refused(403))
    expect(await votesOn(id)).toBe(0)
    expect((await approve(ben, id, { password })).body).toMatchObject({ status: 'APPROVED' })
  })

  it('takes the password of who gives it, and of nobody else', async () => {
    expectStatus(
      await vault.scene.anyone.post('/sys/v1/users', { user_email: 'ida@example.com', user_password: 'another one' }),
      201,
    )
    const { id } = await asked(quorum(1, [user(ben)], { require_password: true }))
    expect(await approve(ben, id, { password: 'another one' })).toMatchObject(refused(403))
  })

  it('keeps its body, which changes nothing of what is done', async () => {
    const { id, kid } = await asked(twoOf())
    const { body } = await show(ada, id)
    const changed = { ...body, data: 'BBBB' }
    expect((await approve(ben, id, { body: changed })).body).toMatchObject({ body })
    expect((await approve(cleo, id, { body: false })).body).toMatchObject({ body, status: 'APPROVED' })
    const { signature } = (await result(ada, id)).body.body
    const check = async (data: string) =>
      (await ada.post('/crypto/v1/verify', { ...body, data, signature, key: { kid } })).body
    expect([await check('AAAA'), await check('BBBB')]).toEqual([
      { kid, result: true },
      { kid, result: false },
    ])
    const { ctx } = vault.scene.world
    const kept = await ctx.db.selectFrom('fortanix_approvals').selectAll().where('request_id', '=', id).execute()
    expect(kept).toHaveLength(2)
    for (const row of kept) expect(Buffer.from(row.body).includes('BBBB')).toBe(false)
  })

  it('by one who is named in several branches satisfies all of them', async () => {
    const inner = quorum(1, [user(ben), user(cleo)])
    const { id } = await asked(quorum(3, [inner, quorum(2, [user(ben), user(cleo)]), user(cleo)]))
    expect(await show(ada, id)).toMatchObject({
      reviewers: [expect.objectContaining(user(ben)), expect.objectContaining(user(cleo))],
    })
    expect((await approve(cleo, id)).body).toMatchObject({ status: 'PENDING' })
    expect((await approve(ben, id)).body).toMatchObject({ status: 'APPROVED', approvers: [user(cleo), user(ben)] })
  })

  it('needs what any quorum above any place of its reviewer asks for', async () => {
    const { id } = await asked(
      quorum(1, [user(ben), quorum(1, [user(ben), quorum(1, [user(cleo)])], { require_password: true })]),
    )
    const { reviewers } = await show(ada, id)
    expect(reviewers).toEqual([
      { ...user(ben), requires_password: true, requires_2fa: false },
      { ...user(cleo), requires_password: true, requires_2fa: false },
    ])
    expect(await approve(ben, id)).toMatchObject(refused(400))
    expect((await approve(ben, id, { password })).body).toMatchObject({ status: 'APPROVED' })
  })

  it('is given by nobody who was disabled meanwhile', async () => {
    const hal = await vault.scene.signUp('Hal')
    await vault.scene.join(ada, hal, vault.account)
    const robot = await vault.scene.app(ada, vault.name(), { [await vault.group()]: [] })
    const { id } = await asked(quorum(1, [user(hal), { app: robot.id }, user(ben)]))
    expectStatus(await ada.patch(`/sys/v1/users/${hal.id}`, { enable: false }), 200)
    expectStatus(await ada.patch(`/sys/v1/apps/${robot.id}`, { enabled: false }), 200)
    expect(await approve(hal, id)).toMatchObject(refused(401))
    expect(await approve(robot, id)).toMatchObject(refused(403))
    expect(await show(ada, id)).toMatchObject({ status: 'PENDING', approvers: [] })
  })
})

it.runIf(isPostgres)('§3.4, whoever is disabled while their decision waits for another gives none', async () => {
  const ian = await vault.scene.signUp('Ian')
  await vault.scene.join(ada, ian, vault.account)
  const { db } = vault.scene.world.ctx
  const enabled = async (is: boolean) =>
    await db.updateTable('fortanix_members').set({ is_enabled: is }).where('person_id', '=', ian.id).execute()
  for (const call of [approve, deny]) {
    await enabled(true)
    const { id } = await asked(quorum(1, [user(ian), user(ben)]))
    const decided: RawAnswer[] = []
    await madeUnder(db, sql`select 1 from requests where id = ${id} for update`, [
      async () => void decided.push(await call(ian, id)),
      async () => void (await enabled(false)),
    ])
    expect(decided).toMatchObject([refused(403, 'The user is disabled in this account.')])
    expect([(await show(ada, id)).status, await votesOn(id)]).toEqual(['PENDING', 0])
  }
})

describe('§3.5, a denial', () => {
  it('needs no factor, and may come without a body or a reason', async () => {
    for (const [body, reason] of [
      [undefined, undefined],
      [{}, undefined],
      [{ reason: null }, undefined],
      [{ reason: 'no' }, 'no'],
    ] as const) {
      const { id } = await asked(quorum(1, [user(ben)], { require_password: true, require_2fa: true }))
      const answer = expectStatus(await deny(ben, id, body), 200)
      expect(answer).toMatchObject({ status: 'DENIED', denier: user(ben), approvers: [] })
      expect(answer['denial_reason']).toBe(reason)
      expect(Object.hasOwn(answer, 'denial_reason')).toBe(reason !== undefined)
    }
  })

  it('is for reviewers alone, and final', async () => {
    const { id, kid } = await asked(twoOf())
    expect(await deny(ada, id)).toMatchObject(refused(403))
    expect(await deny(dora, id)).toMatchObject(refused(404))
    expect(await deny(ben, id, { reason: ['no'] })).toMatchObject(refused(400, 'reason must be a text.'))
    expectStatus(await deny(ben, id), 200)
    for (const call of [approve, deny])
      for (const who of [ben, cleo]) expect(await call(who, id)).toMatchObject(refused(400))
    expect(await show(ada, id)).toMatchObject({ status: 'DENIED', denier: user(ben), approvers: [] })
    expect(await usesOf(kid)).toBe(0)
  })

  it('comes too late once it is approved', async () => {
    const { id } = await asked(quorum(1, [user(ben), user(cleo)]))
    expectStatus(await approve(ben, id), 200)
    for (const who of [ben, cleo]) expect(await deny(who, id)).toMatchObject(refused(400))
    const shown = await show(ada, id)
    expect(shown).toMatchObject({ status: 'APPROVED', approvers: [user(ben)] })
    expect(shown).not.toHaveProperty('denier')
  })
})

describe('§3.5, a request is deleted', () => {
  const remove = async (who: FortanixUser, id: string) => await who.delete(`${requests}/${id}`)

  it('by who asked, and is then not there, nor done', async () => {
    const group = await vault.group()
    const { kid } = await vault.key(group)
    expectStatus(await ada.patch(`/sys/v1/users/${dora.id}`, { add_groups: { [group]: ['GROUPADMINISTRATOR'] } }), 200)
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: twoOf() }), 200)
    const id = await ask(dora, signing(kid))
    expectStatus(await approve(ben, id), 200)
    expect(await remove(ben, id)).toMatchObject(refused(403))
    expect(await remove(mallory, id)).toMatchObject(refused(404))
    expect(await remove(dora, id)).toMatchObject({ status: 204, text: '' })
    for (const who of [dora, ben, cleo, ada]) {
      expect(await who.get(`${requests}/${id}`)).toMatchObject(refused(404))
      expect(await approve(who, id)).toMatchObject(refused(404))
      expect(idsOf(await who.get(`${requests}?subject=${kid}`))).toEqual([])
    }
    expect(await remove(dora, id)).toMatchObject(refused(404))
    expect(await usesOf(kid)).toBe(0)
  })

  it('by an administrator, whatever it is at; what it did stays', async () => {
    const { id: waits } = await asked(user(ben))
    const { id: denied } = await asked(user(ben))
    expectStatus(await deny(ben, denied), 200)
    const { id: done, group } = await asked(user(ben))
    const url = `/sys/v1/groups/${group}`
    const changing = await ask(ada, { method: 'PATCH', operation: url, body: { description: 'stays' } })
    for (const id of [done, changing]) expectStatus(await approve(ben, id), 200)
    for (const id of [waits, denied, done, changing]) {
      expect(await remove(ada, id)).toMatchObject({ status: 204 })
      expect(await result(ada, id)).toMatchObject(refused(404))
    }
    expect((await ada.get(url)).body).toMatchObject({ description: 'stays' })
  })
})

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
      expect(await usesOf(kid)).toBe(0)
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
    const { id, kid } = await asked(quorum(1, [user(ben), user(ada)]))
    expect(await result(ada, id)).toMatchObject(refused(400))
    expect(await result(ben, id)).toMatchObject(refused(403))
    expectStatus(await approve(ben, id), 200)
    expect(await result(ben, id)).toMatchObject(refused(403))
    expect(await show(ada, id)).toMatchObject({ result_viewed: false })
    const first = await result(ada, id)
    expect(first).toMatchObject({ status: 200, body: { status: 200, body: { kid } } })
    expect(await show(ben, id)).toMatchObject({ result_viewed: true })
    for (let again = 0; again < 3; again++) expect((await result(ada, id)).text).toBe(first.text)
    expect(await usesOf(kid)).toBe(1)
    const { id: denied } = await asked(user(ben))
    expectStatus(await deny(ben, denied), 200)
    expect(await result(ada, denied)).toMatchObject(refused(400))
  })

  it('lives a period of the account from its approval on', async () => {
    const { id } = await asked(user(ben))
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
    const { id, kid, group } = await asked(twoOf())
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
    const waits = await asked(quorum(1, [user(ben)], { require_password: true }))
    const done = await asked(user(ben))
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
    expect(await usesOf(waits.kid)).toBe(0)
    await runDueJobs(vault.scene.world.ctx)
    expect([await show(ada, waits.id), await show(ada, done.id)]).toEqual(before)
    expect(await ada.delete(`${requests}/${waits.id}`)).toMatchObject({ status: 204 })
    await settings({ retain_expired_requests: false })
  })

  it('had the period of its beginning, and has that of now from its approval on', async () => {
    const { id } = await asked(user(ben))
    const before = await show(ada, id)
    await settings({ approval_request_expiry: 60 })
    expect(await show(ada, id)).toEqual(before)
    const { id: short } = await asked(user(ben))
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
