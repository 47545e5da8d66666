import { sql } from 'kysely'
import type { NamedGrantRow } from './grants.ts'
import { isInForce } from './memberships.ts'
import type { Db } from './open.ts'
import { containing } from './page.ts'
import type { PrincipalKind } from './schema.ts'

/** Whoever may hold roles: people however they sign in, agents and API clients, as long as they are not disabled. */
export interface AccessUserRow {
  id: string
  kind: PrincipalKind
  name: string
  email: string | null
  created_at: Date
  source: UserSource
  /** Of a local user. */
  username: string | null
  full_name: string | null
  attributes: Record<string, unknown> | null
  author_id: string | null
  updated_at: Date | null
  updated_by: string | null
}

/** Where somebody is known from. */
export type UserSource = 'local' | 'openid' | 'agent' | 'api-client'

export interface UserFilter {
  /** Only whose name, user name or e-mail address contains this; null for any. */
  readonly keywords: string | null
  readonly source: UserSource | null
  /** Only these; null for any. */
  readonly ids: readonly string[] | null
  /** Only a local user of this name, whatever its case; null for any. */
  readonly username: string | null
  /** Only who holds this role now; null for any. */
  readonly role: { readonly id: string; readonly now: Date } | null
}

export const everyUser: UserFilter = { keywords: null, source: null, ids: null, username: null, role: null }

const sourceOf = sql<UserSource>`case when u.principal_id is not null then 'local' when a.kind = 'human' then 'openid'
  when a.public_key is null then 'api-client' else 'agent' end`

const matching = (db: Db, orgId: string, { keywords, source, ids, username, role }: UserFilter) =>
  db
    .selectFrom('principals as a')
    .leftJoin('privx_users as u', (join) =>
      join.onRef('u.org_id', '=', 'a.org_id').onRef('u.principal_id', '=', 'a.id'),
    )
    .where('a.org_id', '=', orgId)
    .where('a.disabled_at', 'is', null)
    .$if(keywords !== null, (query) => {
      const pattern = containing(keywords ?? '')
      const columns = ['a.name', 'a.email', 'u.username', 'u.full_name'] as const
      return query.where((where) => where.or(columns.map((column) => where(column, 'ilike', pattern))))
    })
    .$if(source !== null, (query) => query.where(sourceOf, '=', source ?? 'local'))
    .$if(ids !== null, (query) => query.where('a.id', '=', sql<string>`any(${ids ?? []}::uuid[])`))
    .$if(username !== null, (query) => query.where(sql`lower(u.username)`, '=', sql`lower(${username}::text)`))
    .$if(role !== null, (query) =>
      query.where((where) =>
        where.exists(
          where
            .selectFrom('memberships as m')
            .select('m.group_id')
            .whereRef('m.org_id', '=', 'a.org_id')
            .whereRef('m.principal_id', '=', 'a.id')
            .where('m.group_id', '=', role?.id ?? '')
            .where(isInForce('m', role?.now ?? new Date(0))),
        ),
      ),
    )

export const userSortColumns = { id: 'a.id', name: 'a.name', created: 'a.created_at' } as const

export interface UserSlice {
  readonly offset: number
  readonly limit: number
  readonly sortKey: keyof typeof userSortColumns
  readonly isDescending: boolean
}

export async function listAccessUsers(
  db: Db,
  orgId: string,
  filter: UserFilter,
  slice: UserSlice,
): Promise<AccessUserRow[]> {
  const direction = slice.isDescending ? 'desc' : 'asc'
  return await matching(db, orgId, filter)
    .select(['a.id', 'a.kind', 'a.name', 'a.email', 'a.created_at', sourceOf.as('source')])
    .select(['u.username', 'u.full_name', 'u.attributes', 'u.author_id', 'u.updated_at', 'u.updated_by'])
    .orderBy(userSortColumns[slice.sortKey], direction)
    .orderBy('a.id', direction)
    .limit(slice.limit)
    .offset(slice.offset)
    .execute()
}

export async function countAccessUsers(db: Db, orgId: string, filter: UserFilter): Promise<number> {
  const { total } = await matching(db, orgId, filter)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

export async function findAccessUser(db: Db, orgId: string, id: string): Promise<AccessUserRow | undefined> {
  const only = { offset: 0, limit: 1, sortKey: 'id', isDescending: false } as const
  return (await listAccessUsers(db, orgId, { ...everyUser, ids: [id] }, only))[0]
}

/** A grant as it stands, with the name and the permissions of its role. */
export type HeldGrantRow = NamedGrantRow & { readonly permissions: string[] }

/** Grants that have not ended and are not over, of all these principals, by the name of the role; those to come among them. */
export async function findGrantsOf(
  db: Db,
  orgId: string,
  principalIds: readonly string[],
  now: Date,
): Promise<HeldGrantRow[]> {
  return await db
    .selectFrom('grants as g')
    .innerJoin('groups as r', (join) => join.onRef('r.org_id', '=', 'g.org_id').onRef('r.id', '=', 'g.group_id'))
    .selectAll('g')
    .select(['r.name as group_name', 'r.permissions'])
    .where('g.org_id', '=', orgId)
    .where('g.principal_id', '=', sql<string>`any(${principalIds}::uuid[])`)
    .where('g.ended_at', 'is', null)
    .where((where) => where.or([where('g.ends_at', 'is', null), where('g.ends_at', '>', now)]))
    .orderBy('r.name')
    .orderBy('g.id')
    .execute()
}
