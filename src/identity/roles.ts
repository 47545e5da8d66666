import type { ScopeType } from '../store/schema.ts'

/** What a role's permissions are about (contract §4.1). */
export type ResourceType = 'group' | 'space' | 'workflow_template' | 'audit'

export type Permission =
  | 'group:read'
  | 'group:write'
  | 'group:manage'
  | 'space:read'
  | 'space:manage'
  | 'workflow_template:read'
  | 'workflow_template:write'
  | 'workflow_template:instantiate'
  | 'workflow_template:vote'
  | 'workflow_template:workflow_read'
  | 'workflow_template:workflow_list'
  | 'workflow_template:workflow_cancel'
  | 'audit:read'

export interface Role {
  readonly name: string
  readonly resource: ResourceType
  /** Permission words on the resource, as the catalogue lists them. */
  readonly permissions: readonly string[]
  /** The scope that the role's name promises; other scopes of its resource type may be assigned as well. */
  readonly scope: ScopeType
}

const template = 'workflow_template'

// Base name, resource, permissions (contract §4.2, in the order of the catalogue).
const bases: readonly (readonly [name: string, resource: ResourceType, permissions: readonly string[]])[] = [
  ['GroupReadOnly', 'group', ['read']],
  ['GroupWrite', 'group', ['read', 'write']],
  ['GroupManager', 'group', ['read', 'write', 'manage']],
  ['SpaceReadOnly', 'space', ['read']],
  ['SpaceManager', 'space', ['read', 'manage']],
  ['WorkflowTemplateReadOnly', template, ['read']],
  ['WorkflowTemplateWrite', template, ['read', 'write']],
  ['WorkflowTemplateInstantiator', template, ['read', 'instantiate']],
  ['WorkflowTemplateVoter', template, ['read', 'vote']],
  ['WorkflowTemplateFullAccess', template, ['read', 'write', 'instantiate', 'vote']],
  ['WorkflowReadOnly', template, ['workflow_read']],
  ['WorkflowList', template, ['workflow_read', 'workflow_list']],
  ['WorkflowCancel', template, ['workflow_read', 'workflow_cancel']],
  ['WorkflowFullAccess', template, ['workflow_read', 'workflow_list', 'workflow_cancel']],
  ['AuditorViewer', 'audit', ['read']],
]

const namesOf: Record<ResourceType, readonly (readonly [prefix: string, scope: ScopeType])[]> = {
  group: [['', 'group']],
  space: [
    ['', 'space'],
    ['OrgWide', 'org'],
  ],
  workflow_template: [
    ['', 'workflow_template'],
    ['SpaceWide', 'space'],
    ['OrgWide', 'org'],
  ],
  audit: [['', 'org']],
}

/** The 35 roles, in the order of `GET /roles`. */
export const roleCatalogue: readonly Role[] = bases.flatMap(([base, resource, permissions]) =>
  namesOf[resource].map(([prefix, scope]) => ({ name: prefix + base, resource, permissions, scope })),
)

const byName = new Map(roleCatalogue.map((role) => [role.name, role]))

export function findRole(name: string): Role | undefined {
  return byName.get(name)
}

/** Where a role may be assigned: by its resource type, not by the prefix of its name (contract §4.2). */
export const assignableScopes: Record<ResourceType, readonly ScopeType[]> = {
  group: ['group'],
  space: ['space', 'org'],
  workflow_template: ['workflow_template', 'space', 'org'],
  audit: ['org'],
}

/** Names of the roles that hold `permission`, for queries that must look for them. */
export function rolesHolding(permission: Permission): readonly string[] {
  return roleCatalogue.filter((role) => holds(role, permission)).map((role) => role.name)
}

/** The resource type is compared as well as the word: `read` on audit is not `read` on a space (contract §4.1). */
export function holds(role: Role, permission: Permission): boolean {
  return role.permissions.some((word) => `${role.resource}:${word}` === permission)
}
