import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { executeOperation } from '../../src/custody/requests/execute.ts'
import { deferredOperations } from '../../src/dialects/fortanix/deferred-operations.ts'
import { Authenticator } from '../helpers/authenticator.ts'
import { inBatches, moments } from '../helpers/crowd.ts'
import { deadlocks } from '../helpers/deadlocks.ts'
import { dice } from '../helpers/dice.ts'
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
} from '../helpers/fortanix.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import {
  approvalRequests,
  approve,
  ask,
  deny,
  makeGroup,
  makeKey,
  needsApproval,
  quorum,
  sign,
  signing,
  user,
} from '../helpers/vault.ts'

const rounds = [...Array(25).keys()]

let databaseUrl: string

/** Only PostgreSQL has two transactions at once. */
describe('what is said of one operation at the same time', { timeout: 170_000 }, () => {
  let scene: FortanixWorld
  let ada: FortanixUser
  let ben: FortanixUser
  let cleo: FortanixUser
  let reviewers: readonly (FortanixUser | FortanixApp)[]
  let account: string

  beforeAll(async () => {
    databaseUrl = await freshDatabase()
    scene = await startFortanix({ databaseUrl })
    ada = await scene.signUp('Ada')
    account = await scene.account(ada, 'Vault')
    const people = []
    for (const name of ['Ben', 'Cleo', 'Dora', 'Emil', 'Fay']) {
      const reviewer = await scene.signUp(name)
      await scene.join(ada, reviewer, account)
      people.push(reviewer)
    }
    ;[ben, cleo] = people as [FortanixUser, FortanixUser]
    const robots = await makeGroup(ada)
    const apps = await Promise.all(['one', 'two', 'three'].map((name) => scene.app(ada, name, { [robots]: [] })))
    reviewers = [...people, ...apps]
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  const leaf = (who: FortanixUser | FortanixApp) => ('key' in who ? { app: who.id } : user(who))
  const protectedKey = async (policy: object) => await makeKey(ada, await makeGroup(ada, policy))
  const db = () => scene.world.ctx.db
  const usesOf = async (kid: string) =>
    Number((await db().selectFrom('fortanix_keys').select('used').where('id', '=', kid).executeTakeFirstOrThrow()).used)
  const stateOf = async (id: string) => (await ada.get(`${approvalRequests}/${id}`)).body?.status ?? 'gone'
  const leavesOf = async (...subjects: readonly string[]) =>
    (
      await db()
        .selectFrom('audit_leaves')
        .select(['id', 'kind', 'subject_id'])
        .where('subject_id', 'in', subjects)
        .orderBy('id')
        .execute()
    ).map(({ id, kind }) => ({ id: BigInt(id), kind }))
  const statusesOf = (answers: readonly RawAnswer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b)

  it('of many last approvals one completes the quorum, and the operation is done once', async () => {
    const kid = await protectedKey(quorum(2, reviewers.map(leaf)))
    await inBatches(rounds, 2, async (_round, index) => {
      const id = await ask(ada, signing(kid))
      const [first, ...others] = dice(index).shuffled(reviewers)
      expectStatus(await approve(first as FortanixUser, id), 200)
      // As workers would who come upon it.
      const work = async () => await executeOperation(scene.world.ctx, deferredOperations, account, id)
      const working = [1, 2, 3].map((turn) => moments(turn * 4).then(work))
      const answers = await Promise.all([...others, ...others].map((other) => approve(other, id)))
      await Promise.all([...working, work()])
      expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: answers.length - 1 }, () => 400)])
      expect(answers.find(({ status }) => status === 200)?.body).toMatchObject({ status: 'APPROVED' })
      expect((await ada.get(`${approvalRequests}/${id}`)).body.approvers).toHaveLength(2)
    })
    expect(await usesOf(kid)).toBe(rounds.length)
    const used = (await leavesOf(kid)).filter(({ kind }) => kind === 'key.used')
    expect(used).toHaveLength(rounds.length)
  })

  it('an approval and a denial: one wins, the other is told that it came too late', async () => {
    const kid = await protectedKey(quorum(1, [user(ben), user(cleo)]))
    const won = { APPROVED: 0, DENIED: 0 }
    await inBatches([...rounds, ...rounds], 2, async (_round, index) => {
      const id = await ask(ada, signing(kid))
      const chance = dice(index)
      const [approval, denial] = await Promise.all([
        moments(chance.roll(5)).then(() => approve(ben, id)),
        moments(chance.roll(5)).then(() => deny(cleo, id)),
      ])
      const state = (await stateOf(id)) as keyof typeof won
      won[state] += 1
      expect([approval.status, denial.status]).toEqual(state === 'APPROVED' ? [200, 400] : [400, 200])
      expect((state === 'APPROVED' ? approval : denial).body.status).toBe(state)
    })
    expect(await usesOf(kid)).toBe(won.APPROVED)
    expect(won.APPROVED).toBeGreaterThan(0)
    expect(won.DENIED).toBeGreaterThan(0)
  })

  it('an approval and the deletion of the request: it is done only where the approval came first', async () => {
    const kid = await protectedKey(user(ben))
    const won = { approval: 0, deletion: 0 }
    await inBatches([...rounds, ...rounds], 2, async (_round, index) => {
      const id = await ask(ada, signing(kid))
      const chance = dice(index)
      const [approval, deletion] = await Promise.all([
        moments(chance.roll(4)).then(() => approve(ben, id)),
        moments(chance.roll(8)).then(() => ada.delete(`${approvalRequests}/${id}`)),
      ])
      expect(deletion.status).toBe(204)
      expect(await stateOf(id)).toBe('gone')
      const told = (await leavesOf(id)).map(({ kind }) => kind)
      const isDone = told.includes('operation.executed')
      won[isDone ? 'approval' : 'deletion'] += 1
      // Whoever asks what became of it may be told that it is gone, having approved it.
      expect([200, 404]).toContain(approval.status)
      if (approval.status === 200) expect([approval.body.status, isDone]).toEqual(['APPROVED', true])
      expect(told.at(-1)).toBe('request.deleted')
    })
    expect(await usesOf(kid)).toBe(won.approval)
    expect(won.approval).toBeGreaterThan(0)
    expect(won.deletion).toBeGreaterThan(0)
  })

  it('two who each complete a quorum of their own complete both together', async () => {
    const [b, c, d, e] = reviewers.map(leaf) as [object, object, object, object]
    const kid = await protectedKey(quorum(2, [quorum(1, [b, d]), quorum(1, [c, e])]))
    await inBatches(rounds, 2, async () => {
      const id = await ask(ada, signing(kid))
      const answers = await Promise.all([approve(ben, id), approve(cleo, id)])
      expect(statusesOf(answers)).toEqual([200, 200])
      expect(answers.map(({ body }) => body.status)).toContain('APPROVED')
      expect(await stateOf(id)).toBe('APPROVED')
    })
    expect(await usesOf(kid)).toBe(rounds.length)
  })

  it('one assertion that is sent many times at once is one approval', async () => {
    const key = new Authenticator()
    const keeper = await scene.signUp('Keeper')
    await scene.join(ada, keeper, account)
    expectStatus(await keeper.post('/sys/v1/session/config_2fa/auth', { password }), 200)
    const options = (await keeper.post('/sys/v1/session/config_2fa/new_challenge?protocol=fido2')).body
    const attestationResult = attestationOf(scene.world, key, options.challenge, options.rp.id)
    const device = { add_mfa_devices: [{ name: 'blue', attestationResult }] }
    expectStatus(await keeper.patch(`/sys/v1/users/${keeper.id}`, device), 200)
    expectStatus(await keeper.post('/sys/v1/session/config_2fa/terminate'), 204)
    const kid = await protectedKey(quorum(2, [user(keeper), user(ben)], { require_2fa: true }))
    await inBatches(rounds.slice(0, 10), 1, async () => {
      const id = await ask(ada, signing(kid))
      const opened = (await keeper.post(`${approvalRequests}/${id}/challenge?protocol=fido2`)).body
      const fido2_auth_request = assertionOf(scene.world, key, opened)
      const answers = await Promise.all(Array.from({ length: 10 }, () => approve(keeper, id, { fido2_auth_request })))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      for (const { status } of answers) expect([200, 400, 403]).toContain(status)
      expect((await ada.get(`${approvalRequests}/${id}`)).body).toMatchObject({
        status: 'PENDING',
        approvers: [user(keeper)],
      })
    })
    expect(await usesOf(kid)).toBe(0)
  })

  it('a result that is read many times at once is the same, and is noted as read once', async () => {
    const kid = await protectedKey(user(ben))
    await inBatches(rounds.slice(0, 10), 1, async () => {
      const id = await ask(ada, signing(kid))
      expectStatus(await approve(ben, id), 200)
      const results = await Promise.all(Array.from({ length: 8 }, () => ada.post(`${approvalRequests}/${id}/result`)))
      expect(new Set(results.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
      expect(results[0]).toMatchObject({ status: 200, body: { status: 200, body: { kid } } })
      const read = (await leavesOf(id)).filter(({ kind }) => kind === 'operation.result-read')
      expect(read).toHaveLength(1)
      expect((await ada.get(`${approvalRequests}/${id}`)).body.result_viewed).toBe(true)
    })
  })

  it('requests that are made at once under one quorum are decided by one policy', async () => {
    await inBatches(rounds.slice(0, 10), 1, async (_round, index) => {
      const policy = quorum(2, [user(ben), user(cleo), quorum(1, reviewers.slice(2, 3 + (index % 5)).map(leaf))])
      const kids = [await protectedKey(policy), await protectedKey(policy)]
      const before = await countPolicies()
      const ids = await Promise.all(Array.from({ length: 8 }, (_, place) => ask(ada, signing(kids[place % 2] ?? ''))))
      expect(new Set(ids).size).toBe(8)
      const policies = await db().selectFrom('requests').select('policy_id').where('id', 'in', ids).distinct().execute()
      expect(policies).toHaveLength(1)
      expect((await countPolicies()) - before).toBe(index < 5 ? 1 : 0)
      const told = (await leavesOf(policies[0]?.policy_id ?? '')).map(({ kind }) => kind)
      expect(told).toEqual(['template.created'])
    })
  })

  const countPolicies = async () =>
    Number(
      (
        await db()
          .selectFrom('policies')
          .select((row) => row.fn.countAll<string>().as('total'))
          .executeTakeFirstOrThrow()
      ).total,
    )

  it('a first policy: what is done beside it without approval is done before it, and what is asked for is asked under it', async () => {
    const outcomes = new Set<string>()
    await inBatches([...rounds, ...rounds], 2, async (_round, index) => {
      const group = await makeGroup(ada)
      const kid = await makeKey(ada, group)
      const chance = dice(index)
      const [set, asked, ...direct] = await Promise.all([
        moments((index % 5) * 15).then(() => ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) })),
        moments(chance.roll(4)).then(() => ada.post(approvalRequests, signing(kid))),
        ...Array.from({ length: 4 }, () => moments(chance.roll(4)).then(() => sign(ada, kid))),
      ])
      expect(set?.status).toBe(200)
      for (const answer of direct) {
        outcomes.add(`sign ${answer.status}`)
        if (answer.status !== 200) expect(answer).toMatchObject(needsApproval)
      }
      outcomes.add(`ask ${asked?.status}`)
      if (asked?.status === 201) expect(asked.body.reviewers).toMatchObject([user(ben)])
      else expect(asked).toMatchObject({ status: 400, text: 'approval is not needed' })
      const told = await leavesOf(group, kid, asked?.body?.request_id ?? group)
      const after = told.slice(told.findIndex(({ kind }) => kind === 'quorum.set')).map(({ kind }) => kind)
      expect(after).not.toContain('key.used')
      if (asked?.status === 201) expect(after).toContain('operation.requested')
    })
    expect([...outcomes].toSorted()).toEqual(['ask 201', 'ask 400', 'sign 200', 'sign 403'])
  })

  it('a first policy of an account: no group is made beside it that is told of after it', async () => {
    const zoe = await scene.signUp('Zoe')
    const outcomes = new Set<number>()
    await inBatches(rounds, 1, async (_round, index) => {
      const own = await scene.account(zoe, `Account ${index}`)
      const chance = dice(index)
      const approval_policy = { policy: user(zoe), manage_groups: true }
      const [set, ...made] = await Promise.all([
        moments((index % 5) * 5).then(() => zoe.patch(`/sys/v1/accounts/${own}`, { approval_policy })),
        ...Array.from({ length: 4 }, (_, place) =>
          moments(chance.roll(4)).then(() => zoe.post('/sys/v1/groups', { name: `group ${place}` })),
        ),
      ])
      expect(set?.status).toBe(200)
      for (const { status } of made) outcomes.add(status)
      const groups = made.flatMap(({ body }) => (body === null ? [] : [String(body.group_id)]))
      const told = await leavesOf(own, ...groups)
      const after = told.slice(told.findIndex(({ kind }) => kind === 'quorum.set')).map(({ kind }) => kind)
      expect(after).not.toContain('group.created')
    })
    expect(outcomes).toEqual(new Set([201, 403]))
  })

  it('a policy that is changed beside requests: each is decided by the one before or by the one after', async () => {
    const seen = new Set<string>()
    await inBatches(rounds, 2, async (_round, index) => {
      const group = await makeGroup(ada, user(ben))
      const kid = await makeKey(ada, group)
      const body = { approval_policy: user(cleo) }
      const change = await ask(ada, { method: 'PATCH', operation: `/sys/v1/groups/${group}`, body })
      const chance = dice(index)
      const [changed, ...asked] = await Promise.all([
        moments(chance.roll(3)).then(() => approve(ben, change)),
        ...Array.from({ length: 4 }, () => moments(chance.roll(6)).then(() => ask(ada, signing(kid)))),
      ])
      expect((changed as RawAnswer).body).toMatchObject({ status: 'APPROVED' })
      const told = await leavesOf(group, ...(asked as string[]))
      const set = told.findLast(({ kind }) => kind === 'quorum.set')?.id ?? 0n
      for (const id of asked as string[]) {
        const { id: at = 0n } = (await leavesOf(id)).find(({ kind }) => kind === 'operation.requested') ?? {}
        const reviewer = at < set ? ben : cleo
        seen.add(at < set ? 'before' : 'after')
        expect((await ada.get(`${approvalRequests}/${id}`)).body.reviewers).toMatchObject([user(reviewer)])
      }
    })
    expect([...seen].toSorted()).toEqual(['after', 'before'])
  })

  it('operations on one account, approved and done beside what takes rights away, end without a deadlock', async () => {
    const guard = user(ben)
    const groups = await Promise.all(Array.from({ length: 4 }, () => makeGroup(ada, guard)))
    const free = await Promise.all(Array.from({ length: 2 }, () => makeGroup(ada)))
    const kids = await Promise.all([...groups, ...free].map((group) => makeKey(ada, group)))
    const robots = await Promise.all(
      [0, 1, 2].map((place) => scene.app(ada, `app ${place}`, { [free[0] ?? '']: ['SIGN'] })),
    )
    const chance = dice(5)
    const path = (kid: string) => `/crypto/v1/keys/${kid}`
    const deferred = async (question: Parameters<typeof ask>[1]) => {
      const made = await ada.post(approvalRequests, question)
      return made.status === 201 ? await approve(ben, made.body.request_id) : made
    }
    const add = (group: string) => ({ [group]: ['SIGN', 'VERIFY'] })
    const deeds: readonly (() => Promise<RawAnswer>)[] = [
      () => deferred(signing(chance.pick(kids))),
      () => deferred({ method: 'PATCH', operation: path(chance.pick(kids)), body: { group_id: chance.pick(groups) } }),
      () => deferred({ method: 'PATCH', operation: path(chance.pick(kids)), body: { group_id: chance.pick(free) } }),
      () => ada.patch(path(chance.pick(kids)), { group_id: chance.pick(free) }),
      () => deferred(appPatch({ add_groups: add(chance.pick(groups)) })),
      () => deferred(appPatch({ del_groups: [chance.pick(groups)] })),
      () =>
        deferred({ method: 'PATCH', operation: `/sys/v1/groups/${chance.pick(groups)}`, body: { description: 'x' } }),
      () => ada.patch(`/sys/v1/users/${cleo.id}`, { enable: true, add_groups: { [chance.pick(groups)]: [] } }),
      () => ada.patch(`/sys/v1/users/${cleo.id}`, { del_groups: { [chance.pick(groups)]: [] } }),
      () => ada.patch(`/sys/v1/accounts/${account}`, { description: 'busy' }),
      () => ada.patch(`/sys/v1/groups/${chance.pick(free)}`, { description: 'busy' }),
      async () => await ada.delete(`/sys/v1/groups/${await makeGroup(ada)}`),
      () => sign(ada, chance.pick(kids)),
      () => ada.get(approvalRequests),
    ]
    function appPatch(body: object) {
      return { method: 'PATCH', operation: `/sys/v1/apps/${chance.pick(robots).id}`, body }
    }
    const answers: RawAnswer[] = []
    await inBatches([...Array(500).keys()], 16, async () => void answers.push(await chance.pick(deeds)()))
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    expect(answers.filter(({ status, body }) => status === 200 && body?.status === 'APPROVED').length).toBeGreaterThan(
      50,
    )
    const due = await db().selectFrom('fortanix_requests').select('request_id').where('execution', '=', 'due').execute()
    expect(due).toEqual([])
  })
})

it('none of this was ended for a deadlock and done again', async () => {
  await expect.poll(() => deadlocks(databaseUrl), { timeout: 10_000 }).toBe(0)
})
