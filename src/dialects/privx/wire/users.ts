import type { LocalUserFilter } from '../../../identity/role-store/read-local-users.ts'
import type { LocalUserInput } from '../../../identity/role-store/local-users.ts'
import type { AccessUser } from '../../../identity/role-store/read-users.ts'
import type { AccessUserRow, UserFilter, UserSource } from '../../../store/access-users.ts'
import { idOf } from '../../shared/ids.ts'
import { queryText } from './lists.ts'
import { readBody, unknownId, type Members } from '../../shared/members.ts'
import { renderHeldRole, shownOf } from './roles.ts'
import { renderTime } from '../../shared/times.ts'

const sources: Readonly<Record<UserSource, string>> = {
  local: 'LOCAL',
  openid: 'OIDC',
  agent: 'AGENT',
  'api-client': 'API_CLIENT',
}

/** Somebody as the role store has them (contract privx §5). */
export function renderUser({ user, grants, permissions }: AccessUser): object {
  const { id, name, email, username, full_name: fullName, source } = user
  return {
    id,
    principal: username ?? email ?? name,
    full_name: fullName ?? name,
    display_name: name,
    email: email ?? '',
    source: sources[source],
    source_user_id: id,
    distinguished_name: '',
    roles: grants.map(renderHeldRole),
    permissions,
    attributes: [],
    created: renderTime(user.created_at),
  }
}

/** @throws AppError INVALID_MEMBER */
export function parseUserSearch(body: unknown): UserFilter {
  const nothing = { keywords: null, source: null, ids: null, username: null, role: null }
  if (body === undefined || body === null) return nothing
  return readBody(body, (members) => {
    const [keywords, named] = [members.text('keywords'), members.text('source')]
    const ids = members.texts('user_id')
    const source = sourceOf(named)
    return {
      ...nothing,
      keywords: keywords === '' ? null : keywords,
      source,
      // A source that is none has nobody.
      ids: source === null && named ? [] : ids.length === 0 ? null : ids.map((id) => idOf(id) ?? unknownId),
    }
  })
}

function sourceOf(word: string | null): UserSource | null {
  const [found] = Object.entries(sources).find(([, name]) => name === word?.toUpperCase()) ?? []
  return (found as UserSource | undefined) ?? null
}

/** Members of a local user that mean nothing here and are shown as they were sent. */
const shownMembers = [
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
] as const

/** @throws AppError INVALID_MEMBER */
export function parseLocalUser(body: unknown): LocalUserInput & { readonly password: string | null } {
  return readBody(body, (members) => {
    // What a form carries in a password grant, and a sort of sheet shows.
    const username = members.neededText('username', { max: 255 })
    if (/[\p{Cc}]/u.test(username)) members.complain('username', 'must have no control characters')
    const fullName = notEmpty(members.text('full_name', { max: 255 }))
    const displayName = notEmpty(members.text('display_name', { max: 255 }))
    return {
      username,
      displayName: displayName ?? fullName ?? username,
      fullName: fullName ?? '',
      email: notEmpty(members.text('email', { max: 255 })),
      shown: shownOf(members, shownMembers),
      password: members.object('password', (inner) => notEmpty(passwordOf(inner))),
    }
  })
}

/** `{"password": "…"}`. @throws AppError INVALID_MEMBER */
export function parsePassword(body: unknown): string {
  return readBody(body, (members) => {
    if (!notEmpty(members.text('password'))) members.complain('password', 'is needed')
    return passwordOf(members) ?? ''
  })
}

// Past this nobody types it, and the server would have to hash it.
function passwordOf(members: Members): string | null {
  return members.text('password', { max: 1024 })
}

function notEmpty(text: string | null): string | null {
  return text === '' ? null : text
}

export function renderLocalUser(user: AccessUserRow): object {
  const { id, username, name, full_name, email, attributes, created_at, updated_at, author_id, updated_by } = user
  return {
    tags: [],
    attributes: [],
    ...attributes,
    id,
    username: username ?? '',
    full_name: full_name ?? '',
    display_name: name,
    email: email ?? '',
    principal: username ?? '',
    created: renderTime(created_at),
    ...(updated_at !== null && { updated: renderTime(updated_at) }),
    ...(author_id !== null && { author: author_id }),
    ...(updated_by !== null && { updated_by }),
  }
}

/** @throws AppError INVALID_MEMBER */
export function parseLocalUserFilter(query: unknown): LocalUserFilter {
  const id = queryText(query, 'id')
  return { username: queryText(query, 'username'), id: id === null ? null : (idOf(id) ?? unknownId) }
}
