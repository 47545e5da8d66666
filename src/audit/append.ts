import type { Tx } from '../store/open.ts'
import { insertLeaf, insertLeaves } from '../store/audit-leaves.ts'
import { renderLeaf, type Leaf } from './leaf.ts'

/** Appends a leaf in the transaction of the change it tells of: no leaf, no change (design §5). */
export async function appendLeaf(tx: Tx, leaf: Leaf): Promise<void> {
  await insertLeaf(tx, rowOf(leaf))
}

/** Appends the leaves of a change to many things at once. */
export async function appendLeaves(tx: Tx, leaves: readonly Leaf[]): Promise<void> {
  if (leaves.length > 0) await insertLeaves(tx, leaves.map(rowOf))
}

function rowOf(leaf: Leaf) {
  const { content, private: privateText } = renderLeaf(leaf)
  return {
    org_id: leaf.orgId,
    kind: leaf.kind,
    subject_id: leaf.subjectId,
    content,
    private: privateText === null ? null : JSON.stringify(privateText),
    created_at: leaf.at,
  }
}
