import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../../../src/store/schema.ts'
import {
  callsWith,
  expectStatus,
  password,
  startFortanix,
  type FortanixApp,
  type FortanixCalls,
  type FortanixUser,
  type FortanixWorld,
} from '../../helpers/fortanix.ts'
import { dice, type Dice } from '../../helpers/dice.ts'
import {
  approvalRequests,
  approve,
  ask,
  makeGroup,
  makeKey,
  needsApproval,
  quorum,
  sign,
  signing,
  user,
} from '../../helpers/vault.ts'

let scene: FortanixWorld
let ada: FortanixUser
let zoe: FortanixUser
let ben: FortanixUser
let cleo: FortanixUser
let dora: FortanixUser

beforeAll(async () => {
  scene = await startFortanix()
  const made = []
  for (const name of ['Ada', 'Zoe', 'Ben', 'Cleo', 'Dora']) made.push(await scene.signUp(name))
  ;[ada, zoe, ben, cleo, dora] = made as [FortanixUser, FortanixUser, FortanixUser, FortanixUser, FortanixUser]
})
afterAll(() => scene[Symbol.asyncDispose]())

/** An account of Ada's and Zoe's, in which the others are members. */
async function furnish(name: string): Promise<string> {
  const account = await scene.account(ada, name)
  await scene.join(ada, zoe, account, 'ACCOUNTADMINISTRATOR')
  for (const reviewer of [ben, cleo, dora]) await scene.join(ada, reviewer, account)
  return account
}

describe('whoever administers an account alone', () => {
  beforeAll(() => furnish('Vault'))

  it('does not take a key from under a policy that is asked for its use, though moving keys be free', async () => {
    for (const flags of [{ protect_permissions: ['DELETE_SOBJECTS'] }, { protect_manage_operations: false }]) {
      const kid = await makeKey(ada, await makeGroup(ada, { ...user(ben), ...flags }))
      const free = await makeGroup(ada)
      const body = { group_id: free }
      const path = `/crypto/v1/keys/${kid}`
      expect(await ada.patch(path, body)).toMatchObject(needsApproval)
      expect(await ada.patch(path, { description: 'still mine' })).toMatchObject({ status: 200 })
      const id = await ask(ada, { method: 'PATCH', operation: path, body })
      expect((await approve(ben, id)).body).toMatchObject({ status: 'APPROVED' })
      expect(await sign(ada, kid)).toMatchObject({ status: 200 })
    }
  })

  it('does not change an app that is in a protected group, be it to take it out', async () => {
    const group = await makeGroup(ada)
    const robot = await scene.app(ada, 'guarded', { [group]: ['SIGN'] })
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) }), 200)
    const free = await makeGroup(ada)
    const changes = [
      { del_groups: [group] },
      { mod_groups: { [group]: ['EXPORT'] } },
      { add_groups: { [free]: ['SIGN'] } },
      { enabled: false },
    ]
    for (const change of changes) {
      expect(await ada.patch(`/sys/v1/apps/${robot.id}`, change)).toMatchObject(needsApproval)
    }
  })

  it('deletes no group that has a policy, though it hold no keys', async () => {
    const flags = { protect_manage_operations: false, protect_crypto_operations: false }
    const group = await makeGroup(ada, { ...user(ben), ...flags })
    expect(await ada.delete(`/sys/v1/groups/${group}`)).toMatchObject(needsApproval)
    expect(await ada.delete(`/sys/v1/groups/${await makeGroup(ada)}`)).toMatchObject({ status: 204 })
  })

  it('moves a key freely where neither that nor its use is protected', async () => {
    const flags = { protect_manage_operations: false, protect_crypto_operations: false }
    const kid = await makeKey(ada, await makeGroup(ada, { ...user(ben), ...flags }))
    expect(await ada.patch(`/crypto/v1/keys/${kid}`, { group_id: await makeGroup(ada) })).toMatchObject({ status: 200 })
  })

  it('does not approve as an app that a policy names, by its secret or by another one', async () => {
    const robot = await scene.app(ada, 'reviewer', { [await makeGroup(ada)]: [] })
    const path = `/sys/v1/apps/${robot.id}`
    expect(await ada.get(`${path}/credential`)).toMatchObject({ status: 200 })
    const group = await makeGroup(ada, quorum(1, [user(ben), quorum(1, [{ app: robot.id }])]))
    expect(await ada.get(`${path}/credential`)).toMatchObject(needsApproval)
    expect(await ada.post(`${path}/reset_secret`)).toMatchObject(needsApproval)

    const id = await ask(ada, { method: 'POST', operation: `${path}/reset_secret` })
    expect((await approve(ben, id)).body).toMatchObject({ status: 'APPROVED', subjects: expect.any(Array) })
    const removal = { method: 'PATCH', operation: `/sys/v1/groups/${group}`, body: { approval_policy: {} } }
    expect((await approve(ben, await ask(ada, removal))).body).toMatchObject({ status: 'APPROVED' })
    expect(await ada.get(`${path}/credential`)).toMatchObject({ status: 200 })
  })

  it('nor as one that the policy of the account names', async () => {
    const account = await furnish('Other')
    const robot = await scene.app(ada, 'reviewer', { [await makeGroup(ada)]: [] })
    const policy = quorum(1, [{ app: robot.id }, user(ben)])
    expectStatus(await ada.patch(`/sys/v1/accounts/${account}`, { approval_policy: { policy } }), 200)
    expect(await ada.get(`/sys/v1/apps/${robot.id}/credential`)).toMatchObject(needsApproval)
  })
})

/** What of a protected group nothing may become without those whom its policy asks. */
interface Guarded {
  readonly group: string
  readonly kid: string
  readonly flags: { readonly crypto: boolean; readonly manage: 'all' | 'none' | readonly string[] }
}

const permissions = [
  'MOVE_SOBJECTS',
  'UPDATE_KEY_OPS',
  'UPDATE_SOBJECTS_ENABLED_STATE',
  'UPDATE_SOBJECTS_PROFILE',
  'DELETE_SOBJECTS',
  'DESTROY_SOBJECTS',
  'REVOKE_SOBJECTS',
  'DELETE_KEY_MATERIAL',
] as const

function wireFlags({ crypto, manage }: Guarded['flags']): object {
  return {
    ...(!crypto && { protect_crypto_operations: false }),
    ...(manage === 'none' && { protect_manage_operations: false }),
    ...(Array.isArray(manage) && { protect_permissions: manage }),
  }
}

/**
 * Two administrators and one of the reviewers do all that they can think of, at random. Two reviewers of any policy are honest
 * and do not take part, and without them none of the policies can be satisfied.
 */
describe('in a random sequence of what administrators do', { timeout: 120_000 }, () => {
  const sequences = 12
  const steps = 45

  it.each([...Array(sequences).keys()])('no policy is weakened without itself (%i)', async (seed) => {
    const chance = dice(seed)
    const plot = await setUp(chance, `Account ${seed}`)
    const before = await guardedState(plot)
    const done: string[] = []
    for (let step = 0; step < steps; step++) {
      done.push(await misbehave(plot, chance))
      const after = await guardedState(plot)
      expect(after, `after ${done.slice(-5).join(', ')}`).toEqual(before)
    }
    // The policies can still be satisfied by whom they name, and by nobody less.
    const honest = []
    for (const { id, email } of [cleo, dora]) {
      expectStatus(await ada.patch(`/sys/v1/users/${id}`, { enable: true, account_role: ['ACCOUNTMEMBER'] }), 200)
      const reviewer = await scene.signIn(email)
      expectStatus(await reviewer.post('/sys/v1/session/select_account', { acct_id: plot.account }), 200)
      honest.push(reviewer)
    }
    const [one, other] = honest as [FortanixUser, FortanixUser]
    const path = `/sys/v1/groups/${plot.guarded[0]?.group}`
    const id = await ask(ada, { method: 'PATCH', operation: path, body: { approval_policy: {} } })
    expect((await approve(one, id)).body).toMatchObject({ status: 'PENDING' })
    expect((await approve(other, id)).body).toMatchObject({ status: 'APPROVED' })
    expect((await ada.get(path)).body).not.toHaveProperty('approval_policy')
  })
})

interface Plot {
  readonly account: string
  readonly guarded: readonly Guarded[]
  /** In no group that is protected, and named by a policy. */
  readonly robot: FortanixApp
  /** Groups that there are, protected or not. */
  readonly groups: string[]
  readonly kids: string[]
  /** Keys as they were in the beginning. */
  readonly first: Map<string, Row<'fortanix_keys'>>
  readonly apps: string[]
  readonly requests: string[]
  /** Whoever approves for them. */
  readonly allies: FortanixCalls[]
}

async function setUp(chance: Dice, name: string): Promise<Plot> {
  // Whoever was disabled in the account before was signed out there.
  ;[ben, cleo, dora] = [await scene.signIn(ben.email), await scene.signIn(cleo.email), await scene.signIn(dora.email)]
  const account = await furnish(name)
  const free = await makeGroup(ada)
  const robot = await scene.app(ada, 'reviewer', { [free]: ['SIGN'] })
  const policies = [
    quorum(2, [user(ben), user(cleo), user(dora)]),
    quorum(2, [quorum(1, [user(cleo), user(dora)]), quorum(1, [user(ben), { app: robot.id }])]),
    quorum(1, [quorum(2, [user(ben), { app: robot.id }]), quorum(2, [user(cleo), user(dora)])]),
  ]
  const guarded: Guarded[] = []
  for (const policy of policies) {
    const flags = {
      crypto: chance.roll(4) > 0,
      manage: chance.pick(['all', 'none', permissions.filter(() => chance.roll(2) === 0)] as const),
    }
    const group = await makeGroup(ada)
    const kid = await makeKey(ada, group, { key_ops: ['SIGN', 'VERIFY', 'EXPORT', 'APPMANAGEABLE'] })
    const set = await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: { ...policy, ...wireFlags(flags) } })
    expectStatus(set, 200)
    guarded.push({ group, kid, flags })
  }
  if (chance.roll(2) === 0) {
    const approval_policy = { policy: quorum(2, [user(ben), user(cleo), user(dora)]), manage_groups: true }
    expectStatus(await ada.patch(`/sys/v1/accounts/${account}`, { approval_policy }), 200)
  }
  const kids = [...guarded.map(({ kid }) => kid), await makeKey(ada, free)]
  const groups = [...guarded.map(({ group }) => group), free]
  return {
    account,
    guarded,
    robot,
    groups,
    kids,
    first: new Map(),
    apps: [robot.id],
    requests: [],
    allies: [ada, zoe, ben],
  }
}

/** All that must stay as it is, and nothing else. */
async function guardedState({ account, guarded, robot, first }: Plot): Promise<unknown> {
  const { db } = scene.world.ctx
  const groups = await db
    .selectFrom('fortanix_groups as f')
    .innerJoin('groups as g', 'g.id', 'f.group_id')
    .select([
      'f.group_id',
      'f.policy',
      'f.protects',
      'f.protects_manage',
      'f.protects_crypto',
      'g.name',
      'g.description',
    ])
    .select('g.deleted_at')
    .where('f.org_id', '=', account)
    .execute()
  const keys = await db.selectFrom('fortanix_keys').selectAll().where('org_id', '=', account).execute()
  const owner = await db
    .selectFrom('fortanix_accounts')
    .select(['policy', 'protects'])
    .where('org_id', '=', account)
    .executeTakeFirstOrThrow()
  const secret = await db
    .selectFrom('credentials')
    .select('hash')
    .where('principal_id', '=', robot.id)
    .executeTakeFirst()
  const told = await db
    .selectFrom('audit_leaves')
    .select((row) => row.fn.countAll<string>().as('times'))
    .where('kind', '=', 'app.secret-read')
    .where('subject_id', '=', robot.id)
    .executeTakeFirstOrThrow()
  return {
    // Of an account without a policy anyone may set the first.
    owner: owner.policy === null || !owner.protects.includes('groups') ? null : owner,
    secret,
    told,
    guarded: guarded.map(({ group, kid, flags: { crypto, manage } }) => {
      const row = groups.find((one) => one.group_id === group)
      const covers = (permission: (typeof permissions)[number]) =>
        manage === 'all' || (manage !== 'none' && manage.includes(permission))
      // Where keys may be deleted, one that is was not changed before.
      const gone = covers('DELETE_SOBJECTS') ? undefined : first.get(kid)
      const key = keys.find(({ id }) => id === kid) ?? gone
      if (key !== undefined && !first.has(kid)) first.set(kid, key)
      const { name, description, deleted_at, ...policy } = row ?? {}
      return {
        policy,
        isDeleted: row === undefined || deleted_at !== null,
        ...(manage === 'all' && { name, description }),
        ...(crypto && { used: key?.used ?? '0' }),
        ...((crypto || covers('MOVE_SOBJECTS')) && { group: key?.group_id ?? group }),
        ...(covers('UPDATE_KEY_OPS') && { operations: key?.operations ?? null }),
        ...(covers('UPDATE_SOBJECTS_ENABLED_STATE') && { isEnabled: key?.is_enabled ?? null }),
        ...(covers('UPDATE_SOBJECTS_PROFILE') && { name: key?.name ?? null, about: key?.description ?? null }),
        ...(covers('DELETE_SOBJECTS') && { isThere: key !== undefined }),
        ...(covers('REVOKE_SOBJECTS') && covers('DESTROY_SOBJECTS') && { state: key?.state ?? null }),
        ...(covers('DELETE_KEY_MATERIAL') && covers('DESTROY_SOBJECTS') && { has: key?.material?.length ?? null }),
      }
    }),
  }
}

/** One call that somebody makes who would have a policy gone. @returns what it was */
async function misbehave(plot: Plot, chance: Dice): Promise<string> {
  const by = chance.pick([ada, zoe])
  const { account, groups, kids, apps, requests, robot } = plot
  const [group, kid] = [chance.pick(groups), chance.pick(kids)]
  const policy = chance.pick([
    {},
    user(ben),
    user(ada),
    quorum(1, [user(zoe), user(cleo)]),
    { protect_crypto_operations: false },
  ])
  const all = { SIGN: 1, EXPORT: 1, MANAGE: 1, MOVE_SOBJECTS: 1, CREATE_SOBJECTS: 1, DELETE_SOBJECTS: 1 }
  const questions: readonly {
    readonly method: 'POST' | 'PATCH' | 'DELETE' | 'GET'
    readonly operation: string
    readonly body?: object
  }[] = [
    { method: 'PATCH', operation: `/sys/v1/groups/${group}`, body: { approval_policy: policy } },
    {
      method: 'PATCH',
      operation: `/sys/v1/groups/${group}`,
      body: { description: 'mine', name: `group ${chance.roll(1e9)}` },
    },
    {
      method: 'PATCH',
      operation: `/sys/v1/accounts/${account}`,
      body: { approval_policy: { policy, manage_groups: false } },
    },
    {
      method: 'PATCH',
      operation: `/sys/v1/accounts/${account}`,
      body: { approval_request_expiry: 1 + chance.roll(9e6) },
    },
    { method: 'PATCH', operation: `/crypto/v1/keys/${kid}`, body: { group_id: chance.pick(groups) } },
    {
      method: 'PATCH',
      operation: `/crypto/v1/keys/${kid}`,
      body: { key_ops: chance.pick([['SIGN', 'EXPORT'], ['EXPORT']]) },
    },
    { method: 'PATCH', operation: `/crypto/v1/keys/${kid}`, body: { enabled: chance.roll(2) === 0 } },
    {
      method: 'PATCH',
      operation: `/crypto/v1/keys/${kid}`,
      body: { name: `key ${chance.roll(1e9)}`, description: 'mine' },
    },
    { method: 'DELETE', operation: `/crypto/v1/keys/${kid}` },
    { method: 'POST', operation: `/crypto/v1/keys/${kid}/destroy` },
    { method: 'POST', operation: `/crypto/v1/keys/${kid}/revoke`, body: { code: 'Unspecified' } },
    { method: 'DELETE', operation: `/crypto/v1/keys/${kid}/private` },
    { method: 'POST', operation: '/crypto/v1/keys/export', body: { kid } },
    signing(kid),
    { method: 'GET', operation: `/sys/v1/apps/${robot.id}/credential` },
    { method: 'POST', operation: `/sys/v1/apps/${robot.id}/reset_secret` },
    {
      method: 'PATCH',
      operation: `/sys/v1/apps/${chance.pick(apps)}`,
      body: { add_groups: { [group]: Object.keys(all) } },
    },
    { method: 'PATCH', operation: `/sys/v1/apps/${chance.pick(apps)}`, body: { del_groups: [group] } },
    { method: 'PATCH', operation: `/sys/v1/apps/${chance.pick(apps)}`, body: { enabled: chance.roll(2) === 0 } },
  ]
  const question = chance.pick(questions)
  const directly = async (who: FortanixCalls) => {
    const { method, operation, body } = question
    const { status } = await who[method.toLowerCase() as 'post'](operation, body)
    if (status >= 500) throw new Error(`${method} ${operation} ${JSON.stringify(body)}: ${status}`)
    return `${method} ${operation} ${JSON.stringify(body)}: ${status}`
  }
  const what = chance.roll(20)
  if (what < 9) return await directly(by)
  if (what < 10) return await directly(ben)
  if (what < 14) {
    // Asked for, and approved by all who are in it, now and later.
    const made = await by.post(approvalRequests, question)
    if (made.status >= 500) throw new Error(`asked for ${question.method} ${question.operation}: ${made.status}`)
    if (made.status === 201) requests.push(made.body.request_id)
    const id = requests.length === 0 ? null : chance.pick(requests.slice(-6))
    for (const ally of id === null ? [] : plot.allies) await approve(ally, id ?? '')
    return `asked for ${question.method} ${question.operation}: ${made.status}`
  }
  if (what < 15) {
    const made = await by.post('/sys/v1/groups', { name: `group ${chance.roll(1e9)}`, approval_policy: policy })
    if (made.status === 201) groups.push(made.body.group_id)
    return `made a group: ${made.status}`
  }
  if (what < 16) return `deleted a group: ${(await by.delete(`/sys/v1/groups/${group}`)).status}`
  if (what < 17) {
    const made = await by.post('/sys/v1/apps', {
      name: `app ${chance.roll(1e9)}`,
      add_groups: { [group]: Object.keys(all) },
    })
    if (made.status !== 201) return `made an app: ${made.status}`
    apps.push(made.body.app_id)
    const { status, body } = await by.get(`/sys/v1/apps/${made.body.app_id}/credential`)
    const key = Buffer.from(`${made.body.app_id}:${body?.credential?.secret}`).toString('base64')
    return status === 200 ? `as an app: ${await directly(callsWith(scene.world, `Basic ${key}`))}` : 'made an app'
  }
  if (what < 18) {
    const one = chance.pick([ben, cleo, dora])
    const change = chance.pick([
      { enable: false },
      { enable: true },
      { account_role: ['ACCOUNTAUDITOR'] },
      { account_role: ['ACCOUNTMEMBER'] },
      { account_role: ['ACCOUNTADMINISTRATOR'] },
      { add_groups: { [group]: ['GROUPADMINISTRATOR'] } },
      { del_groups: { [group]: [] } },
      { user_email: 'ada@example.com', user_password: 'another one' },
      { add_mfa_devices: [], del_mfa_devices: [{ name: 'blue' }] },
    ])
    return `changed a user ${JSON.stringify(change)}: ${(await by.patch(`/sys/v1/users/${one.id}`, change)).status}`
  }
  if (what < 19) {
    const one = chance.pick([cleo, dora])
    const taking = {
      user_email: one.email,
      user_password: 'another one',
      account_role: ['ACCOUNTMEMBER', 'STATEENABLED'],
    }
    const invited = await by.post('/sys/v1/users/invite', taking)
    const signedUp = await scene.anyone.post('/sys/v1/users', { user_email: one.email, user_password: password })
    return `took a reviewer's place: ${invited.status} ${signedUp.status}`
  }
  const id = requests.at(-1)
  return `deleted a request: ${id === undefined ? 'none' : (await by.delete(`${approvalRequests}/${id}`)).status}`
}
