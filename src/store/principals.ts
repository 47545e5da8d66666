import { statement } from './statement.ts'
import type { Db } from './open.ts'
import type { PrincipalKind, ScopeType } from './schema.ts'

export interface RoleBinding {
  readonly roleName: string
  readonly scopeType: ScopeType
  /** Empty for the organization; a template scope holds the template's name. */
  readonly scopeId: string
}

export interface ActorRow {
  kind: PrincipalKind
  person_id: string | null
  name: string
  email: string | null
  disabled_at: Date | null
  /** Sign-ins that ended while access tokens of theirs may live. */
  ended_sessions: string[]
  row_version: string
  is_admin: boolean
  /** As `splitBindings` reads them. */
  bindings: string
}

// Control characters that no name may hold.
const fieldEnd = '\u001f'
const bindingEnd = '\u001e'

/** SQL for the role bindings of principal `alias` as one text, to be read by `splitBindings`. */
export const bindingsText = (alias: string): string => `array_to_string(array(
      select b.role_name || '${fieldEnd}' || b.scope_type || '${fieldEnd}' || b.scope_id
      from role_bindings b where b.org_id = ${alias}.org_id and b.principal_id = ${alias}.id), '${bindingEnd}')`

export function splitBindings(text: string): RoleBinding[] {
  if (text === '') return []
  return text.split(bindingEnd).map((binding) => {
    const [roleName = '', scopeType = '', scopeId = ''] = binding.split(fieldEnd)
    return { roleName, scopeType: scopeType as ScopeType, scopeId }
  })
}

const actorStatement = statement<ActorRow>(`
  select a.kind, a.person_id, a.name, a.email, a.disabled_at, a.ended_sessions, a.row_version,
    exists (select 1 from organization_admins o where o.org_id = a.org_id and o.principal_id = a.id) as is_admin,
    ${bindingsText('a')} as bindings
  from principals a where a.org_id = $1 and a.id = $2`)

export async function findActorRow(db: Db, orgId: string, principalId: string): Promise<ActorRow | undefined> {
  return (await actorStatement(db, [orgId, principalId]))[0]
}
