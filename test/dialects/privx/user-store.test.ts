import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { issueTokenPair } from '../../../src/identity/token-pair.ts'
import { transact } from '../../../src/store/unit-of-work.ts'
import { machine, signedInAgent } from '../../helpers/agents.ts'
import {
  apiClient,
  oauthClient,
  password,
  roleStore,
  startPrivx,
  userStore,
  type PrivxWorld,
} from '../../helpers/privx.ts'
import type { Client } from '../../helpers/world.ts'

let privx: PrivxWorld
let admin: Client
beforeAll(async () => {
  privx = await startPrivx()
  ;({ admin } = privx)
})
afterAll(() => privx.close())

const signIn = async (username: string, secret: string) =>
  await privx.token({ grant_type: 'password', username, password: secret })

describe('local users', () => {
  test('one is made, read, changed and deleted', async () => {
    const sent = {
      id: '',
      username: 'Lena',
      full_name: 'Lena Local',
      display_name: 'Lena L.',
      email: 'lena@example.com',
      password: { password },
      tags: ['ops'],
      attributes: [{ key: 'site', value: 'north' }],
    }
    const made = await admin.post(`${userStore}/users`, sent)
    const { id } = made.body
    expect([made.status, made.headers['location']]).toEqual([201, `${userStore}/users/${id}`])
    const { password: _password, ...shown } = sent
    const read = await admin.get(`${userStore}/users/${id}`)
    expect(read.body).toMatchObject({ ...shown, id, author: apiClient.id })
    expect(JSON.stringify(read.body)).not.toContain(password)
    expect((await admin.get(`${roleStore}/users/${id}`)).body).toMatchObject({
      principal: 'Lena',
      full_name: 'Lena Local',
      display_name: 'Lena L.',
    })

    const changed = await admin.put(`${userStore}/users/${id}`, { username: 'lena2', password: { password: '' } })
    expect(changed.status).toBe(200)
    expect((await admin.get(`${userStore}/users/${id}`)).body).toMatchObject({
      username: 'lena2',
      display_name: 'lena2',
      full_name: '',
      email: '',
      tags: [],
    })
    expect((await signIn('lena', password)).status).toBe(400)
    expect((await signIn('LENA2', password)).status).toBe(200)

    expect((await admin.delete(`${userStore}/users/${id}`)).status).toBe(200)
    expect((await admin.get(`${userStore}/users/${id}`)).status).toBe(404)
    expect((await admin.get(`${roleStore}/users/${id}`)).status).toBe(404)
    expect((await signIn('lena2', password)).status).toBe(400)
    expect((await admin.post(`${userStore}/users`, { username: 'lena2' })).status).toBe(201)
  })

  test.each([
    [{}, 'username'],
    [{ username: '' }, 'username'],
    [{ username: 'x'.repeat(256) }, 'username'],
    [{ username: 7 }, 'username'],
    [{ username: 'ok', email: 7 }, 'email'],
    [{ username: 'ok', password: 'text' }, 'password'],
    [{ username: 'ok', password: { password: 'x'.repeat(1025) } }, 'password.password'],
    [{ username: 'ok', tags: ['x'.repeat(70_000)] }, 'tags'],
  ])('%# is 400 and names %s', async (body, property) => {
    const answer = await admin.post(`${userStore}/users`, body)
    expect(answer.status).toBe(400)
    expect(answer.body.property ?? answer.body.details[0].property).toBe(property)
  })

  test('a name is taken whatever its case, on creation and on change', async () => {
    await privx.user('taken')
    const other = await privx.user('other')
    expect((await admin.post(`${userStore}/users`, { username: 'TAKEN' })).status).toBe(400)
    expect((await admin.put(`${userStore}/users/${other.id}`, { username: 'Taken' })).status).toBe(400)
  })

  test('lists are by name, and filtered by user name and id', async () => {
    const one = await privx.user('filtered one')
    await privx.user('filtered two')
    const found = async (query: object) =>
      (await admin.get(`${userStore}/users?${new URLSearchParams({ ...query }).toString()}`)).body
    expect(await found({ username: 'Filtered One' })).toMatchObject({ count: 1, items: [{ id: one.id }] })
    expect(await found({ id: one.id })).toMatchObject({ count: 1, items: [{ username: 'filtered one' }] })
    expect(await found({ id: 'nobody' })).toEqual({ count: 0, items: [] })
    expect((await found({ limit: '1' })).items).toHaveLength(1)
  })

  test('another password signs out whoever has the old one', async () => {
    const user = await privx.user('changing')
    const change = async (body: object) => await admin.put(`${userStore}/users/${user.id}/password`, body)
    expect((await change({})).body).toMatchObject({ error_code: 'BAD_REQUEST', property: 'password' })
    expect((await change({ password: 'another' })).status).toBe(200)
    expect((await user.get(`${roleStore}/users/current`)).status).toBe(401)
    expect((await signIn('changing', password)).status).toBe(400)
    expect((await signIn('changing', 'another')).status).toBe(200)
  })

  test('one without a password signs in once they have one', async () => {
    const { body } = await admin.post(`${userStore}/users`, { username: 'silent' })
    expect((await signIn('silent', '')).status).toBe(400)
    await admin.put(`${userStore}/users/${body.id}/password`, { password })
    expect((await signIn('silent', password)).status).toBe(200)
  })

  test('whoever is deleted is out at once, with their roles, and no organization admin brings them back', async () => {
    const role = await privx.role('leaving')
    const user = await privx.user('gone', [role])
    expect((await admin.delete(`${userStore}/users/${user.id}`)).status).toBe(200)
    expect((await user.get(`${roleStore}/roles`)).status).toBe(401)
    expect((await admin.get(`${roleStore}/roles/${role}/members`)).body).toEqual({ count: 0, items: [] })
    const ada = await privx.world.person('Ada', { admin: true })
    expect((await ada.post(`/v1/users/${user.id}/enable`)).status).toBe(404)
  })

  test('with whoever is deleted go their agents, and the roles of these', async () => {
    const { world } = privx
    const role = await privx.role('held by an agent')
    const user = await privx.user('has agents')
    const agent = await machine(world, 'of who has agents', user)
    const { accessToken } = await signedInAgent(world, agent)
    const client = privx.bearer(agent.id, accessToken)
    await admin.put(`${roleStore}/users/${agent.id}/roles`, [{ id: role, explicit: true }])
    expect((await client.get(`${roleStore}/users/current`)).body.roles).toHaveLength(1)

    expect((await admin.delete(`${userStore}/users/${user.id}`)).status).toBe(200)
    expect((await client.get(`${roleStore}/roles`)).status).toBe(401)
    await expect(signedInAgent(world, agent)).rejects.toThrow()
    expect((await admin.get(`${roleStore}/roles/${role}/members`)).body.count).toBe(0)
    const grants = world.ctx.db.selectFrom('grants').select('ended_because').where('principal_id', '=', agent.id)
    expect(await grants.execute()).toEqual([{ ended_because: 'principal-removed' }])
    const [ada, heir] = [await world.person('Restorer', { admin: true }), await world.person('New owner')]
    expect((await ada.post(`/v1/agents/${agent.id}/restore`)).status).toBe(400)
    await ada.patch(`/v1/agents/${agent.id}`, { ownerId: heir.id })
    expect((await ada.post(`/v1/agents/${agent.id}/restore`)).status).toBeLessThan(300)
    const { accessToken: again } = await signedInAgent(world, agent)
    expect((await privx.bearer(agent.id, again).get(`${roleStore}/users/current`)).body.roles).toEqual([])
  })

  test('nobody deletes themselves', async () => {
    const { body } = await admin.post(`${roleStore}/roles/resolve`, ['privx-admin'])
    const boss = await privx.user('boss', [body.items[0].id])
    expect((await boss.delete(`${userStore}/users/${boss.id}`)).status).toBe(400)
    expect((await admin.delete(`${userStore}/api-clients/${admin.id}`)).status).toBe(400)
  })

  test('no password and no secret stands in the store as it is', async () => {
    await privx.user('kept secret')
    const rows = await privx.world.ctx.db.selectFrom('credentials').selectAll().execute()
    const kept = JSON.stringify(rows.map((row) => [row.hash, Buffer.from(row.sealed ?? []).toString('latin1')]))
    for (const secret of [password, apiClient.secret]) expect(kept).not.toContain(secret)
    expect(
      rows
        .filter(({ kind, hash }) => kind === 'password' && hash !== null)
        .every(({ hash }) => hash?.startsWith('$argon2id$')),
    ).toBe(true)
    const leaves = await privx.world.ctx.db.selectFrom('audit_leaves').selectAll().execute()
    for (const secret of [password, apiClient.secret]) expect(JSON.stringify(leaves)).not.toContain(secret)
  })
})

describe('API clients', () => {
  test('one is made, read with its secrets, signs in, is changed and deleted', async () => {
    const role = await privx.role('of a machine', ['requests-view'])
    const made = await admin.post(`${userStore}/api-clients`, { name: 'robot', roles: [{ id: role, name: '' }] })
    const { id } = made.body
    expect([made.status, made.headers['location']]).toEqual([201, `${userStore}/api-clients/${id}`])
    const { body, headers } = await admin.get(`${userStore}/api-clients/${id}`)
    expect(body).toMatchObject({
      id,
      name: 'robot',
      secret: expect.stringMatching(/^[\w-]{43}$/),
      oauth_client_id: oauthClient.id,
      oauth_client_secret: oauthClient.secret,
      roles: [{ id: role, name: 'of a machine' }],
    })
    expect(headers['cache-control']).toBe('no-store')
    const token = await signIn(id, body.secret)
    const robot = privx.bearer(id, token.body.access_token)
    expect((await robot.get(`${roleStore}/users/current`)).body).toMatchObject({ id, permissions: ['requests-view'] })

    expect((await admin.put(`${userStore}/api-clients/${id}`, { name: 'android', roles: [] })).status).toBe(200)
    expect((await admin.get(`${userStore}/api-clients/${id}`)).body).toMatchObject({
      name: 'android',
      roles: [],
      secret: body.secret,
    })
    expect((await admin.delete(`${userStore}/api-clients/${id}`)).status).toBe(200)
    expect((await robot.get(`${roleStore}/roles`)).status).toBe(401)
    expect((await signIn(id, body.secret)).status).toBe(400)
    expect((await admin.get(`${userStore}/api-clients/${id}`)).status).toBe(404)
    expect((await admin.post(`${userStore}/api-clients`, { name: 'android' })).status).toBe(201)
  })

  test.each([
    [{}, 'name'],
    [{ name: 'x', roles: [{ id: 'nonsense' }] }, 'roles[0].id'],
    [{ name: 'x', roles: 'all' }, 'roles'],
    [{ name: 'x', roles: [{ id: 'ROLE' }, { id: 'ROLE' }] }, 'roles[1].id'],
    [{ name: 'x', roles: [{ id: 'ROLE', grant_end: '2999-01-01T00:00:00Z' }] }, 'roles[0].grant_end'],
    [{ name: 'x', roles: [{ id: 'ROLE', floating_length: 3 }] }, 'roles[0].floating_length'],
    [{ name: 'x', roles: [{ id: 'ROLE', grant_type: 'TIME_RESTRICTED' }] }, 'roles[0].grant_start'],
  ])('%j is 400 and names %s', async (body, property) => {
    const known = await admin.post(`${roleStore}/roles/resolve`, ['privx-admin'])
    const text = JSON.stringify(body).replaceAll('ROLE', known.body.items[0].id)
    const answer = await admin.post(`${userStore}/api-clients`, text)
    expect([answer.status, answer.body.property]).toEqual([400, property])
  })

  test('are searched for as the Go client does it: with the page in the body', async () => {
    for (const name of ['seek b', 'seek a', 'seek_c']) await admin.post(`${userStore}/api-clients`, { name })
    const found = async (body: unknown, query = '') => {
      const answer = await admin.post(`${userStore}/api-clients/search${query}`, body)
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store'])
      return [answer.body.count, answer.body.items.map((client: { name: string }) => client.name)]
    }
    const all = ['seek a', 'seek b', 'seek_c']
    expect(await found({ keywords: 'SEEK', sortdir: '', sortkey: '' })).toEqual([3, all])
    expect(await found({ keywords: 'seek_' })).toEqual([1, ['seek_c']])
    expect(await found({ keywords: 'seek', sortkey: 'name', sortdir: 'DESC', limit: 1, offset: 1 })).toEqual([
      3,
      ['seek b'],
    ])
    expect(await found({ keywords: 'seek', limit: 1 }, '?limit=2&sortdir=desc')).toEqual([3, ['seek_c', 'seek b']])
    expect(await found({ keywords: apiClient.id })).toEqual([1, [`configured ${apiClient.id}`]])
    expect(await found({ keywords: 'nobody' })).toEqual([0, []])
    const { body } = await admin.get(`${userStore}/api-clients`)
    expect((await found(undefined))[0]).toBe(body.count)
    expect((await found(null))[0]).toBe(body.count)
  })

  test.each([
    [{ keywords: 7 }, 'keywords'],
    [{ limit: -1 }, 'limit'],
    [{ limit: 1001 }, 'limit'],
    [{ limit: '5' }, 'limit'],
    [{ offset: 0.5 }, 'offset'],
    [{ sortkey: 'secret' }, 'sortkey'],
    [{ sortdir: 'up' }, 'sortdir'],
  ])('a search for %j is 400 and names %s', async (body, property) => {
    const answer = await admin.post(`${userStore}/api-clients/search`, body)
    expect([answer.status, answer.body.property]).toEqual([400, property])
  })

  test('a client is no agent of the native API, and does not go on as one', async () => {
    const ada = await privx.world.person('Agents', { admin: true })
    const { body } = await ada.get('/agents')
    expect(JSON.stringify(body)).not.toContain(apiClient.id)
    const { body: tokens } = await signIn(apiClient.id, apiClient.secret)
    const native = await privx.world.anyone.post('/auth/cli/refresh', { refreshToken: tokens.refresh_token })
    expect(native.status).toBeGreaterThanOrEqual(400)
  })

  test('the configured client is in the list, and has another secret once the configuration has', async () => {
    const { body } = await admin.get(`${userStore}/api-clients`)
    expect(body.items.map((client: { id: string }) => client.id)).toContain(apiClient.id)
    const { store } = privx.world.ctx.config
    if (store.engine !== 'postgres') return
    await using again = await startPrivx({
      databaseUrl: store.url,
      env: { QUORATE_PRIVX_API_CLIENT: `${apiClient.id}:another-secret` },
    }).catch((error: Error) => ({ failed: error.message, [Symbol.asyncDispose]: async () => {} }))
    // The helper signs in with the secret from before.
    expect(again).toHaveProperty('failed', expect.stringContaining('invalid_grant'))
    expect((await signIn(apiClient.id, 'another-secret')).status).toBe(200)
    expect((await admin.get(`${roleStore}/users/current`)).body.roles).toHaveLength(1)
  })
})

test('a native agent with a key does not go on with its refresh token alone', async () => {
  const { world } = privx
  const person = await world.person('Owner', { admin: true })
  const { body } = await person.post('/agents/register', { agentName: 'keyed' })
  const agent = body.agentId ?? body.id
  const signedIn = { orgId: defaultOrganization.id, principalId: agent, familyId: world.ctx.newId() }
  const pair = await transact(world.ctx, null, (tx) => issueTokenPair(world.ctx, tx, signedIn))
  const { body: refused } = await privx.token({ grant_type: 'refresh_token', refresh_token: pair.refreshToken }, null)
  expect(refused.error).toBe('invalid_grant')
})
