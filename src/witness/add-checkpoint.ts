import { decodeBase64 } from '../proof/base64.ts'
import { parseCheckpoint, parseSize, type Checkpoint } from '../proof/checkpoint.ts'
import { emptyRoot, verifyConsistency } from '../proof/merkle.ts'
import {
  lenientForm,
  NoteError,
  noteText,
  openNote,
  signatureLine,
  type NoteSigner,
  type VerifierKey,
} from '../proof/note.ts'
import type { CosignedHead, Head, WitnessState } from './state.ts'

export interface Witness {
  readonly signer: NoteSigner
  readonly logs: ReadonlyMap<string, readonly VerifierKey[]>
  readonly state: WitnessState
}

/** Why a checkpoint is not cosigned, with the status that C2SP tlog-witness gives it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: 400 | 403 | 404 | 409 | 422
  /** With 409: the size of the tree that was cosigned last. */
  readonly size: number | null
  /** Signed by a log that we know, and not consistent: what an auditor wants to see. */
  readonly isEvidence: boolean

  constructor(status: Refusal['status'], message: string, { size = null, isEvidence = false }: RefusalDetails = {}) {
    super(message)
    this.status = status
    this.size = size
    this.isEvidence = isEvidence
  }
}

interface RefusalDetails {
  readonly size?: number | null
  readonly isEvidence?: boolean
}

interface Submission {
  readonly oldSize: number
  readonly proof: readonly Buffer[]
  readonly note: string
  readonly checkpoint: Checkpoint
}

const mostProofLines = 63

/**
 * Cosigns the checkpoint of a log whose tree contains the one that was cosigned before (C2SP tlog-witness, add-checkpoint).
 * What is returned is on disk.
 * @returns the cosignature's line, without its newline
 * @throws Refusal; Error when it cannot be kept
 */
export function addCheckpoint({ signer, logs, state }: Witness, text: string): string {
  const { oldSize, proof, note, checkpoint } = readSubmission(text)
  const { origin, size } = checkpoint
  const keys = logs.get(origin)
  if (keys === undefined) throw new Refusal(404, 'This witness does not know the log.')
  const { body, verified } = opened(note, keys)
  if (oldSize > size) throw new Refusal(400, 'The old size is larger than the checkpoint.')
  let line = ''
  state.advance(origin, (latest) => {
    const last: Head = latest ?? { size: 0, root: emptyRoot }
    if (oldSize !== last.size) {
      throw new Refusal(409, 'The old size is not that of the last checkpoint.', { size: last.size })
    }
    if (size === last.size) requireSame(last, latest, checkpoint, body)
    requireConsistent(last, checkpoint, proof)
    line = signatureLine(signer, body)
    const lines = [...verified.map((signature) => signature.line), line]
    return { size, root: checkpoint.root, note: `${body}\n${lines.map((one) => `${one}\n`).join('')}` }
  })
  return line
}

/**
 * Of one size there is one root (C2SP tlog-witness), and one text: lines that a log adds speak of its tree too, and two people
 * must not be shown different ones under our name.
 */
function requireSame(last: Head, latest: CosignedHead | null, { root }: Checkpoint, body: string): void {
  const { size } = last
  if (Buffer.compare(last.root, root) !== 0) {
    throw new Refusal(409, 'The tree is not the one of this size that was cosigned.', { size, isEvidence: true })
  }
  if (latest !== null && noteText(latest.note, lenientForm) !== body) {
    throw new Refusal(409, 'The text is not the one of this size that was cosigned.', { size, isEvidence: true })
  }
}

function requireConsistent({ size, root }: Head, checkpoint: Checkpoint, path: readonly Buffer[]): void {
  if (!verifyConsistency({ from: size, to: checkpoint.size, fromRoot: root, toRoot: checkpoint.root, path })) {
    throw new Refusal(422, 'The tree does not contain the one that was cosigned before.', { isEvidence: true })
  }
}

function opened(note: string, keys: readonly VerifierKey[]) {
  try {
    return openNote(note, keys, lenientForm)
  } catch (error) {
    if (error instanceof NoteError) throw new Refusal(error.kind === 'unsigned' ? 403 : 400, error.message)
    throw error
  }
}

// "old" line, proof lines, an empty line, the note.
function readSubmission(text: string): Submission {
  const end = text.indexOf('\n\n')
  const [first = '', ...lines] = text.slice(0, Math.max(0, end)).split('\n')
  const oldSize = first.startsWith('old ') ? parseSize(first.slice('old '.length)) : null
  if (oldSize === null) throw new Refusal(400, 'The body does not begin with the old size.')
  if (lines.length > mostProofLines) throw new Refusal(400, 'The proof is too long.')
  const proof = lines.map((line) => {
    const hash = decodeBase64(line)
    if (hash?.length !== 32) throw new Refusal(400, 'A line of the proof is no hash.')
    return hash
  })
  const note = text.slice(end + 2)
  try {
    return { oldSize, proof, note, checkpoint: parseCheckpoint(noteText(note, lenientForm)) }
  } catch (error) {
    if (error instanceof NoteError) throw new Refusal(400, error.message)
    throw error
  }
}
