import { sql } from 'kysely'
import type { Db } from './open.ts'
import type { RequestRow } from './requests.ts'
import type { GrantKind } from './schema-access.ts'
import type { PrincipalKind } from './schema.ts'

/** A request with the names of what it refers to, and what its approval does to a role. */
export type NamedRequestRow = RequestRow & {
  readonly policy_name: string
  readonly policy_version: number
  readonly requester_name: string
  readonly requester_kind: PrincipalKind
  readonly beneficiary_name: string | null
  /** All null of a request that is about no role, from here on. */
  readonly grant_operation: 'grant' | 'remove' | null
  readonly grant_group_id: string | null
  readonly grant_group_name: string | null
  /** Null of a removal too. */
  readonly grant_kind: GrantKind | null
  readonly grant_starts_at: Date | null
  readonly grant_ends_at: Date | null
  readonly grant_floating_hours: number | null
  readonly grant_revoked_at: Date | null
}

/** Oldest first; those that there are not are left out. */
export async function findNamedRequests(db: Db, orgId: string, ids: readonly string[]): Promise<NamedRequestRow[]> {
  const { rows } = await sql<NamedRequestRow>`
    select r.*, p.name as policy_name, p.version as policy_version,
      a.name as requester_name, a.kind as requester_kind, b.name as beneficiary_name,
      g.operation as grant_operation, g.group_id as grant_group_id, t.name as grant_group_name, g.kind as grant_kind,
      g.starts_at as grant_starts_at, g.ends_at as grant_ends_at, g.floating_hours as grant_floating_hours,
      g.revoked_at as grant_revoked_at
    from requests r
    join policies p on p.org_id = r.org_id and p.id = r.policy_id
    join principals a on a.org_id = r.org_id and a.id = r.requester_id
    left join principals b on b.org_id = r.org_id and b.id = r.beneficiary_id
    left join request_grants g on g.org_id = r.org_id and g.request_id = r.id
    left join groups t on t.org_id = r.org_id and t.id = g.group_id
    where r.org_id = ${orgId} and r.id = any (${[...ids]}::uuid[])
    order by r.created_at, r.id`.execute(db)
  return rows
}
