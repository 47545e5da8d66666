import type { ToldLeaf } from './told-leaf.ts'
import { keyOf, type ToldTable } from './told-table.ts'

export interface ToldRoles {
  /** A role on a template stands under the template's first version, since its name may be erased. */
  readonly role_bindings: ToldTable
  /** Whose roles on templates cannot be told, since a leaf of old named the template by a text that is gone: principal and role. */
  readonly unknown: Set<string>
}

export function newRoles(): ToldRoles {
  return { role_bindings: new Map(), unknown: new Set() }
}

/** The role that a leaf tells of, as `rolesInLeaf` writes it. */
interface RoleInLeaf {
  readonly roleName: string
  readonly scopeType: string
  readonly scopeId?: string
  /** Any version of a template. */
  readonly template?: string | null
}

/** The templates that roles are on, each told by its first version. */
export interface KnownTemplates {
  /** Of any version. */
  firstOf(version: string): string
  in(space: string): readonly string[]
}

export function replayRoles(told: ToldRoles, leaf: ToldLeaf, templates: KnownTemplates): void {
  const { kind, subject, facts } = leaf
  switch (kind) {
    case 'space.created':
      return give(told, facts['holder'] as string, leaf, templates)
    case 'group.created':
      return give(told, facts['member'] as string, leaf, templates)
    case 'roles.assigned':
      return give(told, subject, leaf, templates)
    case 'roles.removed':
      for (const { key } of bindingsOf(told, subject, leaf, templates)) told.role_bindings.delete(key)
      return
    case 'space.deleted': {
      const gone = new Set(templates.in(subject))
      return take(told, (type, id) => (type === 'space' && id === subject) || (type === templateScope && gone.has(id)))
    }
    case 'template.deleted': {
      const gone = templates.firstOf(subject)
      return take(told, (type, id) => type === templateScope && id === gone)
    }
  }
}

export const templateScope = 'workflow_template'

function give(told: ToldRoles, principal: string, leaf: ToldLeaf, templates: KnownTemplates): void {
  for (const { key, scopeType, scopeId } of bindingsOf(told, principal, leaf, templates)) {
    told.role_bindings.set(key, { created_at: leaf.at, scopeType, scopeId })
  }
}

function take({ role_bindings }: ToldRoles, isMeant: (type: string, id: string) => boolean): void {
  for (const [key, { scopeType, scopeId }] of role_bindings) {
    if (isMeant(scopeType as string, scopeId as string)) role_bindings.delete(key)
  }
}

function bindingsOf(
  { unknown }: ToldRoles,
  principal: string,
  leaf: ToldLeaf,
  templates: KnownTemplates,
): { key: string; scopeType: string; scopeId: string }[] {
  const roles = (leaf.facts['roles'] ?? []) as readonly RoleInLeaf[]
  return roles.flatMap(({ roleName, scopeType, scopeId, template }, index) => {
    const named = scopeId ?? leaf.text(`roles[${index}].templateName`)
    const scope = typeof template === 'string' ? templates.firstOf(template) : named
    if (typeof scope === 'string') {
      return [{ key: bindingKey(principal, roleName, scopeType, scope), scopeType, scopeId: scope }]
    }
    unknown.add(keyOf(principal, roleName))
    return []
  })
}

/** The name of a template stands last: it may hold anything. */
export function bindingKey(principal: string, role: string, scopeType: string, scopeId: string): string {
  return keyOf(principal, role, scopeType, scopeId)
}

/** Whether nobody can say any more if the binding should be there. */
export function isUnknown({ unknown }: ToldRoles, principal: string, role: string, scopeType: string): boolean {
  return scopeType === templateScope && unknown.has(keyOf(principal, role))
}
