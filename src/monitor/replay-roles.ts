import type { ToldLeaf } from './told-leaf.ts'
import { keyOf, type ToldTable } from './told-table.ts'

export interface ToldRoles {
  readonly role_bindings: ToldTable
  /** Whose roles on templates cannot be told any more, since the template's name was erased: principal and role. */
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
}

/** @param templatesIn names of the templates of a space, which go with it */
export function replayRoles(told: ToldRoles, leaf: ToldLeaf, templatesIn: (space: string) => readonly string[]): void {
  const { kind, subject, facts } = leaf
  switch (kind) {
    case 'space.created':
      return give(told, facts['holder'] as string, leaf)
    case 'group.created':
      return give(told, facts['member'] as string, leaf)
    case 'roles.assigned':
      return give(told, subject, leaf)
    case 'roles.removed':
      for (const { key } of bindingsOf(told, subject, leaf)) told.role_bindings.delete(key)
      return
    case 'space.deleted': {
      const names = new Set(templatesIn(subject))
      return take(told, (type, id) => (type === 'space' && id === subject) || (type === templateScope && names.has(id)))
    }
    case 'template.deleted': {
      const name = leaf.text('name')
      return take(told, (type, id) => type === templateScope && id === name)
    }
  }
}

const templateScope = 'workflow_template'

function give(told: ToldRoles, principal: string, leaf: ToldLeaf): void {
  for (const { key, scopeType, scopeId } of bindingsOf(told, principal, leaf)) {
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
): { key: string; scopeType: string; scopeId: string }[] {
  const roles = (leaf.facts['roles'] ?? []) as readonly RoleInLeaf[]
  return roles.flatMap(({ roleName, scopeType, scopeId }, index) => {
    const scope = scopeId ?? leaf.text(`roles[${index}].templateName`)
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
