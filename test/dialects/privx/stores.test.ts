import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { password, roleStore, startPrivx, userStore, type PrivxWorld } from '../../helpers/privx.ts'
import type { Client } from '../../helpers/world.ts'

/** What divergences.md says of the role store and the user store, as far as the tests of each do not show it already. */
let privx: PrivxWorld
let admin: Client
beforeAll(async () => {
  privx = await startPrivx()
  ;({ admin } = privx)
})
afterAll(() => privx.close())

describe('a role', () => {
  const make = async (members: object) => {
    const { status, body } = await admin.post(`${roleStore}/roles`, { name: privx.world.ctx.newId(), ...members })
    return [status, body.property]
  }
  const names = (count: number) => Array.from({ length: count }, (_, index) => `permission-${index}`)

  test.each<[string, object, readonly unknown[]]>([
    ['200 permissions', { permissions: names(200) }, [201, undefined]],
    ['201 permissions', { permissions: names(201) }, [400, 'permissions']],
    ['a permission of 64 characters', { permissions: ['p'.repeat(64)] }, [201, undefined]],
    ['one of 65', { permissions: ['p'.repeat(65)] }, [400, 'permissions[0]']],
    ['an empty permission', { permissions: [''] }, [400, 'permissions[0]']],
    ['members to be shown of 64 KiB', { context: 'c'.repeat(64 * 1024 - 14) }, [201, undefined]],
    ['a byte more', { context: 'c'.repeat(64 * 1024 - 13) }, [400, 'access_group_id']],
  ])('with %s', async (_, members, told) => {
    expect(await make(members)).toEqual(told)
  })

  test('is found by its name or names, by a part of it in any case, and by nothing else', async () => {
    for (const name of ['Night Shift', 'Night Watch']) await privx.role(name)
    const found = async (body: object) => {
      const { body: list } = await admin.post(`${roleStore}/roles/search`, body)
      return list.items.map(({ name }: { name: string }) => name)
    }
    expect(await found({ name: 'Night Watch' })).toEqual(['Night Watch'])
    expect(await found({ name: ['Night Watch', 'Night Shift'] })).toEqual(['Night Shift', 'Night Watch'])
    expect(await found({ keywords: 'NIGHT', colour: 'red' })).toEqual(['Night Shift', 'Night Watch'])
    expect(await found({ name: 'night watch' })).toEqual([])
  })

  test('is resolved by its exact name, a thousand at once', async () => {
    await privx.role('Exact')
    const resolve = async (list: readonly string[]) => await admin.post(`${roleStore}/roles/resolve`, list)
    expect((await resolve(['Exact', 'exact', 'none'])).body).toMatchObject({ count: 1, items: [{ name: 'Exact' }] })
    expect((await resolve(names(1000))).status).toBe(200)
    expect((await resolve(names(1001))).status).toBe(400)
  })

  test('is listed in four orders, a user in three', async () => {
    const status = async (path: string) => (await admin.get(`${roleStore}/${path}`)).status
    for (const key of ['id', 'name', 'created', 'updated']) expect(await status(`roles?sortkey=${key}`)).toBe(200)
    const role = await privx.role('listed')
    expect(await status(`roles/${role}/members?sortkey=created`)).toBe(200)
    expect(await status(`roles/${role}/members?sortkey=updated`)).toBe(400)
  })
})

describe('the roles of a user', () => {
  const rolesOf = async ({ id }: Client) => (await admin.get(`${roleStore}/users/${id}/roles`)).body.items
  const give = async ({ id }: Client, roles: object) =>
    (await admin.put(`${roleStore}/users/${id}/roles`, roles)).status

  test('stay on their terms when they are sent without any, and are given for good where they do not stand', async () => {
    const [floating, other] = [await privx.role('floating one'), await privx.role('plain one')]
    const user = await privx.user('keeps terms')
    await give(user, [{ id: floating, grant_type: 'FLOATING', floating_length: 3 }])
    expect(await give(user, [{ id: floating, explicit: true }, { id: other }])).toBe(200)
    expect(await rolesOf(user)).toMatchObject([
      { id: floating, grant_type: 'FLOATING', floating_length: 3 },
      { id: other, grant_type: 'PERMANENT' },
    ])
  })

  test('are not given anew by what was read', async () => {
    const id = await privx.role('read and sent')
    const user = await privx.user('reads and sends')
    await give(user, [{ id, grant_type: 'FLOATING', floating_length: 3 }])
    const standing = async () => (await user.get('/v1/grants')).body.grants.map((grant: { id: string }) => grant.id)
    const before = await standing()
    expect(await give(user, await rolesOf(user))).toBe(200)
    expect(await standing()).toEqual(before)
  })

  test('are those that were given: one that is implicit alone is passed over', async () => {
    const id = await privx.role('implied')
    const user = await privx.user('implies')
    expect(await give(user, [{ id, explicit: false, implicit: true }])).toBe(200)
    expect(await rolesOf(user)).toEqual([])
  })

  test('are known to the members of a role only while they are in force', async () => {
    const id = await privx.role('to come')
    const user = await privx.user('to come')
    const at = (hours: number) => new Date(privx.world.clock.now().getTime() + hours * 3_600_000).toISOString()
    await give(user, [{ id, grant_type: 'TIME_RESTRICTED', grant_start: at(1), grant_end: at(2) }])
    expect(await rolesOf(user)).toHaveLength(1)
    expect((await admin.get(`${roleStore}/roles/${id}/members`)).body).toEqual({ count: 0, items: [] })
  })
})

describe('a user', () => {
  test('of the native API is one by what they are called there', async () => {
    const ada = await privx.world.person('Registrar', { admin: true })
    const { body } = await ada.post('/agents/register', { agentName: 'native-agent' })
    const agent = { principal: 'native-agent', source: 'AGENT', email: '' }
    expect((await admin.get(`${roleStore}/users/${body.agentId ?? body.id}`)).body).toMatchObject(agent)
    expect((await admin.get(`${roleStore}/users/${ada.id}`)).body).toMatchObject({ principal: 'registrar@example.com' })
  })

  test.each(['tab\there', 'line\nbreak', '\u007f'])('is not called %j', async (username) => {
    const { status, body } = await admin.post(`${userStore}/users`, { username })
    expect([status, body.property]).toEqual([400, 'username'])
  })

  test('keeps the password that they have, whatever else is sent of them', async () => {
    const { id } = await privx.user('password stays')
    await admin.put(`${userStore}/users/${id}`, { username: 'password stays', password: { password: 'other' } })
    const signIn = async (secret: string) =>
      (await privx.token({ grant_type: 'password', username: 'password stays', password: secret })).status
    expect([await signIn('other'), await signIn(password)]).toEqual([400, 200])
  })

  test('shows what means nothing here as it was sent', async () => {
    const kept = { tags: ['a'], company: 'Acme', telephone: '1', attributes: [{ key: 'k', value: 'v' }] }
    const { body } = await admin.post(`${userStore}/users`, { username: 'shown', ...kept })
    expect((await admin.get(`${userStore}/users/${body.id}`)).body).toMatchObject(kept)
  })

  test('has a password of up to 1024 characters', async () => {
    const { id } = await privx.user('long password')
    const change = async (length: number) =>
      (await admin.put(`${userStore}/users/${id}/password`, { password: 'p'.repeat(length) })).status
    expect([await change(1024), await change(1025), await change(0)]).toEqual([200, 400, 400])
  })
})

describe('an API client', () => {
  test('has the secret that the server made, whatever was sent', async () => {
    const sent = { name: 'secretive', secret: 'mine', oauth_client_id: 'mine' }
    const { body } = await admin.post(`${userStore}/api-clients`, sent)
    const read = async () => (await admin.get(`${userStore}/api-clients/${body.id}`)).body
    const { secret, oauth_client_id } = await read()
    expect([secret === 'mine', oauth_client_id]).toEqual([false, 'privx-external'])
    await admin.put(`${userStore}/api-clients/${body.id}`, { ...sent, roles: [] })
    expect((await read()).secret).toBe(secret)
  })

  test('has a name that others may have too: it is known by its id', async () => {
    const make = async () => (await admin.post(`${userStore}/api-clients`, { name: 'the same' })).body.id
    expect(await make()).not.toBe(await make())
  })
})
