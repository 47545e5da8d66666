import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { renderCheckpoint, type Checkpoint } from '../../src/proof/checkpoint.ts'
import { consistencyPath, leafHash, rootOf, type Hash } from '../../src/proof/merkle.ts'
import { ed25519Signer, signNote, verifierKeyText } from '../../src/proof/note.ts'

/** A log of whole leaves in memory, whose owner signs whatever suits them. */
export interface SmallLog {
  readonly origin: string
  /** As a witness is told it. */
  readonly verifierKey: string
  readonly size: number
  append(...leaves: readonly string[]): void
  root(size?: number): Hash
  /** The signed checkpoint of the first `size` leaves. */
  note(size?: number): string
  /** A checkpoint of whatever is said to be the root. */
  claim(checkpoint: Partial<Checkpoint>): string
  proof(from: number, to?: number): Promise<readonly Hash[]>
  /** A body for a witness: the checkpoint of `size`, proven from `from`. */
  submission(from: number, size?: number): Promise<string>
  /** Another history: the same leaves up to `at`, signed by the same key or another. */
  fork(at: number, privateKey?: KeyObject): SmallLog
}

export function smallLog(origin: string, leaves: readonly string[] = [], privateKey = newKey()): SmallLog {
  const held = [...leaves]
  const signer = ed25519Signer(origin, privateKey)
  const hashes = (size: number) => held.slice(0, size).map((leaf) => leafHash(Buffer.from(leaf)))
  const root = (size = held.length) => rootOf(hashes(size))
  const claim = (checkpoint: Partial<Checkpoint>) =>
    signNote(renderCheckpoint({ origin, size: held.length, root: root(), ...checkpoint }), [signer])
  const note = (size = held.length) => claim({ size, root: root(size) })
  const proof = async (from: number, to = held.length) => {
    const all = hashes(to)
    return await consistencyPath(
      (level, index) => rootOf(all.slice(index * 2 ** level, (index + 1) * 2 ** level)),
      from,
      to,
    )
  }
  return {
    origin,
    verifierKey: verifierKeyText(origin, signer.key.type, signer.key.publicKey),
    get size() {
      return held.length
    },
    append: (...more) => void held.push(...more),
    root,
    note,
    claim,
    proof,
    submission: async (from, size = held.length) => submissionOf(from, await proof(from, size), note(size)),
    fork: (at, other = privateKey) => smallLog(origin, held.slice(0, at), other),
  }
}

/** C2SP tlog-witness, add-checkpoint: the body, from parts that need not fit each other. */
export function submissionOf(from: number | string, proof: readonly Uint8Array[], note: string): string {
  const lines = [`old ${from}`, ...proof.map((hash) => Buffer.from(hash).toString('base64'))]
  return `${lines.join('\n')}\n\n${note}`
}

export function leavesOf(count: number, words = 'leaf'): string[] {
  return Array.from({ length: count }, (_, index) => `${words} ${index}`)
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey
}
