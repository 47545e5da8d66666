import { Type } from 'typebox'
import type { CallDescriptions } from '../../shared/api-description.ts'
import { byName, count, done, flag, id, listOf, made, maybe, slice, statusCall, terms, text, time } from './shapes.ts'

/** Roles, users and API clients (contract privx §5). */

const anything = Type.Unknown({ description: 'Kept and shown as it was sent.' })
const permissions = Type.Array(Type.String({ pattern: String.raw`^[A-Za-z0-9][\w.:-]{0,63}$` }), { maxItems: 200 })

const heldRole = Type.Object({
  id,
  name: Type.String(),
  permissions,
  explicit: flag,
  implicit: flag,
  ...terms,
})
const wantedRole = Type.Object({ id, explicit: maybe(flag), implicit: maybe(flag), ...terms })

const shownOfRole = {
  access_group_id: maybe(anything),
  context: maybe(anything),
  source_rules: maybe(anything),
  permit_agent: maybe(anything),
}
const role = Type.Object({
  ...shownOfRole,
  id,
  name: Type.String(),
  comment: text,
  permissions,
  explicit: flag,
  implicit: flag,
  system: flag,
  member_count: count,
  created: time,
  updated: time,
})
const newRole = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 512 }),
  comment: maybe(text),
  permissions: maybe(permissions),
  ...shownOfRole,
})

const user = Type.Object({
  id,
  principal: Type.String(),
  full_name: Type.String(),
  display_name: Type.String(),
  email: Type.String(),
  source: Type.Enum(['LOCAL', 'OIDC', 'AGENT', 'API_CLIENT']),
  source_user_id: id,
  distinguished_name: Type.String(),
  roles: Type.Array(heldRole),
  permissions: Type.Array(Type.String()),
  attributes: Type.Array(Type.Unknown()),
  created: time,
})

const roleOrders = slice(['id', 'name', 'created', 'updated'], 1000)

export const roleCalls: CallDescriptions = {
  'GET /role-store/api/v1/status': statusCall,
  'GET /role-store/api/v1/roles': { summary: 'Roles', query: roleOrders, answers: { 200: listOf(role) } },
  'POST /role-store/api/v1/roles': { summary: 'Make a role', body: newRole, answers: { 201: made } },
  'POST /role-store/api/v1/roles/search': {
    summary: 'Search roles by names or by a part of the name',
    query: roleOrders,
    body: Type.Object({
      name: maybe(Type.Union([Type.String(), Type.Array(Type.String())])),
      keywords: maybe(text),
    }),
    bodyIsOptional: true,
    answers: { 200: listOf(role) },
  },
  'POST /role-store/api/v1/roles/resolve': {
    summary: 'Roles by their exact names',
    body: Type.Array(Type.String(), { maxItems: 1000 }),
    answers: { 200: listOf(role) },
  },
  'GET /role-store/api/v1/roles/:id': { summary: 'One role', answers: { 200: role } },
  'PUT /role-store/api/v1/roles/:id': { summary: 'Replace a role', body: newRole, answers: { 200: done } },
  'DELETE /role-store/api/v1/roles/:id': { summary: 'Delete a role; its holders lose it', answers: { 200: done } },
  'GET /role-store/api/v1/roles/:id/members': {
    summary: 'Who holds a role now',
    query: byName,
    answers: { 200: listOf(user) },
  },
  'POST /role-store/api/v1/users/search': {
    summary: 'Search users',
    query: byName,
    body: Type.Partial(Type.Object({ keywords: text, source: text, user_id: Type.Array(Type.String()) })),
    bodyIsOptional: true,
    answers: { 200: listOf(user) },
  },
  'GET /role-store/api/v1/users/current': { summary: 'The caller', answers: { 200: user } },
  'GET /role-store/api/v1/users/:id': { summary: 'One user', answers: { 200: user } },
  'GET /role-store/api/v1/users/:id/resolve': { summary: 'One user, with the roles in force', answers: { 200: user } },
  'GET /role-store/api/v1/users/:id/roles': { summary: 'Roles of a user', answers: { 200: listOf(heldRole) } },
  'PUT /role-store/api/v1/users/:id/roles': {
    summary: 'Give a user exactly these roles',
    body: Type.Array(wantedRole),
    answers: { 200: done },
  },
}

const shownOfUser = Object.fromEntries(
  [
    'tags',
    'attributes',
    'comment',
    'first_name',
    'last_name',
    'given_name',
    'job_title',
    'company',
    'department',
    'telephone',
    'locale',
    'unix_account',
    'windows_account',
    'password_change_required',
    'password_policy_id',
  ].map((member) => [member, maybe(anything)]),
)
const names = {
  full_name: maybe(Type.String({ maxLength: 255 })),
  display_name: maybe(Type.String({ maxLength: 255 })),
  email: maybe(Type.String({ maxLength: 255 })),
}
const username = Type.String({ minLength: 1, maxLength: 255 })
const password = Type.Object({ password: Type.String({ minLength: 1, maxLength: 1024 }) })
const newUser = { username, ...names, ...shownOfUser }

const localUser = Type.Object({
  ...shownOfUser,
  id,
  username,
  full_name: Type.String(),
  display_name: Type.String(),
  email: Type.String(),
  principal: Type.String(),
  created: time,
  updated: maybe(time),
  author: maybe(id),
  updated_by: maybe(id),
})

const apiClient = Type.Object({
  id,
  name: Type.String(),
  secret: Type.String(),
  client_id: maybe(Type.String()),
  oauth_client_id: Type.String(),
  oauth_client_secret: Type.String(),
  roles: Type.Array(Type.Object({ id, name: Type.String() })),
  created: time,
  updated: time,
})
const newClient = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 512 }),
  roles: maybe(Type.Array(wantedRole)),
})

export const localUserCalls: CallDescriptions = {
  'GET /local-user-store/api/v1/status': statusCall,
  'GET /local-user-store/api/v1/users': {
    summary: 'Users who sign in by name and password',
    query: { ...byName, id: maybe(id), username: maybe(Type.String()) },
    answers: { 200: listOf(localUser) },
  },
  'POST /local-user-store/api/v1/users': {
    summary: 'Make a user',
    body: Type.Object({ ...newUser, password: maybe(password) }),
    answers: { 201: made },
  },
  'GET /local-user-store/api/v1/users/:id': { summary: 'One user', answers: { 200: localUser } },
  'PUT /local-user-store/api/v1/users/:id': {
    summary: 'Replace a user, but for the password',
    body: Type.Object(newUser),
    answers: { 200: done },
  },
  'DELETE /local-user-store/api/v1/users/:id': { summary: 'Delete a user', answers: { 200: done } },
  'PUT /local-user-store/api/v1/users/:id/password': {
    summary: 'Give a user another password',
    body: password,
    answers: { 200: done },
  },
}

export const apiClientCalls: CallDescriptions = {
  'GET /local-user-store/api/v1/api-clients': {
    summary: 'API clients, with their secrets',
    query: byName,
    answers: { 200: listOf(apiClient) },
  },
  'POST /local-user-store/api/v1/api-clients/search': {
    summary: 'Search API clients',
    query: byName,
    body: Type.Partial(Type.Object({ keywords: text, sortkey: text, sortdir: text, offset: count, limit: count })),
    bodyIsOptional: true,
    answers: { 200: listOf(apiClient) },
  },
  'POST /local-user-store/api/v1/api-clients': {
    summary: 'Make an API client; the server makes its secret',
    body: newClient,
    answers: { 201: made },
  },
  'GET /local-user-store/api/v1/api-clients/:id': {
    summary: 'One API client, with its secret',
    answers: { 200: apiClient },
  },
  'PUT /local-user-store/api/v1/api-clients/:id': {
    summary: 'Replace an API client, but for the secret',
    body: newClient,
    answers: { 200: done },
  },
  'DELETE /local-user-store/api/v1/api-clients/:id': { summary: 'Delete an API client', answers: { 200: done } },
}
