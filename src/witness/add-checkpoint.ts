import { decodeBase64 } from '../proof/base64.ts'
import { parseCheckpoint, parseSize, type Checkpoint } from '../proof/checkpoint.ts'
import { emptyRoot, verifyConsistency } from '../proof/merkle.ts'
import { NoteError, noteText, openNote, signatureLine, type NoteSigner, type VerifierKey } from '../proof/note.ts'
import type { Head, WitnessState } from './state.ts'

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

  constructor(status: Refusal['status'], message: string, size: number | null = null) {
    super(message)
    this.status = status
    this.size = size
  }
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
  const { origin, size, root } = checkpoint
  const keys = logs.get(origin)
  if (keys === undefined) throw new Refusal(404, 'This witness does not know the log.')
  const { body, verified } = opened(note, keys)
  if (oldSize > size) throw new Refusal(400, 'The old size is larger than the checkpoint.')
  let line = ''
  state.advance(origin, (latest) => {
    if (oldSize !== latest.size) throw new Refusal(409, 'The old size is not that of the last checkpoint.', latest.size)
    requireConsistent(latest, checkpoint, proof)
    line = signatureLine(signer, body)
    const lines = [...verified.map((signature) => signature.line), line]
    return { size, root, note: `${body}\n${lines.map((one) => `${one}\n`).join('')}` }
  })
  return line
}

function requireConsistent(latest: Head, { size, root }: Checkpoint, path: readonly Buffer[]): void {
  if (size === 0 && !emptyRoot.every((byte, index) => byte === root[index])) {
    throw new Refusal(422, 'The root is not that of the empty tree.')
  }
  if (!verifyConsistency({ from: latest.size, to: size, fromRoot: latest.root, toRoot: root, path })) {
    throw new Refusal(422, 'The tree does not contain the one that was cosigned before.')
  }
}

function opened(note: string, keys: readonly VerifierKey[]) {
  try {
    return openNote(note, keys)
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
    return { oldSize, proof, note, checkpoint: parseCheckpoint(noteText(note)) }
  } catch (error) {
    if (error instanceof NoteError) throw new Refusal(400, error.message)
    throw error
  }
}
