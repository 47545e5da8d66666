import type { Ctx } from '../context.ts'
import type { Hash } from '../proof/merkle.ts'
import { macOf } from '../config/mac-key.ts'

/** Whoever writes leaves, and whoever seals them. */
export type Marking = { readonly keys: Pick<Ctx['keys'], 'leafMark'> }

/**
 * Says that the server itself wrote a leaf: HMAC-SHA-256, under a secret of the server, over the leaf's hash (RFC 6962) and the 16 bytes
 * each of the organization and the subject that its row stands under. Whoever can write to the tables, and no more, can make none.
 */
export function markOf(ctx: Marking, orgId: string, subjectId: string, hash: Hash): Buffer {
  return markOver(ctx, Buffer.concat([hash, idBytes(orgId), idBytes(subjectId)]))
}

/** The same over those 64 bytes. */
export function markOver({ keys }: Marking, marked: Uint8Array): Buffer {
  return macOf(keys.leafMark, marked)
}

/** The bytes of a UUID. */
function idBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}
