import { sql } from 'kysely'
import { readLogKeys, signersOf } from '../../src/audit/log-key.ts'
import type { Ctx } from '../../src/context.ts'
import { renderCheckpoint } from '../../src/proof/checkpoint.ts'
import { frontierAt } from '../../src/proof/frontier.ts'
import { leafHash } from '../../src/proof/merkle.ts'
import { signNote, type NoteSigner } from '../../src/proof/note.ts'
import type { Tx } from '../../src/store/open.ts'
import type { Dice } from '../helpers/dice.ts'
import { orgId } from '../helpers/quorum.ts'
import type { Trick } from './tampering.ts'

/**
 * What whoever has the database and the server's key can do: another log, whole in itself, every checkpoint of it signed. Who
 * has seen the one before must say from where on it is another.
 */
export const rewrites: readonly Trick[] = [
  rewriting('edit', async (tx, leaves, dice) => {
    const at = dice.roll(leaves.length)
    const leaf = leaves[at] as Leaf
    const { content } = leaf
    const other = content.replace(/"at":"(\d{4})/, (_, year: string) => `"at":"${Number(year) - 1}`)
    await sql`update audit_leaves set content = ${other} where id = ${leaf.id}`.execute(tx)
    return { at, leaves: leaves.with(at, { ...leaf, content: other }) }
  }),
  rewriting('delete', async (tx, leaves, dice) => {
    const at = dice.roll(leaves.length)
    await sql`delete from audit_leaves where id = ${leaves[at]?.id}`.execute(tx)
    return { at, leaves: leaves.toSpliced(at, 1) }
  }),
  rewriting('insert', async (tx, leaves, dice) => {
    const at = dice.roll(leaves.length)
    const inserted = await insertLeafAt(tx, String(-1 - dice.roll(1_000_000)))
    return { at, leaves: leaves.toSpliced(at, 0, inserted) }
  }),
  rewriting('reorder', async (_, leaves, dice) => {
    const [a, b] = dice.shuffled([...leaves.keys()]) as [number, number]
    return { at: Math.min(a, b), leaves: leaves.with(a, leaves[b] as Leaf).with(b, leaves[a] as Leaf) }
  }),
  rewriting('truncate', async (tx, leaves, dice) => {
    const at = dice.roll(leaves.length)
    for (const { id } of leaves.slice(at)) await sql`delete from audit_leaves where id = ${id}`.execute(tx)
    return { at, leaves: leaves.slice(0, at) }
  }),
]

export interface Leaf {
  readonly id: string
  readonly content: string
}

type Rewrite = (
  tx: Tx,
  leaves: readonly Leaf[],
  dice: Dice,
) => Promise<{ readonly at: number; readonly leaves: readonly Leaf[] }>

function rewriting(what: string, change: Rewrite): Trick {
  return {
    name: `${what} leaves and sign the log anew`,
    needsMemory: true,
    async play(tx, dice, ctx) {
      const { at, leaves } = await change(tx, await leavesInOrder(tx), dice)
      await signAnew(
        tx,
        ctx,
        leaves,
        signersOf(await readLogKeys({ ...ctx, db: tx }), await originIn(tx), ctx.clock.now()),
      )
      return { what: `from ${at} on`, rows: [{ table: 'log_entries', row: String(at) }] }
    },
  }
}

/** The sealed leaves. */
export async function leavesInOrder(tx: Tx): Promise<readonly Leaf[]> {
  const { rows } = await sql<Leaf>`select l.id, l.content from log_entries e
    join audit_leaves l on l.org_id = e.org_id and l.id = e.leaf_id order by e.index`.execute(tx)
  return rows
}

/** A leaf that tells of nothing that any table holds. */
export async function insertLeafAt(tx: Tx, id: string): Promise<Leaf> {
  const content =
    '{"actor":{"kind":"system"},"at":"2026-11-21T12:00:00.000Z","facts":{},"kind":"user.signed-in","nonce":"AAAAAAAAAAAAAAAAAAAAAA",' +
    `"org":"${orgId}","subject":"${orgId}","v":1}`
  await sql`insert into audit_leaves (org_id, id, kind, subject_id, content, created_at)
    values (${orgId}, ${id}, 'user.signed-in', ${orgId}, ${content}, '2026-11-21T12:00:00.000Z')`.execute(tx)
  return { id, content }
}

export async function originIn(tx: Tx): Promise<string> {
  const { rows } = await sql<{ origin: string }>`select origin from log_heads`.execute(tx)
  return rows[0]?.origin ?? ''
}

/** Writes the log of these leaves, and every checkpoint of it, the last of all of them. */
export async function signAnew(
  tx: Tx,
  { clock }: Pick<Ctx, 'clock'>,
  leaves: readonly Leaf[],
  signers: readonly NoteSigner[],
): Promise<void> {
  const sizes = await sql<{ size: string }>`select size from log_checkpoints`.execute(tx)
  const origin = await originIn(tx)
  const ends = new Set([...sizes.rows.map(({ size }) => Number(size)), leaves.length])
  for (const table of ['log_entries', 'log_nodes', 'log_checkpoints'])
    await sql`delete from ${sql.table(table)}`.execute(tx)
  const tree = frontierAt(0, [])
  for (const [index, { id, content }] of leaves.entries()) {
    const hash = leafHash(Buffer.from(content))
    await sql`insert into log_entries
      select org_id, ${index}, id, ${hash}, subject_id from audit_leaves where org_id = ${orgId} and id = ${id}`.execute(
      tx,
    )
    const nodes: { level: number; index: number; hash: Uint8Array }[] = []
    tree.add(hash, (subtree, node) => {
      if (subtree.level > 0 && subtree.level % 8 === 0) nodes.push({ ...subtree, hash: node })
    })
    for (const node of nodes) {
      await sql`insert into log_nodes values (${orgId}, ${node.level / 8}, ${node.index}, ${node.hash})`.execute(tx)
    }
    if (!ends.has(tree.size)) continue
    const root = tree.root()
    const note = signNote(renderCheckpoint({ origin, size: tree.size, root }), signers)
    await sql`insert into log_checkpoints values (${orgId}, ${tree.size}, ${root}, ${note}, ${clock.now()})`.execute(tx)
  }
  await sql`update log_heads set size = ${tree.size}, frontier = ${Buffer.concat(tree.subtrees())},
    settled_leaf_id = coalesce((select max(leaf_id) from log_entries), 0)`.execute(tx)
}
