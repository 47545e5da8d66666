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

// Word for word what the partial indexes say, or the planner would not know that they hold every row asked for.
const isLogged = sql<boolean>`kind in ('space.created', 'space.deleted', 'group.created', 'memberships.added',
  'memberships.removed', 'roles.assigned', 'roles.removed')`
const actorId = sql<string>`content::jsonb #>> '{actor,id}'`
const actorKind = sql<string>`content::jsonb #>> '{actor,kind}'`
const holder = sql<string>`case when kind in ('roles.assigned', 'roles.removed')
  then content::jsonb #>> '{facts,holder}' else '' end`

/** Newest first, from `since` on and after `place`, at most `limit`. What nobody did, the server itself, is left out. */
export async function listLog(
  db: Db,
  orgId: string,
  { types, targets, actors }: LogFilter,
  { since, place, limit }: { since: Date; place: LogPlace | null; limit: number },
): Promise<LogRow[]> {
  const rows = await db
    .selectFrom('audit_leaves')
    .select(['id', 'kind', 'subject_id', 'content', 'private', 'created_at'])
    .where('org_id', '=', orgId)
    .where(isLogged)
    .where('created_at', '>=', since)
    .where(sql<boolean>`${actorId} is not null`)
    .$if(place !== null, (query) => query.where(isAfter(place as LogPlace)))
    .$if(types !== null, (query) => query.where(isOfType(types ?? [])))
    .$if(targets !== null, (query) => query.where(isAbout(targets ?? [])))
    .$if(actors !== null, (query) => query.where(isBy(actors ?? [])))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows as LogRow[]
}

function isAfter({ at, id }: LogPlace): RawBuilder<boolean> {
  return sql<boolean>`(created_at, id) < (${at}::timestamptz, ${id}::bigint)`
}

// Each condition first says what an index knows, then all of it.
function isOfType(types: readonly LoggedType[]): RawBuilder<boolean> {
  const kinds = types.map((type) => type.kind)
  const holders = types.map((type) => type.holder)
  return sql<boolean>`(kind = any(${kinds}::text[])
    and (kind, ${holder}) in (select * from unnest(${kinds}::text[], ${holders}::text[])))`
}

function isAbout(targets: NonNullable<LogFilter['targets']>): RawBuilder<boolean> {
  const ids = targets.map((target) => target.id)
  const kinds = targets.map((target) => target.kind)
  const holders = targets.map((target) => target.holder)
  return sql<boolean>`(subject_id = any(${ids}::uuid[]) and (subject_id, kind, ${holder}) in
    (select * from unnest(${ids}::uuid[], ${kinds}::text[], ${holders}::text[])))`
}

function isBy(actors: NonNullable<LogFilter['actors']>): RawBuilder<boolean> {
  const ids = actors.map((actor) => actor.id)
  const kinds = actors.map((actor) => actor.kind)
  return sql<boolean>`((${actorId}) = any(${ids}::text[])
    and (${actorId}, ${actorKind}) in (select * from unnest(${ids}::text[], ${kinds}::text[])))`
}
