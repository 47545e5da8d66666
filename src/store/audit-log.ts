import { sql, type RawBuilder } from 'kysely'
import type { Db } from './open.ts'
import type { PrincipalKind } from './schema.ts'

/** The kinds of leaves that the audit log shows; votes and the rest are told elsewhere. */
export type LoggedKind =
  | 'space.created'
  | 'space.deleted'
  | 'group.created'
  | 'memberships.added'
  | 'memberships.removed'
  | 'roles.assigned'
  | 'roles.removed'

/** A kind of leaf, and whose roles it is about where it is about roles. */
export interface LoggedType {
  readonly kind: LoggedKind
  readonly holder: PrincipalKind | ''
}

export interface LogFilter {
  /** Only leaves of one of these; null for all. */
  readonly types: readonly LoggedType[] | null
  /** Only leaves about one of these; null for all. */
  readonly targets: readonly (LoggedType & { readonly id: string })[] | null
  /** Only what one of these did; null for all. */
  readonly actors: readonly { readonly kind: PrincipalKind; readonly id: string }[] | null
}

export interface LogPlace {
  readonly at: Date
  readonly id: string
}

export interface LogRow {
  id: string
  kind: LoggedKind
  subject_id: string
  content: string
  private: Readonly<Record<string, { text: string } | undefined>> | null
  created_at: Date
}

// Word for word what the indexes say, or the planner would not know that they serve.
const isLogged = sql<boolean>`kind in ('space.created', 'space.deleted', 'group.created', 'memberships.added',
  'memberships.removed', 'roles.assigned', 'roles.removed')`
const actorId = sql<string>`(content::jsonb #>> '{actor,id}')`
const actorKind = sql<string>`(content::jsonb #>> '{actor,kind}')`
const holder = sql<string>`(case when kind in ('roles.assigned', 'roles.removed')
  then content::jsonb #>> '{facts,holder}' else '' end)`

/** Newest first, from `since` on and after `place`, at most `limit`. What nobody did, the server itself, is left out. */
export async function listLog(
  db: Db,
  orgId: string,
  filter: LogFilter,
  { since, place, limit }: { since: Date; place: LogPlace | null; limit: number },
): Promise<LogRow[]> {
  const { values, matches } = searchOf(filter)
  const isAfter = place === null ? all : sql`(created_at, id) < (${place.at}::timestamptz, ${place.id}::bigint)`
  // A page is read for each value of the filter, in the order of an index, and the pages are merged: to look for all values
  // at once, whatever is found would have to be sorted.
  const { rows } = await sql<LogRow>`
    select l.* from ${values} cross join lateral (
      select id, kind, subject_id, content, private, created_at from audit_leaves
      where org_id = ${orgId} and ${isLogged} and created_at >= ${since} and ${actorId} is not null
        and ${isAfter} and ${matches}
      order by created_at desc, id desc limit ${limit}
    ) l order by l.created_at desc, l.id desc limit ${limit}`.execute(db)
  return rows
}

interface Search {
  /** One row for each value to be looked for, as `v`. */
  readonly values: RawBuilder<unknown>
  /** Whether a leaf has the value `v`, and passes what else is asked. */
  readonly matches: RawBuilder<unknown>
}

const all = sql`true`

/** Targets are the narrowest, then actors, then types; what is not looked for by an index is checked on what is found. */
function searchOf({ types, targets, actors }: LogFilter): Search {
  if (targets !== null) {
    const wanted = targets.filter(
      ({ kind, holder: whose }) => types === null || includes(types, { kind, holder: whose }),
    )
    const columns = [textsOf(wanted, 'id'), textsOf(wanted, 'kind'), textsOf(wanted, 'holder')] as const
    return {
      values: sql`(select distinct id::uuid, kind, holder from unnest(${sql.join(columns)}) v (id, kind, holder)) v`,
      matches: sql`subject_id = v.id and kind = v.kind and ${holder} = v.holder and ${isBy(actors)}`,
    }
  }
  if (actors !== null) {
    const columns = [textsOf(actors, 'id'), textsOf(actors, 'kind')] as const
    return {
      values: sql`(select distinct id, kind from unnest(${sql.join(columns)}) v (id, kind)) v`,
      matches: sql`${actorId} = v.id and ${actorKind} = v.kind and ${isOfType(types)}`,
    }
  }
  if (types !== null) {
    const columns = [textsOf(types, 'kind'), textsOf(types, 'holder')] as const
    return {
      values: sql`(select distinct kind, holder from unnest(${sql.join(columns)}) v (kind, holder)) v`,
      matches: sql`kind = v.kind and ${holder} = v.holder`,
    }
  }
  return { values: sql`(select) v`, matches: all }
}

function includes(types: readonly LoggedType[], { kind, holder: whose }: LoggedType): boolean {
  return types.some((type) => type.kind === kind && type.holder === whose)
}

function textsOf<K extends string>(rows: readonly Readonly<Record<K, string>>[], column: K): RawBuilder<unknown> {
  return sql`${rows.map((row) => row[column])}::text[]`
}

// As single texts, which the planner cannot take for another table to begin with.
function isBy(actors: LogFilter['actors']): RawBuilder<unknown> {
  if (actors === null) return all
  return sql`${actorKind} || '/' || ${actorId} = any(${actors.map(({ kind, id }) => `${kind}/${id}`)}::text[])`
}

function isOfType(types: LogFilter['types']): RawBuilder<unknown> {
  if (types === null) return all
  return sql`kind || '/' || ${holder} = any(${types.map((type) => `${type.kind}/${type.holder}`)}::text[])`
}
