import { Type } from 'typebox'
import { maxRoles, type RoleItem } from '../../../identity/role-request.ts'
import type { Role } from '../../../identity/roles.ts'
import type { Profile } from '../../../identity/find-profile.ts'
import { parseConcurrencyControl } from './concurrency.ts'
import { uuidOf } from './ids.ts'
import { asObject, refuse, type JsonObject } from './read.ts'
import { answers, concurrencyControlSchema, noBody, uuidSchema } from './schemas.ts'

export interface RoleOperation {
  readonly items: readonly RoleItem[]
  readonly version: string | null
}

/** Reads a RoleOperationRequest (contract §2.8). @throws AppError with the codes of §1.6 */
export function parseRoleOperation(value: unknown): RoleOperation {
  const body = asObject(value, 'MALFORMED_OBJECT')
  const roles = body['roles']
  if (roles === undefined) refuse('MISSING_ROLES', 'roles')
  if (!Array.isArray(roles) || roles.length === 0) refuse('INVALID_ROLES', 'roles')
  if (roles.length > maxRoles) refuse('ROLE_ASSIGNMENTS_EXCEED_MAXIMUM', 'roles')
  const items = roles.map((role: unknown, index) => parseItem(role, `roles[${index}]`))
  return { items, version: parseConcurrencyControl(body['concurrencyControl']) }
}

function parseItem(value: unknown, at: string): RoleItem {
  const { roleName, scope } = asObject(value, 'INVALID_ROLES', at)
  if (typeof roleName !== 'string') refuse('INVALID_ROLES', `${at}.roleName`)
  return { roleName, scope: parseScope(asObject(scope, 'INVALID_ROLES', `${at}.scope`), `${at}.scope`) }
}

function parseScope(scope: JsonObject, at: string): RoleItem['scope'] {
  const { type } = scope
  if (typeof type !== 'string') refuse('INVALID_ROLES', `${at}.type`)
  switch (type) {
    case 'org':
      return { type }
    case 'space':
      return { type, id: uuidIn(scope, 'spaceId', at) }
    case 'group':
      return { type, id: uuidIn(scope, 'groupId', at) }
    case 'workflow_template':
      return scope['templateName'] === undefined
        ? { type, id: uuidIn(scope, 'workflowTemplateId', at) }
        : { type, name: nameIn(scope, 'templateName', at) }
    default:
      return refuse('ROLE_INVALID_SCOPE', `${at}.type`)
  }
}

function uuidIn(scope: JsonObject, member: string, at: string): string {
  return uuidOf(scope[member]) ?? refuse('INVALID_ROLES', `${at}.${member}`)
}

function nameIn(scope: JsonObject, member: string, at: string): string {
  const name = scope[member]
  return typeof name === 'string' && name !== '' ? name : refuse('INVALID_ROLES', `${at}.${member}`)
}

/** Renders the roles that someone holds; the same roles always come in the same order. */
export function renderRoles(bindings: Profile['bindings']): object[] {
  const sorted = bindings.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  return sorted.map(({ roleName, scopeType, scopeId }) => ({ roleName, scope: renderScope(scopeType, scopeId) }))
}

type Binding = Profile['bindings'][number]

function sortKey({ roleName, scopeType, scopeId }: Binding): string {
  return [roleName, scopeType, scopeId].join('\0')
}

export function renderScope(type: Binding['scopeType'], id: string): object {
  switch (type) {
    case 'org':
      return { type }
    case 'space':
      return { type, spaceId: id }
    case 'group':
      return { type, groupId: id }
    case 'workflow_template':
      return { type, templateName: id }
  }
}

/** Renders one row of the catalogue (contract §4.2). */
export function renderRole({ name, permissions, scope }: Role): object {
  return { name, permissions, scope }
}

const scopeSchema = Type.Object({
  type: Type.Enum(['org', 'space', 'group', 'workflow_template']),
  spaceId: Type.Optional(uuidSchema),
  groupId: Type.Optional(uuidSchema),
  templateName: Type.Optional(Type.String()),
})

export const roleItemSchema = Type.Object({ roleName: Type.String(), scope: scopeSchema })

const requestedScope = Type.Union([
  Type.Object({ type: Type.Literal('org') }),
  Type.Object({ type: Type.Literal('space'), spaceId: uuidSchema }),
  Type.Object({ type: Type.Literal('group'), groupId: uuidSchema }),
  Type.Object({ type: Type.Literal('workflow_template'), templateName: Type.String() }),
  Type.Object({ type: Type.Literal('workflow_template'), workflowTemplateId: uuidSchema }),
])

const roleOperationSchema = Type.Object({
  roles: Type.Array(Type.Object({ roleName: Type.String(), scope: requestedScope }), {
    minItems: 1,
    maxItems: maxRoles,
  }),
  concurrencyControl: Type.Optional(concurrencyControlSchema),
})

/** The schema of a call that gives or takes roles. */
export function roleCallSchema(summary: string, tag: string): object {
  return { summary, tags: [tag, 'roles'], body: roleOperationSchema, response: answers({ 204: noBody }) }
}

export const listRolesSchema = {
  summary: 'The roles there are',
  tags: ['roles'],
  response: answers({
    200: Type.Object({
      roles: Type.Array(
        Type.Object({ name: Type.String(), permissions: Type.Array(Type.String()), scope: Type.String() }),
      ),
    }),
  }),
}
