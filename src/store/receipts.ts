import type { Db } from './open.ts'
import { statement } from './statement.ts'

/** A sealed leaf, with the texts that it commits to as far as they were not erased. */
export interface SealedLeaf {
  readonly subject_id: string
  readonly index: string
  readonly kind: string
  readonly content: string
  readonly private: Readonly<Record<string, { readonly salt: string; readonly text: string } | undefined>> | null
}

const columns = `e.subject_id, e.index, l.kind, l.content, l.private`

const ofSubject = statement<SealedLeaf>(`
  select ${columns} from log_entries e join audit_leaves l on l.org_id = e.org_id and l.id = e.leaf_id
  where e.org_id = $1 and e.subject_id = $2 order by e.index`)

/** Everything that the log has about a subject, in its order. */
export async function findSealedLeaves(db: Db, orgId: string, subjectId: string): Promise<SealedLeaf[]> {
  return await ofSubject(db, [orgId, subjectId])
}

const firstOfSubjects = statement<SealedLeaf>(`
  select ${columns} from unnest($2::uuid[]) s (id)
  cross join lateral (
    select * from log_entries e where e.org_id = $1 and e.subject_id = s.id order by e.index limit 1
  ) e
  join audit_leaves l on l.org_id = e.org_id and l.id = e.leaf_id`)

/** The first entry about each subject: that of its making. */
export async function findFirstSealedLeaves(
  db: Db,
  orgId: string,
  subjectIds: readonly string[],
): Promise<SealedLeaf[]> {
  return await firstOfSubjects(db, [orgId, subjectIds])
}

/** What stands beside the leaf of a vote. */
export interface VoteExtras {
  readonly seq: number
  readonly signature: string | null
  /** What the voter's security key answered. */
  readonly evidence: object | null
  readonly reason: string | null
  readonly reason_salt: string | null
  /** SPKI PEM: the key that the voter has now. */
  readonly public_key: string | null
}

const extras = statement<VoteExtras>(`
  select v.seq, v.signature, v.evidence, v.reason, v.reason_salt, case when v.signature is null then null else a.public_key end as public_key
  from votes v join principals a on a.org_id = v.org_id and a.id = v.principal_id
  where v.org_id = $1 and v.request_id = $2
    and (v.signature is not null or v.evidence is not null or v.reason is not null)`)

export async function findVoteExtras(db: Db, orgId: string, requestId: string): Promise<VoteExtras[]> {
  return await extras(db, [orgId, requestId])
}

/** Hashes of a tile: subtrees of `256 ** level` leaves, up to 256 of them, from index `256 * tile` on. */
export interface Tile {
  readonly tile: string
  readonly hashes: Uint8Array
}

const entryTiles = statement<Tile>(`
  select t.tile, string_agg(e.hash, ''::bytea order by e.index) as hashes from unnest($2::bigint[]) t (tile)
  join log_entries e on e.org_id = $1 and e.index >= t.tile * 256 and e.index < t.tile * 256 + 256 group by t.tile`)

const nodeTiles = statement<Tile>(`
  select t.tile, string_agg(n.hash, ''::bytea order by n.index) as hashes from unnest($2::bigint[]) t (tile)
  join log_nodes n on n.org_id = $1 and n.level = $3::smallint
    and n.index >= t.tile * 256 and n.index < t.tile * 256 + 256 group by t.tile`)

export async function readTiles(db: Db, orgId: string, level: number, tiles: readonly number[]): Promise<Tile[]> {
  return level === 0 ? await entryTiles(db, [orgId, tiles]) : await nodeTiles(db, [orgId, tiles, level])
}
