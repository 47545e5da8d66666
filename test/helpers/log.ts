import { createPublicKey } from 'node:crypto'
import { sql } from 'kysely'
import { insertLeaves } from '../../src/store/audit-leaves.ts'
import { markOf, type Marking } from '../../src/audit/leaf-mark.ts'
import { macKey } from '../../src/config/mac-key.ts'
import { readLogKeys, type LogKey } from '../../src/audit/log-key.ts'
import type { Ctx } from '../../src/context.ts'
import { parseCheckpoint, type Checkpoint } from '../../src/proof/checkpoint.ts'
import { leafHash, rootOf, type Hash } from '../../src/proof/merkle.ts'
import { ed25519Type, openNote, verifierKeyOf, type VerifierKey } from '../../src/proof/note.ts'
import type { Db, Tx } from '../../src/store/open.ts'
import { orgId } from './quorum.ts'

/** A leaf of the log, as the tables have it. */
export interface Entry {
  readonly index: number
  readonly leafId: number
  readonly hash: string
  readonly content: string
  readonly subjectId: string
}

/** The whole log, in order. */
export async function logOf(db: Db, organization: string = orgId): Promise<Entry[]> {
  const rows = await db
    .selectFrom('log_entries')
    .innerJoin('audit_leaves', (join) =>
      join.onRef('audit_leaves.org_id', '=', 'log_entries.org_id').onRef('audit_leaves.id', '=', 'log_entries.leaf_id'),
    )
    .select(['log_entries.index', 'leaf_id', 'hash', 'content', 'audit_leaves.subject_id'])
    .where('log_entries.org_id', '=', organization)
    .orderBy('log_entries.index')
    .execute()
  return rows.map(({ index, leaf_id, hash, content, subject_id }) => ({
    index: Number(index),
    leafId: Number(leaf_id),
    hash: Buffer.from(hash).toString('hex'),
    content,
    subjectId: subject_id,
  }))
}

/** Hashes of the leaves' contents, as one makes them who has the leaves alone. */
export function hashesOf(entries: readonly Pick<Entry, 'content'>[]): Hash[] {
  return entries.map(({ content }) => leafHash(Buffer.from(content)))
}

/** The key that a log of this origin is verified with: the newest of the store, unless another is given. */
export async function verifierOf(ctx: Ctx, origin: string, key?: LogKey): Promise<VerifierKey> {
  const [newest] = await readLogKeys(ctx)
  const { privateKey } = key ?? (newest as LogKey)
  return verifierKeyOf(origin, ed25519Type, privateKey)
}

export function publicKeyOf({ privateKey }: LogKey): string {
  return createPublicKey(privateKey).export({ format: 'jwk' }).x ?? ''
}

/** Every checkpoint of the log, its signature verified, oldest first. */
export async function checkpointsOf(ctx: Ctx, organization: string = orgId): Promise<Checkpoint[]> {
  const rows = await ctx.db
    .selectFrom('log_checkpoints')
    .select(['note', 'size', 'root'])
    .where('org_id', '=', organization)
    .orderBy('size')
    .execute()
  const keys = await readLogKeys(ctx)
  return await Promise.all(
    rows.map(async ({ note, size, root }) => {
      const checkpoint = parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1))
      const verifiers = await Promise.all(keys.map((key) => verifierOf(ctx, checkpoint.origin, key)))
      if (parseCheckpoint(openNote(note, verifiers).body).size !== Number(size)) throw new Error('another size')
      if (!Buffer.from(root).equals(checkpoint.root)) throw new Error('another root')
      return checkpoint
    }),
  )
}

/** What is wrong with a log that stands on its own: indexes, hashes, or checkpoints that are not of its tree. */
export async function faultsOfLog(ctx: Ctx, organization: string = orgId): Promise<string[]> {
  const entries = await logOf(ctx.db, organization)
  const hashes = hashesOf(entries)
  const faults = entries.flatMap(({ index, hash }, place) => [
    ...(index === place ? [] : [`index ${index} stands at ${place}`]),
    ...(hash === Buffer.from(hashes[place] as Hash).toString('hex') ? [] : [`entry ${index} has another hash`]),
  ])
  for (const { size, root } of await checkpointsOf(ctx, organization)) {
    const isOfTree = Buffer.compare(root, rootOf(hashes.slice(0, size))) === 0
    if (size > entries.length || !isOfTree) faults.push(`checkpoint ${size} is not of this tree`)
  }
  return faults
}

/** For leaves that are rendered without a store. */
export const anyMarking: Marking = { keys: { leafMark: macKey(Buffer.alloc(32)) } }

/** A leaf about nothing, as the server would write it. */
export function leafRow(ctx: Marking, content: string, subjectId: string = orgId, organization: string = orgId) {
  return {
    org_id: organization,
    kind: 'user.created',
    subject_id: subjectId,
    content,
    mark: markOf(ctx, organization, subjectId, leafHash(Buffer.from(content))),
    private: null,
    created_at: new Date('2026-11-21T12:00:00.000Z'),
  }
}

/** Appends leaves of these contents, as a change would. */
export async function addLeaves(ctx: Ctx, contents: readonly string[], db: Db = ctx.db): Promise<void> {
  const rows = contents.map((content) => leafRow(ctx, content))
  if (db.isTransaction) await insertLeaves(db as Tx, rows)
  else await db.transaction().execute((tx) => insertLeaves(tx, rows))
}

interface Filling {
  /** SQL of a leaf's content, by its number `n`. */
  readonly content: string
  readonly from: number
  readonly to: number
  readonly kind?: string
  /** SQL of a leaf's subject. */
  readonly subject?: string
}

/** Appends very many of them, made where they are kept. */
export async function fillLeaves(ctx: Ctx, filling: Filling): Promise<void> {
  const { content, from, to, kind = 'user.created', subject = `'${orgId}'::uuid` } = filling
  const { inner, outer } = ctx.keys.leafMark
  await sql`insert into audit_leaves (org_id, kind, subject_id, content, mark, created_at)
    select ${orgId}::uuid, ${kind}, subject, content,
      sha256(${outer}::bytea || sha256(${inner}::bytea ||
        sha256('\\x00'::bytea || convert_to(content, 'UTF8')) || uuid_send(${orgId}::uuid) || uuid_send(subject))),
      '2026-11-21T12:00:00Z'
    from (select ${sql.raw(subject)} as subject, ${sql.raw(content)} as content
      from generate_series(${from}::integer, ${to}::integer) n order by n) made`.execute(ctx.db)
}
