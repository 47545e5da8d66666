import { createHash, randomBytes } from 'node:crypto'
import { prepareRoleStore } from '../../src/identity/role-store/prepare.ts'
import { auth, password, roleStore, userStore } from '../helpers/privx.ts'
import type { Answer } from '../helpers/world.ts'
import { ada, any, id, ids, made, text, world, type Step } from './steps.ts'

const bySystem = () => ({ kind: 'system' })
const byUrsula = () => ({ kind: 'human', id: id('ursula') })
const byClient = () => ({ kind: 'agent', id: id('client') })
const held = (role: string) => [{ id: id(role), explicit: true }]
const grantOf = (principal: string, role: string) => ({
  principal: id(principal),
  group: id(role),
  grantKind: 'permanent',
})

/** The server starts with an API client in its configuration. */
async function configure(secret: string): Promise<void> {
  const { config } = world.ctx
  const privx = { ...config.privx, apiClient: { id: text('configured'), secret } }
  await prepareRoleStore({ ...world.ctx, config: { ...config, privx } })
}

/** Roles, local users and API clients, and how they sign in. */
export const accessSteps = (): readonly Step[] => [
  {
    name: 'POST /role-store/api/v1/roles',
    does: () =>
      made(
        'operators',
        ada.post(`${roleStore}/roles`, { name: text('operators'), comment: text('c'), permissions: ['requests-view'] }),
      ),
    leaves: () => [['group.created', { dialect: 'privx', permissions: ['requests-view'] }]],
    changes: ['groups'],
  },
  {
    name: 'PUT /role-store/api/v1/roles/:id',
    does: () =>
      ada.put(`${roleStore}/roles/${id('operators')}`, { name: text('operator'), permissions: ['workflows-view'] }),
    leaves: () => [['group.changed', { permissions: ['workflows-view'] }]],
    changes: ['groups'],
  },
  {
    name: 'PUT /role-store/api/v1/roles/:id: with a comment',
    does: () => ada.put(`${roleStore}/roles/${id('operators')}`, { name: text('operator'), comment: text('c') }),
    leaves: () => [['group.changed', { permissions: [] }]],
    changes: ['groups'],
  },
  { name: 'POST /role-store/api/v1/roles/search', does: () => ada.post(`${roleStore}/roles/search`, {}) },
  {
    name: 'POST /local-user-store/api/v1/api-clients/search',
    does: () => ada.post(`${userStore}/api-clients/search`, {}),
  },
  { name: 'POST /role-store/api/v1/roles/resolve', does: () => ada.post(`${roleStore}/roles/resolve`, [text('x')]) },
  { name: 'POST /role-store/api/v1/users/search', does: () => ada.post(`${roleStore}/users/search`, {}) },
  {
    name: 'POST /local-user-store/api/v1/users',
    does: () =>
      made(
        'ursula',
        ada.post(`${userStore}/users`, {
          username: text('ursula'),
          full_name: text('Ursula U'),
          email: 'ursula.zebra@example.com',
          password: { password },
        }),
      ),
    leaves: () => [['user.created', { person: any, admin: false, local: true, credential: any, secretHmac: any }]],
    changes: ['credentials', 'people', 'principals', 'privx_users'],
  },
  {
    name: 'PUT /local-user-store/api/v1/users/:id',
    does: () =>
      ada.put(`${userStore}/users/${id('ursula')}`, { username: text('ursula'), full_name: text('Ursula V') }),
    leaves: () => [['user.changed', {}]],
    changes: ['principals', 'privx_users'],
  },
  {
    name: 'PUT /local-user-store/api/v1/users/:id: with an address',
    does: () =>
      ada.put(`${userStore}/users/${id('ursula')}`, { username: text('ursula'), email: 'ursula.zebra@example.com' }),
    leaves: () => [['user.changed', {}]],
    changes: ['principals', 'privx_users'],
  },
  {
    name: 'PUT /role-store/api/v1/users/:id/roles',
    does: () => ada.put(`${roleStore}/users/${id('ursula')}/roles`, held('operators')),
    leaves: () => [['grant.made', grantOf('ursula', 'operators')]],
    changes: ['grants', 'groups', 'memberships'],
  },
  {
    name: 'POST /auth/api/v1/login',
    does: async () => {
      ids['code'] = (await logIn()).body.code
    },
  },
  {
    name: 'POST /auth/api/v1/oauth/token',
    does: async () => {
      const answer = await redeem()
      ids['token'] = answer.body.access_token
      return answer
    },
    leaves: () => [['user.signed-in', { signIn: any, channel: 'cli' }]],
    changes: ['sessions'],
    by: byUrsula,
  },
  {
    name: 'POST /auth/api/v1/logout',
    does: () => world.withToken(id('ursula'), id('token')).post(`${auth}/logout`),
    leaves: () => [['sessions.ended', { session: any, ended: 1, because: 'signed-out' }]],
    changes: ['sessions'],
    by: byUrsula,
  },
  {
    name: 'POST /auth/api/v1/token/login',
    does: async () => {
      const { status } = await world.anyone.post(`${auth}/token/login`, { token: 'a.b.c' })
      if (status !== 401) throw new Error(`a token of nobody answered ${status}`)
    },
  },
  {
    name: 'PUT /local-user-store/api/v1/users/:id/password',
    does: () => ada.put(`${userStore}/users/${id('ursula')}/password`, { password: 'another horse' }),
    leaves: () => [['password.changed', { secretHmac: any }]],
    changes: ['credentials'],
  },
  {
    name: 'POST /local-user-store/api/v1/api-clients',
    does: () =>
      made('client', ada.post(`${userStore}/api-clients`, { name: text('client'), roles: [{ id: id('operators') }] })),
    leaves: () => [
      ['api-client.created', { credential: any, secretHmac: any }],
      ['grant.made', grantOf('client', 'operators')],
    ],
    changes: ['credentials', 'grants', 'groups', 'memberships', 'principals'],
  },
  {
    name: 'POST /local-user-store/api/v1/api-clients/search',
    does: () => ada.post(`${userStore}/api-clients/search`, {}),
  },
  {
    name: 'PUT /local-user-store/api/v1/api-clients/:id',
    does: () => ada.put(`${userStore}/api-clients/${id('client')}`, { name: text('renamed'), roles: [] }),
    leaves: () => [
      ['grant.ended', { principal: id('client'), group: id('operators'), because: 'removed' }],
      ['api-client.changed', {}],
    ],
    changes: ['grants', 'groups', 'memberships', 'principals'],
  },
  {
    name: 'POST /auth/api/v1/oauth/clientcredentials/privx-external/token',
    does: async () => {
      const { body } = await ada.get(`${userStore}/api-clients/${id('client')}`)
      return await world.anyone.post(`${auth}/oauth/clientcredentials/privx-external/token`, {
        grant_type: 'client_credentials',
        client_id: id('client'),
        client_secret: body.secret,
      })
    },
    leaves: () => [['agent.signed-in', { signIn: any, isBound: false }]],
    changes: ['sessions'],
    by: byClient,
  },
  {
    name: 'DELETE /local-user-store/api/v1/api-clients/:id',
    does: () => ada.delete(`${userStore}/api-clients/${id('client')}`),
    leaves: () => [
      ['sessions.ended', { session: null, ended: 1, because: 'removed' }],
      ['api-client.removed', {}],
    ],
    changes: ['credentials', 'principals', 'sessions'],
  },
  {
    name: 'a start with a configured API client',
    does: () => configure('one secret'),
    leaves: () => [
      ['group.created', { dialect: 'privx', permissions: ['privx-admin'] }],
      ['api-client.created', { credential: any, secretHmac: any }],
      ['grant.made', { principal: any, group: any, grantKind: 'permanent' }],
    ],
    changes: ['credentials', 'grants', 'groups', 'memberships', 'principals'],
    by: bySystem,
  },
  {
    name: 'a start with another secret of the configured API client',
    does: () => configure('another secret'),
    leaves: () => [['api-client.secret-changed', { secretHmac: any }]],
    changes: ['credentials'],
    by: bySystem,
  },
  { name: 'a start with the same API client', does: () => configure('another secret') },
  {
    name: 'DELETE /role-store/api/v1/roles/:id',
    does: () => ada.delete(`${roleStore}/roles/${id('operators')}`),
    leaves: () => [
      ['grant.ended', { principal: id('ursula'), group: id('operators'), because: 'role-deleted' }],
      ['group.deleted', {}],
    ],
    changes: ['grants', 'groups', 'memberships'],
  },
  {
    name: 'DELETE /local-user-store/api/v1/users/:id',
    does: () => ada.delete(`${userStore}/users/${id('ursula')}`),
    leaves: () => [['user.removed', {}]],
    changes: ['credentials', 'principals', 'privx_users'],
  },
]

const verifier = randomBytes(32).toString('base64url')
const redirectUri = '/privx/oauth-callback'

async function logIn(): Promise<Answer> {
  const asked = new URLSearchParams({
    client_id: 'privx-ui',
    redirect_uri: redirectUri,
    response_type: 'code',
    state: 'state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const { headers } = await world.anyone.get(`${auth}/oauth/authorize?${asked.toString()}`)
  const session = new URL(String(headers['location']), 'http://server').searchParams.get('token')
  return await world.anyone.post(`${auth}/login`, { username: text('ursula'), password, token: session })
}

async function redeem(): Promise<Answer> {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: 'privx-ui',
    redirect_uri: redirectUri,
    code: id('code'),
    code_verifier: verifier,
  })
  return await world.anyone.post(`${auth}/oauth/token`, form.toString())
}
