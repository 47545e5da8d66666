import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { privxDescription } from '../../../src/dialects/privx/description.ts'
import { DescribedCalls } from '../../helpers/described.ts'
import { apiClient, auth, password, roleStore, startPrivx, userStore, type PrivxWorld } from '../../helpers/privx.ts'
import type { Calls } from '../../helpers/world.ts'

const engine = '/workflow-engine/api/v1'
const described = new DescribedCalls(privxDescription)
let privx: PrivxWorld
let admin: Calls
let anyone: Calls

/** The same calls, each of which has to succeed and to be as described. */
function compared(caller: Calls): Calls {
  const one =
    (method: keyof Calls) =>
    async (url: string, body?: unknown): ReturnType<Calls['post']> => {
      const answer = await caller[method](url, body)
      if (answer.status >= 400) throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
      described.compare(method.toUpperCase(), url, body, answer)
      return answer
    }
  return { ...caller, get: one('get'), post: one('post'), put: one('put'), delete: one('delete') }
}

beforeAll(async () => {
  privx = await startPrivx()
  ;[admin, anyone] = [compared(privx.admin), compared(privx.world.anyone)]
})
afterAll(() => privx.close())

describe('/privx/openapi.json tells what is sent and answered', () => {
  test('of services', async () => {
    for (const base of [auth, roleStore, userStore, engine]) await anyone.get(`${base}/status`)
  })

  test('of roles', async () => {
    const body = { name: 'deploy', comment: 'to production', permissions: ['requests-view'], context: { any: 'thing' } }
    const { id } = (await admin.post(`${roleStore}/roles`, body)).body
    await admin.get(`${roleStore}/roles?sortkey=updated&sortdir=DESC&offset=0&limit=5`)
    await admin.get(`${roleStore}/roles/${id}`)
    await admin.put(`${roleStore}/roles/${id}`, { ...body, comment: '' })
    await admin.post(`${roleStore}/roles/search`, { name: ['deploy'] })
    await admin.post(`${roleStore}/roles/resolve`, ['deploy'])
    await admin.get(`${roleStore}/users/current`)
    await admin.put(`${roleStore}/users/${apiClient.id}/roles`, [...(await heldByAdmin()), { id, explicit: true }])
    await admin.get(`${roleStore}/users/${apiClient.id}/roles`)
    await admin.get(`${roleStore}/users/${apiClient.id}`)
    await admin.get(`${roleStore}/users/${apiClient.id}/resolve`)
    await admin.get(`${roleStore}/roles/${id}/members?limit=5`)
    await admin.post(`${roleStore}/users/search`, { keywords: 'a' })
    await admin.delete(`${roleStore}/roles/${id}`)
  })

  test('of users and API clients', async () => {
    const user = { username: 'gerda', full_name: 'Gerda G.', email: 'gerda@example.com', company: 'Acme' }
    const { id } = (await admin.post(`${userStore}/users`, { ...user, password: { password } })).body
    await admin.get(`${userStore}/users?username=gerda`)
    await admin.get(`${userStore}/users/${id}`)
    await admin.put(`${userStore}/users/${id}`, user)
    await admin.put(`${userStore}/users/${id}/password`, { password: 'another one' })
    await admin.delete(`${userStore}/users/${id}`)
    const client = (await admin.post(`${userStore}/api-clients`, { name: 'robot', roles: [] })).body.id
    await admin.get(`${userStore}/api-clients`)
    await admin.post(`${userStore}/api-clients/search`, { keywords: 'robot', limit: 5 })
    const { secret } = (await admin.get(`${userStore}/api-clients/${client}`)).body
    await anyone.post(`${auth}/oauth/clientcredentials/privx-external/token`, {
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: secret,
    })
    await admin.put(`${userStore}/api-clients/${client}`, { name: 'robots' })
    await admin.delete(`${userStore}/api-clients/${client}`)
  })

  test('of signing in', async () => {
    await privx.user('hanna')
    const form = { grant_type: 'password', username: 'hanna', password }
    const answer = await privx.token(form)
    expect(answer.status).toBe(200)
    described.compare('POST', `${auth}/oauth/token`, form, answer)
    await compared(privx.bearer('hanna', answer.body.access_token)).post(`${auth}/logout`)

    const challenge = createHash('sha256').update('v'.repeat(43)).digest('base64url')
    const asked = new URLSearchParams({
      client_id: 'privx-ui',
      redirect_uri: '/privx/oauth-callback',
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: challenge,
      state: 's',
    }).toString()
    const begun = await privx.world.anyone.get(`${auth}/oauth/authorize?${asked}`)
    described.compare('GET', `${auth}/oauth/authorize?${asked}`, undefined, { status: begun.status, body: null })
    const token = new URLSearchParams(String(begun.headers['location']).split('?')[1]).get('token')
    await anyone.post(`${auth}/login`, { token, username: 'hanna', password })
  })

  test('of workflows and requests', async () => {
    const [role, leads, all] = [
      await privx.role('database'),
      await privx.role('leads'),
      await privx.role('all', ['requests-view']),
    ]
    const workflow = {
      name: 'Database access',
      target_roles: [{ id: role }],
      grant_types: ['FLOATING'],
      max_floating_duration: 8,
      can_bypass_revoke_workflow: true,
      steps: [{ match: 'ANY', approvers: [{ role: { id: leads } }] }],
    }
    const { id } = (await admin.post(`${engine}/workflows`, workflow)).body
    await admin.get(`${engine}/workflows?sortkey=name`)
    await admin.get(`${engine}/workflows/${id}`)
    await admin.put(`${engine}/workflows/${id}`, { ...workflow, comment: 'by night' })
    const [gerda, lead] = [compared(await privx.user('asker', [all])), compared(await privx.user('lead', [leads]))]
    await gerda.get(`${engine}/workflows/roles`)
    const ask = async (): Promise<string> =>
      (
        await gerda.post(`${engine}/requests`, {
          requested_role: { id: role },
          grant_type: 'FLOATING',
          floating_length: 8,
          request_justification: 'for tonight',
        })
      ).body.id
    const asked = await ask()
    await lead.get(`${engine}/requests?filter=active_approvals`)
    await lead.post(`${engine}/requests/${asked}/decision`, { step: 0, decision: 'APPROVED', comment: 'yes' })
    await gerda.get(`${engine}/requests/${asked}`)
    await lead.post(`${engine}/requests/${asked}/role/revoke`)
    await gerda.post(`${engine}/requests/search`, { filter: 'requests', keywords: 'data' })
    await gerda.delete(`${engine}/requests/${await ask()}`)
    await admin.delete(`${engine}/workflows/${id}`)
  })

  test('of settings', async () => {
    const { body } = await admin.get(`${engine}/settings`)
    await admin.put(`${engine}/settings`, { ...body, smtp_server: 'mail.example.com' })
    await admin.post(`${engine}/testsmtp`, { ...body, smtp_server: '', smtp_server_enabled: true })
  })

  test('of every call, but for the one that needs an OpenID provider', () => {
    expect(described.unseen).toEqual([`POST ${auth}/token/login`])
  })
})

async function heldByAdmin(): Promise<object[]> {
  const { items } = (await privx.admin.get(`${roleStore}/users/${apiClient.id}/roles`)).body
  return items.map(({ id }: { readonly id: string }) => ({ id, explicit: true }))
}
