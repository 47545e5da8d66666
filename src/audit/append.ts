import type { Tx } from '../store/open.ts'
import { insertLeaf } from '../store/audit-leaves.ts'
import { renderLeaf, type Leaf } from './leaf.ts'

/** Appends a leaf in the transaction of the change it tells of: no leaf, no change (design §5). */
export async function appendLeaf(tx: Tx, leaf: Leaf): Promise<void> {
  const { content, private: privateText } = renderLeaf(leaf)
  await insertLeaf(tx, {
    org_id: leaf.orgId,
    kind: leaf.kind,
    subject_id: leaf.subjectId,
    content,
    private: privateText === null ? null : JSON.stringify(privateText),
    created_at: leaf.at,
  })
}
