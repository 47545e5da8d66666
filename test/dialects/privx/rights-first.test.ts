import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/identity/actor.ts'
import { changePassword, createLocalUser } from '../../../src/identity/role-store/local-users.ts'
import { engine } from '../../helpers/access.ts'
import { roleStore, startPrivx, userStore, type PrivxWorld } from '../../helpers/privx.ts'
import { orgId } from '../../helpers/quorum.ts'
import type { Client } from '../../helpers/world.ts'

/** 401, then 403, then whatever is wrong with what was sent (contract privx §1.1, §3, §7.3). */
let privx: PrivxWorld
let plain: Client
beforeAll(async () => {
  privx = await startPrivx()
  plain = await privx.user('plain')
})
afterAll(() => privx.close())

const unknown = '11111111-1111-4111-8111-111111111111'
const writes: ['post' | 'put', string][] = [
  ['post', `${roleStore}/roles`],
  ['put', `${roleStore}/roles/${unknown}`],
  ['put', `${roleStore}/users/${unknown}/roles`],
  ['post', `${userStore}/users`],
  ['put', `${userStore}/users/${unknown}`],
  ['put', `${userStore}/users/${unknown}/password`],
  ['post', `${userStore}/api-clients`],
  ['put', `${userStore}/api-clients/${unknown}`],
  ['post', `${userStore}/api-clients/search?limit=x`],
  ['post', `${engine}/workflows`],
  ['put', `${engine}/workflows/${unknown}`],
  ['put', `${engine}/settings`],
  ['post', `${engine}/testsmtp`],
]
const reads = [
  `${userStore}/api-clients?limit=x`,
  `${userStore}/api-clients?sortkey=colour`,
  `${engine}/workflows?limit=x`,
  `${engine}/workflows?sortdir=up`,
  `${engine}/requests?filter=all&limit=x`,
  `${engine}/requests?filter=all&sortkey=colour`,
]
const bodies = ['{', '[', '7', '{"name": 7, "username": 7, "steps": 7, "smtp_server": 7}', '{"name": "\\u0000"}']

describe('of who may not', () => {
  test.each(writes)('%s %s says nothing of the body', async (method, path) => {
    for (const body of bodies) {
      const [nobody, refused] = [await privx.world.anyone[method](path, body), await plain[method](path, body)]
      expect([body, nobody.status, nobody.body.error_code]).toEqual([body, 401, 'UNAUTHORIZED'])
      expect([body, refused.status, refused.body]).toEqual([
        body,
        403,
        { error_code: 'PERMISSION_DENIED', error_message: expect.any(String) },
      ])
    }
  })

  test.each(reads)('%s says nothing of the query', async (path) => {
    expect((await privx.world.anyone.get(path)).status).toBe(401)
    expect(await plain.get(path)).toMatchObject({ status: 403, body: { error_code: 'PERMISSION_DENIED' } })
    expect((await privx.admin.get(path)).status).toBe(400)
  })

  test('no password is hashed', async () => {
    const { ctx } = privx.world
    const caller: Caller = { orgId, principalId: plain.id, kind: 'human', sessionId: null, stepUp: null, once: null }
    const input = { username: 'x', displayName: 'x', fullName: 'x', email: null, shown: {} }
    // Whoever hashed this would fail in another way.
    const unhashable = {} as string
    const refused = { code: 'REQUESTOR_NOT_AUTHORIZED' }
    await expect(createLocalUser(ctx, caller, input, unhashable)).rejects.toMatchObject(refused)
    await expect(changePassword(ctx, caller, plain.id, unhashable)).rejects.toMatchObject(refused)
  })
})

test.each(writes)('%s %s of who may is 400 or, of what is not there, 404', async (method, path) => {
  for (const body of bodies) expect([400, 404]).toContain((await privx.admin[method](path, body)).status)
})
