import { parseCheckpoint, type Checkpoint } from '../proof/checkpoint.ts'
import { NoteError, openNote, type VerifierKey } from '../proof/note.ts'
import type { Finder } from './finding.ts'
import { isSame } from './trees.ts'

export interface StoredCheckpoint {
  readonly size: number
  readonly root: Uint8Array
  readonly note: string
}

/**
 * Whether a stored checkpoint is signed and says what its columns say.
 * @param keys those that are believed; one of `offered` is added when it has signed beside one of them
 * @returns what was signed; null when it was not
 */
export function checkCheckpoint(
  find: Finder,
  { size, root, note }: StoredCheckpoint,
  origin: string,
  keys: VerifierKey[],
  offered: readonly VerifierKey[],
): Checkpoint | null {
  const signed = signedIn(note, keys)
  if (signed === null) {
    find('log_checkpoints', size, 'edited', { column: 'note', expected: `a signature of ${origin}`, found: note })
    return null
  }
  const told = { origin, size, root }
  for (const column of ['origin', 'size', 'root'] as const) {
    const [expected, found] = [signed[column], told[column]]
    const isRight = column === 'root' ? isSame(signed.root, root) : expected === found
    if (!isRight) find('log_checkpoints', size, 'edited', { column, expected, found })
  }
  adopt(note, keys, offered)
  return signed.origin === origin && signed.size === size ? signed : null
}

/** The checkpoint that one of the keys has signed; null when none has. */
export function signedIn(note: string, keys: readonly VerifierKey[]): Checkpoint | null {
  try {
    const checkpoint = parseCheckpoint(openNote(note, keys).body)
    return checkpoint.extensions === undefined ? checkpoint : null
  } catch (error) {
    if (error instanceof NoteError) return null
    throw error
  }
}

/** After a rotation both keys sign for a while: what the trusted one has signed vouches for the other. */
function adopt(note: string, keys: VerifierKey[], offered: readonly VerifierKey[]): void {
  for (const key of offered) {
    if (keys.some(({ id }) => id.equals(key.id))) continue
    if (signedIn(note, [key]) !== null) keys.push(key)
  }
}
