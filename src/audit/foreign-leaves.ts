import type { Ctx } from '../context.ts'
import { hashBytes } from '../proof/merkle.ts'
import type { SealedLeaves } from '../store/log.ts'
import { markOver, type Marking } from './leaf-mark.ts'

/** Leaves that the server did not write, or that are in the log already: thrown out of the transaction that would seal them. */
export class ForeignLeaves extends Error {
  override readonly name = 'ForeignLeaves'
  readonly ids: readonly string[]

  constructor(ids: readonly string[]) {
    super(`leaves that the server did not write: ${ids.join(', ')}`)
    this.ids = ids
  }
}

/** @throws ForeignLeaves that names each, when there are any */
export function requireOwnLeaves(ctx: Marking, { ids, marked, marks, repeated }: SealedLeaves): void {
  const copies = new Set(repeated)
  const seen = new Set<string>()
  const foreign = ids.filter((id, place) => {
    const hash = marked.toString('latin1', place * markedBytes, place * markedBytes + hashBytes)
    const isCopy = copies.has(id) || seen.has(hash)
    seen.add(hash)
    return isCopy || !markOver(ctx, part(marked, place, markedBytes)).equals(part(marks, place, markBytes))
  })
  if (foreign.length > 0) throw new ForeignLeaves(foreign)
}

/** HMAC-SHA-256, and what it is over: see `markOf`. */
const markBytes = 32
const markedBytes = hashBytes + 16 + 16

function part(bytes: Buffer, place: number, width: number): Buffer {
  return bytes.subarray(place * width, (place + 1) * width)
}

export type Refusing = Marking & Pick<Ctx, 'log' | 'metrics'> & { readonly store: Pick<Ctx['store'], 'sealingMemory'> }

/** Those that are known not to be sealed; what is settled is looked at no more. */
export function refusedLeaves(
  { store: { sealingMemory } }: Refusing,
  orgId: string,
  settled: string,
): readonly string[] {
  const known = sealingMemory.refused.get(orgId) ?? []
  const left = known.filter((id) => BigInt(id) > BigInt(settled))
  if (left.length < known.length) sealingMemory.refused.set(orgId, left)
  return left
}

/** Seals them no more, and tells of each once. */
export function refuseLeaves(ctx: Refusing, orgId: string, ids: readonly string[]): void {
  const { refused } = ctx.store.sealingMemory
  for (const leafId of ids) {
    ctx.log.error({ orgId, leafId }, 'a leaf that the server did not write is not sealed')
  }
  ctx.metrics.refusedLeaves.inc(ids.length)
  refused.set(orgId, [...(refused.get(orgId) ?? []), ...ids])
}
