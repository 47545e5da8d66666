import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectStatus, password, type FortanixApp, type FortanixUser, type RawAnswer } from '../../helpers/fortanix.ts'
import {
  approve,
  ask,
  deny,
  idsOf,
  quorum,
  refused,
  requests,
  result,
  show,
  signing,
  startVault,
  timeOf,
  user,
  type Vault,
} from '../../helpers/fortanix-requests.ts'
import { madeUnder } from '../../helpers/held.ts'

/** What contract fortanix §3.1 to §3.5 state of requests for approval. */
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
const twoOf = () => quorum(2, [user(ben), user(cleo)])

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
    const { id } = await vault.asked(user(ben))
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
    const { id } = await vault.asked(quorum(2, [user(ada), user(ben)]))
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
    const { id } = await vault.asked(user(ben))
    const { created_at: made, expiry } = await show(ada, id)
    expect(timeOf(expiry) - timeOf(made)).toBe(30 * 86_400_000)
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
      const { id } = await vault.asked(user(ben))
      expect((await approve(ben, id, body)).body).toMatchObject({ status: 'APPROVED', approvers: [user(ben)] })
    }
  })

  it('of all that is wrong with it is told the first', async () => {
    const { id } = await vault.asked(quorum(2, [user(ben), user(cleo)], { require_password: true }))
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
    const { id, kid } = await vault.asked(quorum(1, [user(ben)], { require_password: true }))
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
    expect([await show(ada, id), await vault.votesOn(id), await leaves(), await vault.usesOf(kid)]).toEqual([
      before,
      0,
      told,
      0,
    ])
    expect((await approve(ben, id, { password })).body).toMatchObject({ status: 'APPROVED' })
  })

  it('with a password that nobody asked for is refused if that is wrong', async () => {
    const { id } = await vault.asked(user(ben))
    expect(await approve(ben, id, { password: 'wrong' })).toMatchObject(refused(403))
    expect(await vault.votesOn(id)).toBe(0)
    expect((await approve(ben, id, { password })).body).toMatchObject({ status: 'APPROVED' })
  })

  it('takes the password of who gives it, and of nobody else', async () => {
    expectStatus(
      await vault.scene.anyone.post('/sys/v1/users', { user_email: 'ida@example.com', user_password: 'another one' }),
      201,
    )
    const { id } = await vault.asked(quorum(1, [user(ben)], { require_password: true }))
    expect(await approve(ben, id, { password: 'another one' })).toMatchObject(refused(403))
  })

  it('keeps its body, which changes nothing of what is done', async () => {
    const { id, kid } = await vault.asked(twoOf())
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
    const { id } = await vault.asked(quorum(3, [inner, quorum(2, [user(ben), user(cleo)]), user(cleo)]))
    expect(await show(ada, id)).toMatchObject({
      reviewers: [expect.objectContaining(user(ben)), expect.objectContaining(user(cleo))],
    })
    expect((await approve(cleo, id)).body).toMatchObject({ status: 'PENDING' })
    expect((await approve(ben, id)).body).toMatchObject({ status: 'APPROVED', approvers: [user(cleo), user(ben)] })
  })

  it('needs what any quorum above any place of its reviewer asks for', async () => {
    const inner = quorum(1, [user(ben), quorum(1, [user(cleo)])], { require_password: true })
    for (const members of [
      [user(ben), inner],
      [inner, user(ben)],
    ]) {
      const { id } = await vault.asked(quorum(1, members))
      expect((await show(ada, id)).reviewers).toEqual([
        { ...user(ben), requires_password: true, requires_2fa: false },
        { ...user(cleo), requires_password: true, requires_2fa: false },
      ])
      expect(await approve(ben, id)).toMatchObject(refused(400))
      expect((await approve(ben, id, { password })).body).toMatchObject({ status: 'APPROVED' })
    }
  })

  it('is given by nobody who was disabled meanwhile', async () => {
    const hal = await vault.scene.signUp('Hal')
    await vault.scene.join(ada, hal, vault.account)
    const robot = await vault.scene.app(ada, vault.name(), { [await vault.group()]: [] })
    const { id } = await vault.asked(quorum(1, [user(hal), { app: robot.id }, user(ben)]))
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
    const { id } = await vault.asked(quorum(1, [user(ian), user(ben)]))
    const decided: RawAnswer[] = []
    await madeUnder(db, sql`select 1 from requests where id = ${id} for update`, [
      async () => void decided.push(await call(ian, id)),
      async () => void (await enabled(false)),
    ])
    expect(decided).toMatchObject([refused(403, 'The user is disabled in this account.')])
    expect([(await show(ada, id)).status, await vault.votesOn(id)]).toEqual(['PENDING', 0])
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
      const { id } = await vault.asked(quorum(1, [user(ben)], { require_password: true, require_2fa: true }))
      const answer = expectStatus(await deny(ben, id, body), 200)
      expect(answer).toMatchObject({ status: 'DENIED', denier: user(ben), approvers: [] })
      expect(answer['denial_reason']).toBe(reason)
      expect(Object.hasOwn(answer, 'denial_reason')).toBe(reason !== undefined)
    }
  })

  it('is for reviewers alone, and final', async () => {
    const { id, kid } = await vault.asked(twoOf())
    expect(await deny(ada, id)).toMatchObject(refused(403))
    expect(await deny(dora, id)).toMatchObject(refused(404))
    expect(await deny(ben, id, { reason: ['no'] })).toMatchObject(refused(400, 'reason must be a text.'))
    expectStatus(await deny(ben, id), 200)
    for (const call of [approve, deny])
      for (const who of [ben, cleo]) expect(await call(who, id)).toMatchObject(refused(400))
    expect(await show(ada, id)).toMatchObject({ status: 'DENIED', denier: user(ben), approvers: [] })
    expect(await vault.usesOf(kid)).toBe(0)
  })

  it('comes too late once it is approved', async () => {
    const { id } = await vault.asked(quorum(1, [user(ben), user(cleo)]))
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
    expect(await vault.usesOf(kid)).toBe(0)
  })

  it('by an administrator, whatever it is at; what it did stays', async () => {
    const { id: waits } = await vault.asked(user(ben))
    const { id: denied } = await vault.asked(user(ben))
    expectStatus(await deny(ben, denied), 200)
    const { id: done, group } = await vault.asked(user(ben))
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
