import type { Leaf } from '../audit/leaf.ts'
import { AppError } from '../errors.ts'
import type { Db } from '../store/open.ts'
import type { RoleBinding } from '../store/principals.ts'
import { findTemplatePlaces, type TemplatePlace } from '../store/role-bindings.ts'
import type { PrincipalKind, ScopeType } from '../store/schema.ts'
import type { Actor } from './actor.ts'
import { isAllowed, requireHuman } from './authorize.ts'
import { assignableScopes, findRole } from './roles.ts'

/** What a caller asks to give or take: a template is named by its name or by the id of any of its versions. */
export interface RoleItem {
  readonly roleName: string
  readonly scope:
    | { readonly type: 'org' }
    | { readonly type: Exclude<ScopeType, 'org' | 'workflow_template'>; readonly id: string }
    | { readonly type: 'workflow_template'; readonly name: string }
    | { readonly type: 'workflow_template'; readonly id: string }
}

/** Whose roles: a user's or an agent's. The id is null where the caller wrote one that none can have. */
export interface RoleHolder {
  readonly kind: PrincipalKind
  readonly id: string | null
}

/** No one holds more (contract §4.3). */
export const maxRoles = 128

/** Templates by name: the id of the newest version, and the space, which decides who may give roles on it (contract §4.4). */
export type KnownTemplates = ReadonlyMap<string, Pick<TemplatePlace, 'id' | 'space_id'>>

export interface ResolvedRoles {
  readonly bindings: readonly RoleBinding[]
  readonly templates: KnownTemplates
}

/**
 * Turns items into role bindings, each once, by the rules of contract §4.2 and §4.3.
 * @throws AppError ROLE_UNKNOWN_ROLE_NAME, ROLE_ENTITY_TYPE_ROLE_RESTRICTION, ROLE_SCOPE_INCOMPATIBLE_WITH_TEMPLATE,
 * REFERENCED_WORKFLOW_TEMPLATE_NOT_FOUND
 */
export async function resolveRoles(
  db: Db,
  orgId: string,
  kind: PrincipalKind,
  items: readonly RoleItem[],
): Promise<ResolvedRoles> {
  for (const [index, item] of items.entries()) checkRole(kind, item, index)
  const places = await placesOf(db, orgId, items)
  const bindings = items.map((item, index) => bindingOf(item, places, index))
  return { bindings: [...byKey(bindings).values()], templates: byName(places) }
}

/** Bindings under a text that two of them share exactly when they are the same. */
export function byKey(bindings: readonly RoleBinding[]): ReadonlyMap<string, RoleBinding> {
  return new Map(
    bindings.map((binding) => [JSON.stringify([binding.roleName, binding.scopeType, binding.scopeId]), binding]),
  )
}

/** The templates that some bindings are about. */
export async function findTemplates(db: Db, orgId: string, bindings: readonly RoleBinding[]): Promise<KnownTemplates> {
  const names = bindings.filter(isOnTemplate).map((binding) => binding.scopeId)
  return names.length === 0 ? new Map() : byName(await findTemplatePlaces(db, orgId, names, []))
}

/**
 * Whoever gives or takes a role must manage what it is about (contract §4.4).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export function requireMayGrant(actor: Actor, bindings: readonly RoleBinding[], templates: KnownTemplates): void {
  requireHuman(actor)
  if (!bindings.every((binding) => mayGrant(actor, binding, templates))) {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'You do not manage what these roles are about.')
  }
}

/** Role bindings as a leaf tells them: a template by the id of a version, since its name may have to be erased some day. */
export function rolesInLeaf(
  holder: PrincipalKind,
  bindings: readonly RoleBinding[],
  templates: KnownTemplates,
): Pick<Leaf, 'facts' | 'privateText'> {
  const roles = bindings.map((binding) => {
    if (!isOnTemplate(binding)) return binding
    const { roleName, scopeType, scopeId } = binding
    return { roleName, scopeType, template: templates.get(scopeId)?.id ?? null }
  })
  const names = bindings.flatMap((binding, index) =>
    isOnTemplate(binding) ? [[`roles[${index}].templateName`, binding.scopeId]] : [],
  )
  return { facts: { holder, roles }, privateText: Object.fromEntries(names) as Record<string, string> }
}

function checkRole(kind: PrincipalKind, { roleName, scope }: RoleItem, index: number): void {
  const role = findRole(roleName)
  const at = `roles[${index}]`
  if (role === undefined) throw new AppError('ROLE_UNKNOWN_ROLE_NAME', undefined, { field: `${at}.roleName` })
  if (kind === 'agent' && role.resource !== 'workflow_template') {
    throw new AppError('ROLE_ENTITY_TYPE_ROLE_RESTRICTION', undefined, { field: `${at}.roleName` })
  }
  if (!assignableScopes[role.resource].includes(scope.type)) {
    throw new AppError('ROLE_SCOPE_INCOMPATIBLE_WITH_TEMPLATE', undefined, { field: `${at}.scope.type` })
  }
}

async function placesOf(db: Db, orgId: string, items: readonly RoleItem[]): Promise<readonly TemplatePlace[]> {
  const scopes = items.map((item) => item.scope).filter((scope) => scope.type === 'workflow_template')
  if (scopes.length === 0) return []
  const names = scopes.flatMap((scope) => ('name' in scope ? [scope.name] : []))
  const ids = scopes.flatMap((scope) => ('id' in scope ? [scope.id] : []))
  return await findTemplatePlaces(db, orgId, names, ids)
}

function bindingOf({ roleName, scope }: RoleItem, places: readonly TemplatePlace[], index: number): RoleBinding {
  if (scope.type === 'org') return { roleName, scopeType: 'org', scopeId: '' }
  if (scope.type !== 'workflow_template') return { roleName, scopeType: scope.type, scopeId: scope.id }
  const place = places.find((candidate) =>
    'name' in scope ? candidate.name === scope.name : candidate.id === scope.id,
  )
  if (place === undefined) {
    throw new AppError('REFERENCED_WORKFLOW_TEMPLATE_NOT_FOUND', undefined, { field: `roles[${index}].scope` })
  }
  return { roleName, scopeType: 'workflow_template', scopeId: place.name }
}

function mayGrant(actor: Actor, { scopeType, scopeId }: RoleBinding, templates: KnownTemplates): boolean {
  switch (scopeType) {
    case 'org':
      return actor.isAdmin
    case 'space':
      return isAllowed(actor, 'space:manage', { type: 'space', id: scopeId })
    case 'group':
      return isAllowed(actor, 'group:manage', { type: 'group', id: scopeId })
    case 'workflow_template':
      return isAllowed(actor, 'space:manage', { type: 'space', id: templates.get(scopeId)?.space_id ?? '' })
  }
}

function isOnTemplate(binding: RoleBinding): boolean {
  return binding.scopeType === 'workflow_template'
}

/** Of several versions the newest, which comes last. */
function byName(places: readonly TemplatePlace[]): KnownTemplates {
  return new Map(places.map((place) => [place.name, place]))
}
