import type { Tx } from './open.ts'
import type { NewRow } from './schema.ts'
import { statement } from './statement.ts'

type NewLeaf = NewRow<'audit_leaves'>

export async function insertLeaf(tx: Tx, leaf: NewLeaf): Promise<void> {
  await tx.insertInto('audit_leaves').values(leaf).execute()
}

const manyStatement = statement(`
  insert into audit_leaves (org_id, kind, subject_id, content, mark, private, created_at)
  select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[], $6::jsonb[], $7::timestamptz[])`)

export async function insertLeaves(tx: Tx, leaves: readonly NewLeaf[]): Promise<void> {
  const column = <C extends keyof NewLeaf>(name: C) => leaves.map((leaf) => leaf[name])
  const names = ['org_id', 'kind', 'subject_id', 'content', 'mark', 'private', 'created_at'] as const
  await manyStatement(tx, names.map(column))
}
