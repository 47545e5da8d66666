import { askWitnesses } from '../audit/ask-witnesses.ts'
import { headOfSize, type SignedHead } from '../audit/checkpoint.ts'
import type { Ctx } from '../context.ts'
import { keyIdOf } from '../proof/note.ts'
import { findLatestCheckpoint } from '../store/log-reads.ts'

/**
 * A signed head of a tree that holds the entry `index`. Where witnesses are asked, one that enough of them have cosigned, for
 * which they are asked now; if they do not answer, the newest with what cosignatures it has. The newest key of the log is
 * among those that signed it.
 */
export async function headCovering(ctx: Ctx, orgId: string, index: number): Promise<SignedHead> {
  const size = (await cosignedSize(ctx, orgId, index)) ?? (await newestSize(ctx, orgId))
  const head = await headOfSize(ctx, orgId, size)
  if (head === null || head.size <= index) throw new Error(`no checkpoint covers entry ${index}`)
  return head
}

async function cosignedSize(ctx: Ctx, orgId: string, index: number): Promise<number | null> {
  const { asked, quorum } = ctx.config.witnesses
  if (asked.length === 0) return null
  const names = asked.map(({ key }) => keyIdOf(key))
  const find = async () => {
    const found = await findLatestCheckpoint(ctx.db, orgId, names, quorum)
    const size = Number(found?.size ?? 0)
    return size > index ? size : null
  }
  const found = await find()
  if (found !== null) return found
  await askWitnesses(ctx, orgId)
  return await find()
}

async function newestSize(ctx: Ctx, orgId: string): Promise<number> {
  return Number((await findLatestCheckpoint(ctx.db, orgId))?.size ?? 0)
}
