import { insertLeaf, insertLeaves } from '../store/audit-leaves.ts'
import type { Tx } from '../store/open.ts'
import type { Marking } from './leaf-mark.ts'
import { renderLeaf, type Leaf } from './leaf.ts'

/** Appends a leaf in the transaction of the change it tells of: no leaf, no change (design §5). */
export async function appendLeaf(ctx: Marking, tx: Tx, leaf: Leaf): Promise<void> {
  await insertLeaf(tx, rowOf(ctx, leaf))
}

/** Appends the leaves of a change to many things at once. */
export async function appendLeaves(ctx: Marking, tx: Tx, leaves: readonly Leaf[]): Promise<void> {
  if (leaves.length === 0) return
  await insertLeaves(
    tx,
    leaves.map((leaf) => rowOf(ctx, leaf)),
  )
}

function rowOf(ctx: Marking, leaf: Leaf) {
  const { content, mark, private: privateText } = renderLeaf(ctx, leaf)
  return {
    org_id: leaf.orgId,
    kind: leaf.kind,
    subject_id: leaf.subjectId,
    content,
    mark,
    private: privateText === null ? null : JSON.stringify(privateText),
    created_at: leaf.at,
  }
}
