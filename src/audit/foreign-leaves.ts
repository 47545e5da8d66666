import type { Ctx } from '../context.ts'
import { splitHashes } from '../proof/merkle.ts'
import type { SealedLeaves } from '../store/log.ts'
import { markBytes, markOf, type Marking } from './leaf-mark.ts'

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
export function requireOwnLeaves(ctx: Marking, orgId: string, sealed: SealedLeaves): void {
  const repeated = new Set(sealed.repeated)
  const seen = new Set<string>()
  const hashes = splitHashes(sealed.hashes)
  const foreign = sealed.ids.filter((id, place) => {
    const hash = hashes[place] as Uint8Array
    const name = Buffer.from(hash).toString('latin1')
    const isCopy = repeated.has(id) || seen.has(name)
    seen.add(name)
    const subject = part(sealed.subjects, place, subjectBytes)
    return isCopy || !markOf(ctx, orgId, subject.toString('hex'), hash).equals(part(sealed.marks, place, markBytes))
  })
  if (foreign.length > 0) throw new ForeignLeaves(foreign)
}

const subjectBytes = 16

function part(bytes: Uint8Array, place: number, width: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + place * width, width)
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
