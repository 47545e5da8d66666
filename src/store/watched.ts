import type { Status } from '../kernel/request.ts'
import type { Db } from './open.ts'
import { statement } from './statement.ts'

/** What was last read of a request that somebody watches. */
export interface KnownRequest {
  readonly orgId: string
  readonly id: string
  /** Null when it has to be read whatever it is. */
  readonly status: Status | null
}

/** A request that is no longer as it was known; `status` and all behind it are null when it is gone. */
export type ChangedRequest = {
  /** Its place in what was asked for. */
  readonly place: number
} & (
  | { readonly status: Status; readonly is_final: boolean; readonly updated_at: Date; readonly expires_at: Date }
  | { readonly status: null }
)

// `limit 1` makes PostgreSQL look each of them up by its key, as it should: asked for thousands it would rather read and hash the
// whole table, however large that is.
const changedStatement = statement<ChangedRequest>(`
  select (w.n - 1)::int as place, r.status, r.is_final, r.updated_at, r.expires_at
  from unnest($1::uuid[], $2::uuid[], $3::text[]) with ordinality w (org_id, id, status, n)
  left join lateral (
    select r.status, r.is_final, r.updated_at, r.expires_at from requests r where r.org_id = w.org_id and r.id = w.id limit 1
  ) r on true
  where r.status is distinct from w.status`)

/** Of many requests those whose status is not the one that was known: one query however many they are. */
export async function findChangedRequests(db: Db, known: readonly KnownRequest[]): Promise<ChangedRequest[]> {
  return await changedStatement(db, [
    known.map(({ orgId }) => orgId),
    known.map(({ id }) => id),
    // No status is empty, so that whatever is there differs.
    known.map(({ status }) => status ?? ''),
  ])
}

/** What someone was let in with. */
export interface Credential {
  readonly orgId: string
  readonly principalId: string
  readonly sessionId: string | null
  readonly apiKeyId: string | null
}

const liveStatement = statement<{ place: number }>(`
  select (c.n - 1)::int as place
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) with ordinality c (org_id, principal_id, session_id, key_id, n)
  join lateral (
    select a.disabled_at, a.ended_sessions, a.dpop_required from principals a
    where a.org_id = c.org_id and a.id = c.principal_id limit 1
  ) a on true
  left join lateral (
    select k.revoked_at, k.expires_at from api_keys k where k.org_id = c.org_id and k.id = c.key_id limit 1
  ) k on true
  where a.disabled_at is null
    and (c.session_id is null or c.session_id <> all (a.ended_sessions))
    and (c.key_id is null or (k.revoked_at is null and k.expires_at > $5 and not a.dpop_required))`)

/** Which of many credentials are still good, by their places: one query however many they are. */
export async function findLiveCredentials(
  db: Db,
  credentials: readonly Credential[],
  now: Date,
): Promise<ReadonlySet<number>> {
  const rows = await liveStatement(db, [
    credentials.map(({ orgId }) => orgId),
    credentials.map(({ principalId }) => principalId),
    credentials.map(({ sessionId }) => sessionId),
    credentials.map(({ apiKeyId }) => apiKeyId),
    now,
  ])
  return new Set(rows.map(({ place }) => place))
}
