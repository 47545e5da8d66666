import { markOf } from '../audit/leaf-mark.ts'
import { macKey, type MacKey } from '../config/mac-key.ts'
import type { Config } from '../config/config.ts'
import { AppError } from '../errors.ts'
import { leafHash } from '../proof/merkle.ts'
import type { Tx } from '../store/open.ts'
import { openServerSecret } from '../store/server-secrets.ts'

/** Whether the server itself wrote a leaf. */
export type IsOwnLeaf = (leaf: MarkedLeaf) => boolean

export interface MarkedLeaf {
  readonly org_id: string
  readonly subject_id: string
  readonly content: string
  readonly mark: Uint8Array | null
}

/** What tells the server's own leaves from others; null when the secret of their marks cannot be opened. */
export async function readLeafMarks(tx: Tx, { masterKeys }: Pick<Config, 'masterKeys'>): Promise<IsOwnLeaf | null> {
  const row = await tx.selectFrom('server_secrets').selectAll().where('name', '=', 'leaf-mark').executeTakeFirst()
  if (row === undefined) return null
  let leafMark: MacKey
  try {
    leafMark = macKey(openServerSecret(row, masterKeys))
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
  return ({ org_id, subject_id, content, mark }) => {
    const hash = leafHash(Buffer.from(content))
    return mark !== null && markOf({ keys: { leafMark } }, org_id, subject_id, hash).equals(mark)
  }
}
