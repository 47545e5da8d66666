import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { coversAccount, coversGroup, type GroupConcern, type GroupPolicy } from '../../../src/custody/policies.ts'
import {
  expectStatus,
  startFortanix,
  type FortanixApp,
  type FortanixUser,
  type FortanixWorld,
} from '../../helpers/fortanix.ts'

let scene: FortanixWorld
let ada: FortanixUser
let ben: FortanixUser
let cleo: FortanixUser
let auditor: FortanixUser
let disabled: FortanixUser
let mallory: FortanixUser
let account: string
let app: FortanixApp
let count = 0

beforeAll(async () => {
  scene = await startFortanix()
  const [a, b, c, d, e, m] = ['Ada', 'Ben', 'Cleo', 'Dora', 'Emil', 'Mallory'].map((name) => scene.signUp(name))
  ;[ada, ben, cleo, auditor, disabled, mallory] = [await a!, await b!, await c!, await d!, await e!, await m!]
  account = await scene.account(ada, 'Vault')
  await scene.account(mallory, 'Elsewhere')
  await scene.join(ada, ben, account)
  await scene.join(ada, cleo, account)
  await scene.join(ada, auditor, account, 'ACCOUNTAUDITOR')
  await scene.join(ada, disabled, account)
  expectStatus(await ada.patch(`/sys/v1/users/${disabled.id}`, { enable: false }), 200)
  const keys = await group()
  app = await scene.app(ada, 'robot', { [keys]: ['SIGN'] })
})
afterAll(() => scene[Symbol.asyncDispose]())

const refused = (status: number, text: string) => ({ status, text, type: 'text/plain' })
const needsApproval = refused(403, 'This operation requires approval')
const group = async (policy?: object): Promise<string> => {
  const body = { name: `group ${++count}`, ...(policy !== undefined && { approval_policy: policy }) }
  return expectStatus(await ada.post('/sys/v1/groups', body), 201).group_id
}
const quorum = (n: number, members: readonly object[], more: object = {}) => ({ quorum: { n, members, ...more } })
const user = (who: { readonly id: string }) => ({ user: who.id })
const noFlags = { require_password: false, require_2fa: false }
const allProtected = { protect_manage_operations: true, protect_crypto_operations: true }
const nobody = '0192f0c0-0000-7000-8000-000000000000'

describe('a policy is shown as it was set, with all that the Rust client needs', () => {
  const cases: readonly (readonly [string, () => object, () => object])[] = [
    ['a user', () => user(ben), () => user(ben)],
    ['an app', () => ({ app: app.id }), () => ({ app: app.id })],
    [
      'a quorum without flags',
      () => quorum(2, [user(ben), user(cleo), { app: app.id }]),
      () => quorum(2, [user(ben), user(cleo), { app: app.id }], noFlags),
    ],
    [
      'flags that are null',
      () => ({
        ...quorum(1, [{ ...user(ben), app: null, quorum: null }], { require_password: true, require_2fa: null }),
        user: null,
      }),
      () => quorum(1, [user(ben)], { require_password: true, require_2fa: false }),
    ],
    [
      'quorums within quorums, with the same user in two branches',
      () =>
        quorum(1, [quorum(2, [user(ben), quorum(1, [user(cleo), quorum(1, [quorum(1, [user(ada)])])])]), user(ben)], {
          require_2fa: true,
        }),
      () =>
        quorum(
          1,
          [
            quorum(
              2,
              [user(ben), quorum(1, [user(cleo), quorum(1, [quorum(1, [user(ada)], noFlags)], noFlags)], noFlags)],
              noFlags,
            ),
            user(ben),
          ],
          { require_password: false, require_2fa: true },
        ),
    ],
  ]
  it.each(cases)('%s', async (_name, sent, shown) => {
    const id = await group(sent())
    expect((await ada.get(`/sys/v1/groups/${id}`)).body.approval_policy).toEqual({ ...shown(), ...allProtected })
  })

  it('what it protects', async () => {
    const id = await group({
      ...user(ben),
      protect_permissions: ['DELETE_SOBJECTS'],
      protect_manage_operations: null,
      protect_crypto_operations: false,
    })
    expect((await ada.get(`/sys/v1/groups/${id}`)).body.approval_policy).toEqual({
      ...user(ben),
      protect_permissions: ['DELETE_SOBJECTS'],
      protect_manage_operations: true,
      protect_crypto_operations: false,
    })
  })

  it('none for {}', async () => {
    expect((await ada.get(`/sys/v1/groups/${await group({})}`)).body).not.toHaveProperty('approval_policy')
  })
})

describe('a policy is refused', () => {
  const unfit = (who: { readonly id: string }) =>
    `User ${who.id} is no enabled and verified user of this account who may approve.`
  const cases: readonly (readonly [string, () => object, () => string])[] = [
    [
      'of two kinds at once',
      () => ({ ...user(ben), app: app.id }),
      () => 'approval_policy.user cannot stand beside app.',
    ],
    [
      'of all three',
      () => ({ ...quorum(1, [user(ben)]), ...user(ben), app: app.id }),
      () => 'approval_policy.quorum cannot stand beside user and app.',
    ],
    ['that needs nobody', () => quorum(0, [user(ben)]), () => 'approval_policy.quorum.n must be from 1 to 1.'],
    [
      'that needs more than there are',
      () => quorum(3, [user(ben), user(cleo)]),
      () => 'approval_policy.quorum.n must be from 1 to 2.',
    ],
    [
      'that needs half a user',
      () => quorum(0.5, [user(ben)]),
      () => 'approval_policy.quorum.n must be a whole number.',
    ],
    ['without n', () => ({ quorum: { members: [user(ben)] } }), () => 'approval_policy.quorum.n is needed.'],
    ['without members', () => ({ quorum: { n: 1 } }), () => 'approval_policy.quorum.members must hold somebody.'],
    ['with no members', () => quorum(1, []), () => 'approval_policy.quorum.members must hold somebody.'],
    [
      'with a member that is nobody',
      () => quorum(1, [{}]),
      () => 'approval_policy.quorum.members[0] must be a quorum, a user or an app.',
    ],
    [
      'that names a user twice',
      () => quorum(1, [user(ben), user(ben)]),
      () => 'approval_policy.quorum.members names somebody twice.',
    ],
    ['with an id that is none', () => ({ user: 'ben' }), () => 'approval_policy.user must be a UUID.'],
    [
      'with a flag that is none',
      () => quorum(1, [user(ben)], { require_2fa: 'yes' }),
      () => 'approval_policy.quorum.require_2fa must be true or false.',
    ],
    [
      'with a permission that is none',
      () => ({ ...user(ben), protect_permissions: ['DANCE'] }),
      () => 'approval_policy.protect_permissions[0] must be one of GET_SOBJECTS, ',
    ],
    ['with an unknown user', () => ({ user: nobody }), () => unfit({ id: nobody })],
    ['with a user of another account', () => user(mallory), () => unfit(mallory)],
    ['with an auditor', () => quorum(1, [user(ben), user(auditor)]), () => unfit(auditor)],
    [
      'deeper than the engine decides',
      () => Array.from({ length: 8 }).reduce<object>((inner) => quorum(1, [inner]), user(ben)),
      () => 'Quorums may lie 7 deep at most.',
    ],
    [
      'larger than the engine decides',
      () =>
        quorum(
          1,
          Array.from({ length: 84 }, () => quorum(1, [user(ben), user(cleo)])),
        ),
      () => 'A policy may have 250 quorums, users and apps at most.',
    ],
    ['with a disabled user, however deep', () => quorum(1, [quorum(1, [user(disabled)])]), () => unfit(disabled)],
    ['with an app that is a user', () => ({ app: ben.id }), () => `App ${ben.id} is no enabled app of this account.`],
    ['with a user that is an app', () => ({ user: app.id }), () => unfit(app)],
  ]
  it.each(cases)('%s', async (_name, policy, text) => {
    const answer = await ada.post('/sys/v1/groups', { name: `group ${++count}`, approval_policy: policy() })
    expect([answer.status, answer.text.startsWith(text()), answer.text]).toEqual([400, true, answer.text])
  })

  it('for an account, when it is not in a member of its own', async () => {
    const answer = await ada.patch(`/sys/v1/accounts/${account}`, { approval_policy: user(ben) })
    expect(answer).toMatchObject(refused(400, 'approval_policy.policy is needed.'))
  })
})

describe('the policy of a group', () => {
  const policy = () => quorum(2, [user(ben), user(cleo)])

  it('is set freely, and from then on neither changed nor taken away directly', async () => {
    const id = await group()
    expect(await ada.patch(`/sys/v1/groups/${id}`, { approval_policy: policy() })).toMatchObject({ status: 200 })
    for (const change of [{}, policy(), user(ada), null]) {
      const body = { approval_policy: change, description: 'changed' }
      expect(await ada.patch(`/sys/v1/groups/${id}`, body)).toMatchObject(needsApproval)
    }
    expect((await ada.get(`/sys/v1/groups/${id}`)).body).not.toHaveProperty('description')
  })

  it('protects the rest of it too, unless it says otherwise', async () => {
    const whole = await group(policy())
    expect(await ada.patch(`/sys/v1/groups/${whole}`, { name: 'mine' })).toMatchObject(needsApproval)
    expect(await ada.delete(`/sys/v1/groups/${whole}`)).toMatchObject(needsApproval)
    for (const more of [{ protect_manage_operations: false }, { protect_permissions: [] }]) {
      const id = await group({ ...policy(), ...more })
      expect(await ada.patch(`/sys/v1/groups/${id}`, { description: 'free' })).toMatchObject({ status: 200 })
      expect(await ada.patch(`/sys/v1/groups/${id}`, { approval_policy: {} })).toMatchObject(needsApproval)
      expect(await ada.delete(`/sys/v1/groups/${id}`)).toMatchObject(needsApproval)
    }
  })

  it('protects the apps in it: secret, groups and being', async () => {
    const [free, guarded] = [await group(), await group(policy())]
    const inside = expectStatus(
      await ada.post('/sys/v1/apps', { name: 'inside', add_groups: { [guarded]: ['SIGN'] } }),
      201,
    ).app_id
    const outside = await scene.app(ada, 'outside', { [free]: ['SIGN'] })
    const calls = [
      () => ada.get(`/sys/v1/apps/${inside}/credential`),
      () => ada.post(`/sys/v1/apps/${inside}/reset_secret`),
      () => ada.patch(`/sys/v1/apps/${inside}`, { del_groups: [guarded] }),
      () => ada.patch(`/sys/v1/apps/${outside.id}`, { add_groups: { [guarded]: ['EXPORT'] } }),
      () => ada.delete(`/sys/v1/apps/${inside}`),
    ]
    for (const call of calls) expect(await call()).toMatchObject(needsApproval)
    expect((await ada.get(`/sys/v1/apps/${outside.id}`)).body.groups).toEqual([free])
    expect(await ada.patch(`/sys/v1/apps/${outside.id}`, { description: 'free' })).toMatchObject({ status: 200 })
  })

  it('is asked for after the right and the being of what it protects', async () => {
    const id = await group(policy())
    expect(await ben.patch(`/sys/v1/groups/${id}`, { name: 'x' })).toMatchObject({ status: 404 })
    expect(await auditor.patch(`/sys/v1/groups/${id}`, { name: 'x' })).toMatchObject({
      status: 403,
      text: expect.stringContaining('permission'),
    })
    expect(await ada.patch(`/sys/v1/groups/${id}`, { name: '' })).toMatchObject({ status: 400 })
  })

  it('of two set at the same moment is the first, and the second has to ask', async () => {
    const id = await group()
    const set = async (who: FortanixUser) => await ada.patch(`/sys/v1/groups/${id}`, { approval_policy: user(who) })
    const answers = await Promise.all([set(ben), set(cleo)])
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 403])
  })
})

describe('the policy of an account', () => {
  it('protects itself and what it names, and nothing else', async () => {
    const hal = await scene.signUp('Hal')
    const id = await scene.account(hal, 'Guarded')
    const url = `/sys/v1/accounts/${id}`
    const set = { approval_policy: { policy: user(hal), manage_groups: true, protect_logging_config: null } }
    expect((await hal.patch(url, set)).body.approval_policy).toEqual({
      policy: user(hal),
      manage_groups: true,
      protect_authentication_methods: false,
      protect_cryptographic_policy: false,
      protect_logging_config: false,
      protect_custom_role_updates: false,
    })
    expect(await hal.patch(url, { approval_policy: { policy: {} } })).toMatchObject(needsApproval)
    expect(await hal.post('/sys/v1/groups', { name: 'x' })).toMatchObject(needsApproval)
    expect(await hal.patch(url, { approval_request_expiry: 60, add_logging_configs: [{}] })).toMatchObject({
      status: 200,
    })
  })

  it.each([
    ['protect_authentication_methods', { auth_config: {} }],
    ['protect_cryptographic_policy', { cryptographic_policy: 'remove' }],
    ['protect_logging_config', { del_logging_configs: [] }],
  ])('with %s protects %j', async (flag, body) => {
    const ida = await scene.signUp(`Ida${++count}`)
    const id = await scene.account(ida, `Guarded ${count}`)
    expectStatus(
      await ida.patch(`/sys/v1/accounts/${id}`, { approval_policy: { policy: user(ida), [flag]: true } }),
      200,
    )
    expect(await ida.patch(`/sys/v1/accounts/${id}`, { ...body, description: 'x' })).toMatchObject(needsApproval)
    expect(await ida.patch(`/sys/v1/accounts/${id}`, { description: 'x' })).toMatchObject({ status: 200 })
    expect(await ida.post('/sys/v1/groups', { name: 'free' })).toMatchObject({ status: 201 })
  })

  it('covers what it names', () => {
    const policy = { kind: 'person', id: nobody } as const
    expect(coversAccount({ policy, protects: ['groups'] }, 'groups')).toBe(true)
    expect(coversAccount({ policy, protects: ['groups'] }, 'logging')).toBe(false)
    expect(coversAccount({ policy, protects: [] }, 'policy')).toBe(true)
  })
})

describe('what a policy of a group covers', () => {
  const base: GroupPolicy = {
    policy: { kind: 'person', id: nobody },
    protects: null,
    protectsManage: true,
    protectsCrypto: true,
  }
  const concerns: readonly GroupConcern[] = ['policy', 'manage', 'crypto', 'DELETE_SOBJECTS', 'CREATE_SOBJECTS']
  it.each([
    ['with no flags everything', {}, ['policy', 'manage', 'crypto', 'DELETE_SOBJECTS', 'CREATE_SOBJECTS']],
    ['without manage operations', { protectsManage: false }, ['policy', 'crypto']],
    [
      'without crypto operations',
      { protectsCrypto: false },
      ['policy', 'manage', 'DELETE_SOBJECTS', 'CREATE_SOBJECTS'],
    ],
    [
      'with permissions only these',
      { protects: ['DELETE_SOBJECTS'] as const },
      ['policy', 'crypto', 'DELETE_SOBJECTS'],
    ],
    [
      'with permissions whatever manage says',
      { protects: ['DELETE_SOBJECTS'] as const, protectsManage: false },
      ['policy', 'crypto', 'DELETE_SOBJECTS'],
    ],
  ])('%s', (_name, more, covered) => {
    expect(concerns.filter((concern) => coversGroup({ ...base, ...more }, concern))).toEqual(covered)
  })
})
