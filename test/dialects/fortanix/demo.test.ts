import { expect, it } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { basic, callsWith, expectStatus } from '../../helpers/fortanix.ts'
import { freshDatabase } from '../../helpers/fresh-database.ts'
import { auth as privxAuth, basicOf } from '../../helpers/privx.ts'
import { startWorld } from '../../helpers/world.ts'

const auth = '/sys/v1/session/auth'
const ada = basic('ada@example.com', 'demo')

it("the demo's people sign in with the published password, and Ada administers the account", async () => {
  await using world = await startWorld({ env: { QUORATE_DEMO: '1' } })
  for (const [name, role] of [
    ['ada', 'ACCOUNTADMINISTRATOR'],
    ['eli', 'ACCOUNTMEMBER'],
  ] as const) {
    const { access_token: token } = expectStatus(
      await callsWith(world, basic(`${name}@example.com`, 'demo')).post(auth),
      200,
    )
    const calls = callsWith(world, `Bearer ${token}`)
    expect((await calls.get('/sys/v1/users/accounts')).body).toEqual({
      [defaultOrganization.id]: [role, 'STATEENABLED'],
    })
    expectStatus(await calls.post('/sys/v1/session/select_account', { acct_id: defaultOrganization.id }), 200)
  }
})

it('that password lets nobody in where the demo is over, though the store still has it', async () => {
  const databaseUrl = await freshDatabase()
  await using open = await startWorld({ databaseUrl, env: { QUORATE_DEMO: '1' } })
  expectStatus(await callsWith(open, ada).post(auth), 200)
  await using closed = await startWorld({ databaseUrl })
  expect(await callsWith(closed, ada).post(auth)).toMatchObject({ status: 401 })
})

it('an app of the default account is no API client of the PrivX API', async () => {
  const client = { id: 'installation', secret: 'the-oauth-secret' }
  const env = { QUORATE_DEMO: '1', QUORATE_PRIVX_OAUTH_CLIENT: `${client.id}:${client.secret}` }
  await using world = await startWorld({ env })
  const { access_token: token } = expectStatus(await callsWith(world, ada).post(auth), 200)
  const calls = callsWith(world, `Bearer ${token}`)
  expectStatus(await calls.post('/sys/v1/session/select_account', { acct_id: defaultOrganization.id }), 200)
  const { group_id: group } = expectStatus(await calls.post('/sys/v1/groups', { name: 'keys' }), 201)
  const { app_id: id } = expectStatus(
    await calls.post('/sys/v1/apps', { name: 'robot', add_groups: { [group]: [] } }),
    201,
  )
  const { credential } = expectStatus(await calls.get(`/sys/v1/apps/${id}/credential`), 200)
  expectStatus(await callsWith(world, basic(id, credential.secret)).post(auth), 200)
  const form = new URLSearchParams({ grant_type: 'password', username: id, password: credential.secret })
  const answer = await world.anyone.post(`${privxAuth}/oauth/token`, form.toString(), {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: basicOf(client),
  })
  expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant'])
})
