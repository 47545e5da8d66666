import type { GrantTerms } from '../../../kernel/grant-terms.ts'
import type { CountedRole } from '../../../identity/role-store/read-roles.ts'
import { isSystemRole, type RoleInput } from '../../../identity/role-store/roles.ts'
import type { WantedRole } from '../../../identity/role-store/set-roles.ts'
import { termsOf } from '../../../identity/grants/terms.ts'
import type { HeldGrantRow } from '../../../store/access-users.ts'
import type { RoleFilter } from '../../../store/roles.ts'
import { AppError } from '../../../errors.ts'
import { parseTerms, renderTerms } from './grant-words.ts'
import { unknownId, readBody, readBodyList, type Members } from '../../shared/members.ts'
import { renderTime } from '../../shared/times.ts'

/** Members of a role that mean nothing here and are shown as they were sent (contract privx §5). */
const shownMembers = ['access_group_id', 'context', 'source_rules', 'permit_agent'] as const

const maxPermissions = 200

/** @throws AppError INVALID_MEMBER */
export function parseRole(body: unknown): RoleInput {
  return readBody(body, (members) => ({
    name: members.neededText('name', { max: 512 }),
    comment: members.text('comment') ?? '',
    permissions: parsePermissions(members),
    shown: shownOf(members, shownMembers),
  }))
}

// Names of permissions are told by the log, so nothing else may be in them.
function parsePermissions(members: Members): string[] {
  const permissions = members.texts('permissions')
  if (permissions.length > maxPermissions) members.complain('permissions', `must hold at most ${maxPermissions}`)
  for (const [index, permission] of permissions.entries()) {
    if (!/^[A-Za-z0-9][\w.:-]{0,63}$/.test(permission))
      members.complain(`permissions[${index}]`, 'is no name of a permission')
  }
  return [...new Set(permissions)]
}

const maxShownBytes = 64 * 1024

/** Members that are kept as they were sent, within bounds. */
export function shownOf(members: Members, names: readonly string[]): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const name of names) if (members.has(name)) shown[name] = members.raw(name)
  if (Buffer.byteLength(JSON.stringify(shown)) > maxShownBytes) {
    members.complain(names[0] ?? '', `and its like must have at most ${maxShownBytes} bytes of JSON together`)
  }
  return shown
}

/** A role as the role store has it. It is nobody's, so that it is neither explicit nor implicit. */
export function renderRole({ role, holders }: CountedRole): object {
  const { id, name, description, permissions, attributes, created_at, updated_at } = role
  const { system: _system, ...shown } = attributes
  return {
    ...shown,
    id,
    name,
    comment: description ?? '',
    permissions,
    explicit: false,
    implicit: false,
    system: isSystemRole(role),
    member_count: holders,
    created: renderTime(created_at),
    updated: renderTime(updated_at),
  }
}

/** A role as somebody holds it (contract privx §4.5). */
export function renderHeldRole(grant: HeldGrantRow): object {
  const { group_id: id, group_name: name, permissions } = grant
  return { id, name, permissions, explicit: true, implicit: false, ...renderTerms(termsOf(grant)) }
}

/** The roles that somebody shall hold; what is held by mapping rules alone is not given (contract privx §5, §7.2). */
export function parseHeldRoles(body: unknown): WantedRole[] {
  return wantedOf(readBodyList(body, parseHeldRole))
}

/** The same where they are a member of a body. */
export function parseRolesOf(members: Members): WantedRole[] {
  return wantedOf(members.list('roles', parseHeldRole))
}

type HeldRole = Pick<WantedRole, 'id' | 'terms'> & { readonly isImplicit: boolean }

function parseHeldRole(members: Members): HeldRole {
  const id = members.id('id')
  if (id === null) members.complain('id', 'is needed')
  return {
    id: id ?? unknownId,
    terms: wantedTerms(members),
    // Whoever says only that it is implicit does not ask for a grant.
    isImplicit: members.raw('explicit') === false && members.raw('implicit') === true,
  }
}

function wantedOf(roles: readonly HeldRole[]): WantedRole[] {
  return roles.flatMap(({ id, terms, isImplicit }, place) => (isImplicit ? [] : [{ id, terms, place }]))
}

/** Who says nothing of terms leaves them as they are; without a type they are those of a role for good (contract privx §4.4). */
function wantedTerms(members: Members): GrantTerms | null {
  const terms = parseTerms(members)
  return Object.keys(terms).length === 0 ? null : { kind: 'permanent', ...terms }
}

/** `{"name": [...]}` of the Go client, or whatever a Python caller makes of it. @throws AppError INVALID_MEMBER */
export function parseRoleSearch(body: unknown): RoleFilter {
  if (body === undefined || body === null) return { names: null, keywords: null }
  return readBody(body, (members) => {
    const name = members.raw('name')
    const names = typeof name === 'string' ? [name] : members.texts('name')
    const keywords = members.text('keywords')
    return { names: names.length === 0 ? null : names, keywords: keywords === '' ? null : keywords }
  })
}

const maxNames = 1000

/** A JSON array of names. @throws AppError MALFORMED_REQUEST */
export function parseRoleNames(body: unknown): string[] {
  const isList = Array.isArray(body) && body.length <= maxNames && body.every((name) => typeof name === 'string')
  if (!isList) throw new AppError('MALFORMED_REQUEST', `The body must be an array of up to ${maxNames} names.`)
  return body
}
