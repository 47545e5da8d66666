import { parseCheckpoint } from '../proof/checkpoint.ts'
import { frontierAt, type Frontier } from '../proof/frontier.ts'
import { splitHashes } from '../proof/merkle.ts'
import { ed25519Type, NoteError, openNote, verifierKeyOf } from '../proof/note.ts'
import { findLastSealed, type LogHead } from '../store/log.ts'
import type { Tx } from '../store/open.ts'
import type { LogKey } from './log-key.ts'

/** The tables do not say of a log what this server has signed of it: going on from there would vouch for what somebody else wrote. */
export class ForeignHead extends Error {
  override readonly name = 'ForeignHead'
}

/** What a log goes on from. */
export interface OwnHead {
  readonly tree: Frontier
  /** The keys that signed its newest checkpoint, newest first. */
  readonly signers: readonly LogKey[]
}

/**
 * The tree to go on from, once the newest checkpoint says that the log itself signed just that.
 * @param head whose lock is held
 * @throws ForeignHead that says what is wrong, in one sentence
 */
export async function openOwnHead(tx: Tx, orgId: string, head: LogHead, keys: readonly LogKey[]): Promise<OwnHead> {
  const { note, note_size, last_index, first_index, last_id } = await findLastSealed(tx, orgId)
  const size = Number(head.size)
  const tree = treeOf(head, size)
  const entries = last_index === null ? 0 : Number(last_index) + 1
  if (entries !== size) throw new ForeignHead(`The log has ${entries} entries, and its head is one of ${size}.`)
  if (first_index !== null && BigInt(first_index) !== 0n)
    throw new ForeignHead(`Its entries begin with ${first_index}.`)
  // Leaves below the mark are looked at no more: one that is too high would hide those that come.
  if (BigInt(head.settled_leaf_id) > BigInt(last_id)) {
    throw new ForeignHead(
      `Its head has leaves settled up to ${head.settled_leaf_id}, and the last was given the id ${last_id}.`,
    )
  }
  if (note === null) {
    if (size > 0) throw new ForeignHead(`The log has a head of ${size} leaves, and no checkpoint.`)
    return { tree, signers: [] }
  }
  const { signers, ...signed } = signedBy(keys, head.origin, note)
  if (signed.origin !== head.origin) throw new ForeignHead('Its newest checkpoint is of another log.')
  if (signed.size !== Number(note_size) || signed.size !== size) {
    throw new ForeignHead(`Its newest checkpoint is of ${signed.size} leaves, and its head of ${size}.`)
  }
  if (Buffer.compare(signed.root, tree.root()) !== 0) {
    throw new ForeignHead('The subtrees in its head have another root than its newest checkpoint.')
  }
  return { tree, signers }
}

function treeOf({ frontier }: LogHead, size: number): Frontier {
  try {
    return frontierAt(size, splitHashes(frontier))
  } catch (cause) {
    throw new ForeignHead(`The subtrees in its head are not those of ${size} leaves.`, { cause })
  }
}

function signedBy(keys: readonly LogKey[], origin: string, note: string) {
  try {
    const verifiers = keys.map(({ privateKey }) => verifierKeyOf(origin, ed25519Type, privateKey))
    const { body, verified } = openNote(note, verifiers)
    const signers = keys.filter((_, place) => verified.some(({ id }) => id.equals(verifiers[place]?.id ?? Buffer.of())))
    return { ...parseCheckpoint(body), signers }
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause
    throw new ForeignHead(`Its newest checkpoint is not signed by the log: ${cause.message}`, { cause })
  }
}
