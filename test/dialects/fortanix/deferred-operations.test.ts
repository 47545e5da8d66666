import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectStatus, type FortanixApp, type FortanixUser, type RawAnswer } from '../../helpers/fortanix.ts'
import {
  approve,
  ask,
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

/** What contract fortanix §6 lists, each asked for, approved and done. */
let vault: Vault<'Ada' | 'Ben' | 'Cleo'>
/** Asks for everything. */
let ada: FortanixUser
/** Approves everything. */
let ben: FortanixUser
let cleo: FortanixUser
let app: FortanixApp

beforeAll(async () => {
  vault = await startVault(['Ada', 'Ben', 'Cleo'])
  ;({ Ada: ada, Ben: ben, Cleo: cleo } = vault.people)
  app = await vault.scene.app(ada, 'robot', { [await vault.group()]: ['SIGN'] })
})
afterAll(() => vault[Symbol.asyncDispose]())

const base64 = (text: string) => Buffer.from(text).toString('base64')
const data = base64('some data')

interface Case {
  readonly method?: string
  readonly operation: string
  readonly body?: object
  readonly subjects: readonly object[]
  /** What comes of it, as the result tells. */
  readonly status: number
  readonly answers: unknown
  /** What it is about, before it and after. */
  readonly shown?: { readonly url: string; readonly before: unknown; readonly after: unknown }
}

const including = (members: object): unknown => expect.objectContaining(members)
const text = expect.any(String) as unknown

/** A key of a group that Ben has to approve everything of, once something was done with it. */
async function guardedKey(kind: Parameters<Vault<never>['key']>[1], prepare?: (kid: string) => Promise<void>) {
  const group = await vault.group()
  const { kid } = await vault.key(group, kind)
  await prepare?.(kid)
  expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) }), 200)
  return { kid, group, url: `/crypto/v1/keys/${kid}`, subjects: [{ sobject: kid }, { group }] }
}

async function guardedApp() {
  const group = await vault.group()
  const robot = await vault.scene.app(ada, vault.name(), { [group]: ['SIGN'] })
  expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) }), 200)
  return { robot, group, url: `/sys/v1/apps/${robot.id}`, subjects: [{ app: robot.id }, { group }] }
}

const ofGroup = async (body: object, after: unknown): Promise<Case> => {
  const group = await vault.group(quorum(1, [user(ben)], { require_password: false }))
  const url = `/sys/v1/groups/${group}`
  const before = expect.not.objectContaining({ description: 'changed' })
  return {
    method: 'PATCH',
    operation: url,
    body,
    subjects: [{ group }],
    status: 200,
    answers: after,
    shown: { url, before, after },
  }
}

const ending = async (method: string, path: string, after: object): Promise<Case> => {
  const { subjects, url } = await guardedKey('EC')
  return {
    method,
    operation: `${url}${path}`,
    subjects,
    status: 204,
    answers: null,
    shown: { url, before: including({ state: 'Active', public_only: false }), after: including(after) },
  }
}

const cases: Readonly<Record<string, () => Promise<Case>>> = {
  'update group': async () => await ofGroup({ description: 'changed' }, including({ description: 'changed' })),
  'update group, its policy taken away': async () =>
    await ofGroup({ approval_policy: {} }, expect.not.objectContaining({ approval_policy: expect.anything() })),
  'update group, its policy replaced whole': async () =>
    await ofGroup(
      { approval_policy: { ...user(cleo), protect_permissions: ['DELETE_SOBJECTS'] } },
      including({
        approval_policy: {
          ...user(cleo),
          protect_permissions: ['DELETE_SOBJECTS'],
          protect_manage_operations: true,
          protect_crypto_operations: true,
        },
      }),
    ),
  'update app': async () => {
    const { group, url, subjects } = await guardedApp()
    const shown = (permission: string) => including({ groups: { [group]: [permission] } })
    return {
      method: 'PATCH',
      operation: `${url}?group_permissions=true`,
      body: { mod_groups: { [group]: ['VERIFY'] } },
      subjects,
      status: 200,
      answers: shown('VERIFY'),
      shown: { url: `${url}?group_permissions=true`, before: shown('SIGN'), after: shown('VERIFY') },
    }
  },
  'update app, into a group that asks too': async () => {
    const { group, url, subjects } = await guardedApp()
    const other = await vault.group(user(ben))
    return {
      method: 'PATCH',
      operation: url,
      body: { add_groups: { [other]: ['SIGN'] } },
      subjects: [...subjects, { group: other }],
      status: 200,
      answers: including({ groups: [group, other].toSorted() }),
    }
  },
  'reset secret': async () => {
    const { url, subjects } = await guardedApp()
    return { method: 'POST', operation: `${url}/reset_secret`, subjects, status: 200, answers: including({}) }
  },
  'get credential': async () => {
    const { robot, url, subjects } = await guardedApp()
    const credential = { secret: Buffer.from(robot.key, 'base64').toString().split(':')[1] }
    return {
      method: 'GET',
      operation: `${url}/credential`,
      subjects,
      status: 200,
      answers: { app_id: robot.id, credential },
    }
  },
  sign: async () => {
    const { kid, subjects } = await guardedKey('EC')
    return { ...signing(kid), subjects, status: 200, answers: { kid, signature: text } }
  },
  encrypt: async () => {
    const { kid, subjects } = await guardedKey('AES')
    return {
      operation: '/crypto/v1/encrypt',
      body: { key: { kid }, alg: 'AES', mode: 'GCM', plain: data },
      subjects,
      status: 200,
      answers: { kid, cipher: text, iv: text, tag: text },
    }
  },
  decrypt: async () => {
    let body: object = {}
    const { kid, subjects } = await guardedKey('AES', async (id) => {
      const key = { key: { kid: id }, alg: 'AES', mode: 'CBC' }
      const { cipher, iv } = expectStatus(await ada.post('/crypto/v1/encrypt', { ...key, plain: data }), 200)
      body = { ...key, cipher, iv }
    })
    return { operation: '/crypto/v1/decrypt', body, subjects, status: 200, answers: { kid, plain: data } }
  },
  mac: async () => {
    let value = ''
    const { kid, subjects } = await guardedKey('HMAC', async (id) => {
      value = expectStatus(await ada.post('/crypto/v1/keys/export', { kid: id }), 200).value
    })
    const mac = createHmac('sha256', Buffer.from(value, 'base64')).update('some data').digest('base64')
    const body = { key: { kid }, data }
    return { operation: '/crypto/v1/mac', body, subjects, status: 200, answers: including({ kid, mac }) }
  },
  'export key': async () => {
    const { kid, subjects } = await guardedKey('AES')
    const body = { kid }
    return {
      operation: '/crypto/v1/keys/export',
      body,
      subjects,
      status: 200,
      answers: including({ kid, value: text }),
    }
  },
  'update key': async () => {
    const { url, subjects } = await guardedKey('AES')
    const after = including({ enabled: false, key_ops: ['ENCRYPT'] })
    return {
      method: 'PATCH',
      operation: url,
      body: { enabled: false, key_ops: ['ENCRYPT'] },
      subjects,
      status: 200,
      answers: after,
      shown: { url, before: including({ enabled: true }), after },
    }
  },
  'move key': async () => {
    const { url, group, subjects } = await guardedKey('AES')
    const other = await vault.group(user(ben))
    const after = including({ group_id: other })
    return {
      method: 'PATCH',
      operation: url,
      body: { group_id: other },
      subjects: [...subjects, { group: other }],
      status: 200,
      answers: after,
      shown: { url, before: including({ group_id: group }), after },
    }
  },
  'delete key': async () => {
    const { url, subjects } = await guardedKey('AES')
    return { method: 'DELETE', operation: url, subjects, status: 204, answers: null }
  },
  'destroy key': async () => await ending('POST', '/destroy', { state: 'Destroyed' }),
  'revoke key': async () => await ending('POST', '/revoke', { state: 'Deactivated' }),
  'remove private': async () => await ending('DELETE', '/private', { public_only: true }),
}

/** Calls it as anybody would who knows nothing of a policy. */
async function directly({ method = 'POST', operation, body }: Case): Promise<RawAnswer> {
  return await ada[method.toLowerCase() as 'post'](operation, body)
}

describe.each(Object.entries(cases))('%s', (_name, make) => {
  it('needs approval, waits for it, is done as it was asked, and its result tells what came of it', async () => {
    const made = await make()
    const { method = 'POST', operation, body, subjects, status, answers, shown } = made
    const see = async () => (shown === undefined ? null : expectStatus(await ada.get(shown.url), 200))
    expect(await directly(made)).toMatchObject(refused(403, sentence))
    const question = { method, operation, ...(body !== undefined && { body }) }
    const created = expectStatus(await ada.post(requests, question), 201)
    expect(created).toMatchObject({ ...question, requester: user(ada), status: 'PENDING', approvers: [], subjects })
    if (body === undefined) expect(created).not.toHaveProperty('body')
    if (shown !== undefined) expect(await see()).toEqual(shown.before)
    expect((await approve(ben, created.request_id)).body).toMatchObject({ status: 'APPROVED', approvers: [user(ben)] })
    if (shown !== undefined) expect(await see()).toEqual(shown.after)
    expect((await result(ada, created.request_id)).body).toEqual({ status, body: answers })
  })
})

describe('of an account', () => {
  it('a group is created, and the policy taken away, as its policy says', async () => {
    const { scene } = vault
    const hal = await scene.signUp('Hal')
    const account = await scene.account(hal, vault.name())
    const url = `/sys/v1/accounts/${account}`
    const approval_policy = { policy: user(hal), manage_groups: true }
    expectStatus(await hal.patch(url, { approval_policy }), 200)
    const creating = { operation: '/sys/v1/groups', body: { name: 'made' } }
    expect(await hal.post(creating.operation, creating.body)).toMatchObject(refused(403, sentence))
    const id = await ask(hal, creating)
    expect((await show(hal, id)).subjects).toEqual([{ account }])
    expect((await approve(hal, id)).body).toMatchObject({ status: 'APPROVED' })
    const { body: made } = await result(hal, id)
    expect(made).toMatchObject({ status: 201, body: { name: 'made', acct_id: account, creator: user(hal) } })
    expect(await hal.get(`/sys/v1/groups/${made.body.group_id}`)).toMatchObject({ status: 200, body: made.body })

    const removing = { method: 'PATCH', operation: url, body: { approval_policy: { policy: {} } } }
    const second = await ask(hal, removing)
    expect((await show(hal, second)).subjects).toEqual([{ account }])
    expect((await approve(hal, second)).body).toMatchObject({ status: 'APPROVED' })
    expect((await result(hal, second)).body).toMatchObject({ status: 200, body: { acct_id: account } })
    expect((await hal.get(url)).body).not.toHaveProperty('approval_policy')
    expect(await hal.post('/sys/v1/groups', { name: 'free' })).toMatchObject({ status: 201 })
  })
})

describe('an app', () => {
  it('asks, and reads the result', async () => {
    const group = await vault.group()
    const { kid } = await vault.key(group)
    const robot = await vault.scene.app(ada, vault.name(), { [group]: ['SIGN'] })
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) }), 200)
    expect(await robot.post('/crypto/v1/sign', signing(kid).body)).toMatchObject(refused(403, sentence))
    const id = await ask(robot, signing(kid))
    expect(await show(robot, id)).toMatchObject({ requester: { app: robot.id } })
    expect((await approve(ben, id)).body).toMatchObject({ status: 'APPROVED' })
    expect((await result(robot, id)).body).toMatchObject({ status: 200, body: { kid } })
    expect(await result(ben, id)).toMatchObject(refused(403))
  })

  it('has no password and no security key, and is asked for none', async () => {
    const policy = quorum(1, [{ app: app.id }], { require_password: true, require_2fa: true })
    const { kid } = await vault.key(policy)
    const id = await ask(ada, signing(kid))
    expect((await show(ada, id)).reviewers).toEqual([{ app: app.id, requires_password: false, requires_2fa: false }])
    expect(await approve(app, id, { password: 'x' })).toMatchObject(refused(403))
    expect((await approve(app, id)).body).toMatchObject({ status: 'APPROVED', approvers: [{ app: app.id }] })
  })
})

describe('is not asked for', () => {
  it.each([
    ['POST', '/sys/v1/accounts'],
    ['POST', '/sys/v1/users/invite'],
    ['GET', '/sys/v1/groups'],
    ['DELETE', '/sys/v1/groups/{id}'],
    ['POST', '/sys/v1/approval_requests'],
    ['POST', '/crypto/v1/verify'],
    ['POST', '/crypto/v1/keys'],
    ['PUT', '/crypto/v1/keys'],
    ['POST', '/crypto/v1/keys/rekey'],
    ['POST', '/batch/v1'],
    ['POST', '/sys/v1/plugins'],
    ['PATCH', '/sys/v1/roles/{id}'],
    ['PUT', '/crypto/v1/sign'],
    ['OPTIONS', '/crypto/v1/sign'],
    ['', '/crypto/v1/sign'],
    ['POST', '/crypto/v1/sign/'],
    ['POST', '//crypto/v1/sign'],
    ['POST', '/CRYPTO/v1/sign'],
    ['POST', '/crypto/v1/../v1/sign'],
    ['POST', 'http://example.com/crypto/v1/sign'],
    ['POST', ''],
    ['POST', ' '],
  ])('%s %s', async (method, operation) => {
    const { kid, group } = await vault.key(user(ben))
    const question = { ...signing(kid), method, operation: operation.replace('{id}', group) }
    expect(await ada.post(requests, question)).toMatchObject(refused(400))
  })

  it.each([
    ['a malformed id', 'DELETE', '/crypto/v1/keys/x', undefined, 400],
    ['an unknown id', 'DELETE', '/crypto/v1/keys/0192f0c0-0000-7000-8000-000000000000', undefined, 404],
    ['an unknown key', 'POST', '/crypto/v1/sign', signing('0192f0c0-0000-7000-8000-000000000000').body, 404],
    ['no body', 'POST', '/crypto/v1/sign', undefined, 400],
    ['a body that is a text', 'POST', '/crypto/v1/sign', 'text', 400],
    ['a body that is a list', 'POST', '/crypto/v1/sign', [], 400],
  ])('with %s', async (_name, method, operation, body, status) => {
    expect(await ada.post(requests, { method, operation, body })).toMatchObject(refused(status))
  })

  it('with a body that a direct call would be refused for', async () => {
    const { kid } = await vault.key(user(ben))
    const right = signing(kid).body
    for (const wrong of [
      { hash_alg: null },
      { hash_alg: 'MD5' },
      { data: null },
      { data: '*' },
      { data: 'AAAA', hash: 'AAAA' },
      { key: {} },
      { mode: { X: {} } },
    ]) {
      const question = { ...signing(kid), body: { ...right, ...wrong } }
      expect([wrong, (await ada.post(requests, question)).status]).toEqual([wrong, 400])
    }
    expect(
      (await ada.get(requests)).body.filter(({ body }: { body: { key?: { kid?: string } } }) => body?.key?.kid === kid),
    ).toEqual([])
  })

  it('by who may not do it', async () => {
    const { scene } = vault
    const group = await vault.group()
    const { kid } = await vault.key(group)
    const [weak, stranger] = [await scene.app(ada, vault.name(), { [group]: ['VERIFY'] }), app]
    expectStatus(await ada.patch(`/sys/v1/groups/${group}`, { approval_policy: user(ben) }), 200)
    expect(await weak.post(requests, signing(kid))).toMatchObject(refused(403))
    expect(await stranger.post(requests, signing(kid))).toMatchObject(refused(404))
    expect(await cleo.post(requests, signing(kid))).toMatchObject(refused(404))
    expect(await scene.anyone.post(requests, signing(kid))).toMatchObject(refused(401))
  })
})
