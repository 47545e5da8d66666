import { Type } from 'typebox'
import type { NewUser } from '../../../identity/create-user.ts'
import type { Profile } from '../../../identity/find-profile.ts'
import type { UserSummary } from '../../../identity/list-users.ts'
import { uuidOf } from './ids.ts'
import { pageQuery, paginationSchema, type PageRules, type Query } from './pages.ts'
import { asObject, refuse } from './read.ts'
import { renderRoles, roleItemSchema } from './roles.ts'
import { answers, concurrencyControlSchema, createdNoBody, noBody, timestampSchema, uuidSchema } from './schemas.ts'
import { isEmail, requiredText } from './texts.ts'

/** Reads the body of `POST /users`. @throws AppError with the codes of contract §1.6 */
export function parseNewUser(value: unknown): NewUser {
  const body = asObject(value)
  const displayName = requiredText(
    body,
    'displayName',
    { empty: 'USER_DISPLAY_NAME_EMPTY', tooLong: 'USER_DISPLAY_NAME_TOO_LONG' },
    255,
  )
  const codes = { empty: 'USER_EMAIL_EMPTY', tooLong: 'USER_EMAIL_TOO_LONG', invalid: 'USER_EMAIL_INVALID' } as const
  const email = requiredText(body, 'email', codes, 255, isEmail)
  const { orgRole } = body
  if (orgRole !== 'admin' && orgRole !== 'member') refuse('USER_ORG_ROLE_INVALID', 'orgRole')
  return { displayName, email, isAdmin: orgRole === 'admin' }
}

/** The list of users refuses what other lists cap, with codes of its own (contract §1.6). */
export const userPages: PageRules = {
  page: 'INVALID_PAGE_NUMBER',
  limit: 'INVALID_LIMIT_NUMBER',
  maxLimit: 100,
  overMax: 'refused',
}

/** @throws AppError SEARCH_TOO_LONG, SEARCH_TERM_INVALID_CHARACTERS */
export function parseUserSearch(query: unknown): string | null {
  const { search } = query as Query
  if (search === undefined) return null
  if (typeof search !== 'string') refuse('SEARCH_TERM_INVALID_CHARACTERS', 'search')
  if (search.length > 100) refuse('SEARCH_TOO_LONG', 'search')
  if (search.trim() === '' || !/^[a-zA-Z0-9@.%_+\s-]+$/.test(search)) refuse('SEARCH_TERM_INVALID_CHARACTERS', 'search')
  return search
}

/** A user is named by id or by e-mail address. */
export function parseUserKey(identifier: string): { id: string } | { email: string } | null {
  const id = uuidOf(identifier)
  if (id !== null) return { id }
  return isEmail(identifier) ? { email: identifier } : null
}

export function renderUserSummary({ id, name, email }: UserSummary): object {
  return { id, displayName: name, email }
}

/** Renders a User (contract §2.7). */
export function renderUser(profile: Profile): object {
  const { id, name, email, is_admin, created_at, groups, bindings, row_version } = profile
  return {
    id,
    displayName: name,
    email,
    orgRole: is_admin ? 'admin' : 'member',
    createdAt: created_at.toISOString(),
    groups,
    roles: renderRoles(bindings),
    concurrencyControl: { version: row_version },
  }
}

export const groupRefSchema = Type.Object({ groupId: uuidSchema, groupName: Type.String() })
export const orgRoleSchema = Type.Enum(['admin', 'member'])

const userSchema = Type.Object({
  id: uuidSchema,
  displayName: Type.String(),
  email: Type.String(),
  orgRole: orgRoleSchema,
  createdAt: timestampSchema,
  groups: Type.Array(groupRefSchema),
  roles: Type.Array(roleItemSchema),
  concurrencyControl: concurrencyControlSchema,
})

export const createUserSchema = {
  summary: 'Register a user',
  tags: ['users'],
  body: Type.Object({
    displayName: Type.String({ minLength: 1, maxLength: 255 }),
    email: Type.String({ minLength: 1, maxLength: 255 }),
    orgRole: orgRoleSchema,
  }),
  response: answers({ 201: createdNoBody }),
}

export const listUsersSchema = {
  summary: 'Users, oldest first',
  tags: ['users'],
  querystring: Type.Object({ search: Type.Optional(Type.String({ maxLength: 100 })), ...pageQuery }),
  response: answers({
    200: Type.Object({
      users: Type.Array(Type.Object({ id: uuidSchema, displayName: Type.String(), email: Type.String() })),
      pagination: paginationSchema,
    }),
  }),
}

export const getUserSchema = {
  summary: 'One user, by id or e-mail address',
  tags: ['users'],
  response: answers({ 200: userSchema }),
}

export const disableUserSchema = {
  summary: 'Shut a person out: their sign-ins end and their calls are refused',
  tags: ['users'],
  response: answers({ 204: noBody }),
}

export const enableUserSchema = {
  summary: 'Let a disabled person in again',
  tags: ['users'],
  response: answers({ 204: noBody }),
}
