import { parseCheckpoint, type Checkpoint } from '../proof/checkpoint.ts'
import { cosignatureTime } from '../proof/cosignature.ts'
import { leafHash, verifyInclusion } from '../proof/merkle.ts'
import { NoteError, openNote, type NoteSignature, type VerifierKey } from '../proof/note.ts'
import type { Statement } from '../proof/statement.ts'
import { failure, type Failure } from './failure.ts'
import { quoted, shownId } from './printed.ts'
import { leavesOf } from './read-receipt.ts'
import type { Trust } from './trust.ts'

export interface Cosigning {
  readonly witness: string
  /** Seconds since 1970. */
  readonly time: number
}

export interface TrustedLog {
  readonly checkpoint: Checkpoint
  readonly cosignings: readonly Cosigning[]
}

/** The checkpoint is signed by the log's key, and every witness given has cosigned (4). */
export function checkCheckpoint(statement: Statement, key: VerifierKey, trust: Trust): TrustedLog | Failure {
  try {
    return openCheckpoint(statement, key, trust)
  } catch (error) {
    if (error instanceof NoteError) return failure('bad-checkpoint', `The checkpoint: ${error.message}`)
    throw error
  }
}

function openCheckpoint({ predicate }: Statement, key: VerifierKey, trust: Trust): TrustedLog | Failure {
  const { organization, log } = predicate
  const note = openNote(log.checkpoint, [...trust.keys, ...trust.witnessKeys])
  const checkpoint = parseCheckpoint(note.body)
  if (checkpoint.extensions !== undefined) return failure('bad-checkpoint', 'The checkpoint has lines beyond its root.')
  if (checkpoint.origin !== log.origin || log.origin !== key.name) {
    return failure('bad-checkpoint', 'The checkpoint is not of the log whose key signed the receipt.')
  }
  if (!log.origin.endsWith(`/log/${organization}`)) {
    return failure(
      'bad-checkpoint',
      `The log ${quoted(log.origin)} is not that of the organization ${shownId(organization)}.`,
    )
  }
  const signatureOf = (one: VerifierKey) => note.verified.find((signature) => isOf(one, signature))
  if (signatureOf(key) === undefined) return failure('bad-checkpoint', 'The log has not signed the checkpoint.')
  const missing = trust.witnessKeys.find((witness) => signatureOf(witness) === undefined)
  if (missing !== undefined) return failure('witness-missing', `The witness ${missing.name} has not cosigned.`)
  const cosignings = trust.witnessKeys.map((witness) => ({
    witness: witness.name,
    time: cosignatureTime(signatureOf(witness) as NoteSignature),
  }))
  return { checkpoint, cosignings }
}

function isOf({ name, id }: VerifierKey, signature: NoteSignature): boolean {
  return signature.name === name && signature.id.equals(id)
}

/** Every leaf is in the tree of the checkpoint, each at a place of its own (5). */
export function checkInclusion(statement: Statement, { size, root }: Checkpoint): Failure | null {
  const seen = new Set<number>()
  for (const { leaf, path } of leavesOf(statement)) {
    const hash = leafHash(Buffer.from(leaf.content))
    const siblings = leaf.path.map((each) => Buffer.from(each, 'base64'))
    if (!verifyInclusion({ index: leaf.index, size, leaf: hash, path: siblings, root })) {
      return failure('not-in-log', `${path} is not entry ${leaf.index} of the log.`)
    }
    if (seen.has(leaf.index)) return failure('leaf-mismatch', `Entry ${leaf.index} of the log is there twice.`)
    seen.add(leaf.index)
  }
  return null
}
