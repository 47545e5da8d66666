import type { Db } from './open.ts'
import { bindingsText, splitBindings, type RoleBinding } from './principals.ts'
import type { PrincipalKind } from './schema.ts'
import { statement } from './statement.ts'

export type ProfileRow = StoredProfile & { readonly bindings: RoleBinding[] }

interface StoredProfile {
  id: string
  kind: PrincipalKind
  name: string
  email: string | null
  public_key: string | null
  row_version: string
  created_at: Date
  is_admin: boolean
  groups: { groupId: string; groupName: string }[]
}

const profileText = (from: string) => `
  select a.id, a.kind, a.name, a.email, a.public_key, a.row_version, a.created_at,
    exists (select 1 from organization_admins o where o.org_id = a.org_id and o.principal_id = a.id) as is_admin,
    ${bindingsText('a')} as bindings,
    coalesce((select json_agg(json_build_object('groupId', g.id, 'groupName', g.name) order by m.added_at, g.id)
      from memberships m join groups g on g.org_id = m.org_id and g.id = m.group_id
      where m.org_id = a.org_id and m.principal_id = a.id and g.dialect = 'native'), '[]') as groups
  from ${from}`

const byId = statement<StoredProfile & { bindings: string }>(
  profileText('principals a where a.org_id = $1 and a.id = $2'),
)
const byEmail = statement<StoredProfile & { bindings: string }>(
  profileText(`people p join principals a on a.person_id = p.id and a.kind = 'human'
    where a.org_id = $1 and lower(p.email collate "C") = lower($2::text collate "C")`),
)
const byAgentName = statement<StoredProfile & { bindings: string }>(
  profileText(`principals a where a.org_id = $1 and a.kind = 'agent' and a.public_key is not null and a.name = $2`),
)

/** How one names a principal: by id, a person by e-mail address, an agent by name. */
export type ProfileKey = { readonly id: string } | { readonly email: string } | { readonly agentName: string }

/** A principal with roles and groups, in one query. */
export async function findProfile(db: Db, orgId: string, key: ProfileKey): Promise<ProfileRow | undefined> {
  const row = (await rowsOf(db, orgId, key))[0]
  return row === undefined ? undefined : { ...row, bindings: splitBindings(row.bindings) }
}

async function rowsOf(db: Db, orgId: string, key: ProfileKey) {
  if ('id' in key) return await byId(db, [orgId, key.id])
  if ('email' in key) return await byEmail(db, [orgId, key.email])
  return await byAgentName(db, [orgId, key.agentName])
}
