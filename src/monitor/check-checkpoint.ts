import type { Checkpoint } from '../proof/checkpoint.ts'
import type { BelievedKeys } from './believed-keys.ts'
import type { Finder } from './finding.ts'
import { isSame } from './trees.ts'

export interface StoredCheckpoint {
  readonly size: number
  /** The size as the database writes it: JavaScript's numbers end at 2^53. */
  readonly row: string
  readonly root: Uint8Array
  readonly note: string
  readonly created_at: Date
}

/**
 * Whether a stored checkpoint is signed and says what its columns say.
 * @returns what was signed; null when it was not
 */
export function checkCheckpoint(
  find: Finder,
  { size, row, root, note }: StoredCheckpoint,
  origin: string,
  keys: BelievedKeys,
): Checkpoint | null {
  const signed = keys.open(note, size)
  if (signed === null) {
    const expected = `a signature of ${origin} by a key that is not over`
    find('log_checkpoints', row, 'edited', { column: 'note', expected, found: note })
    return null
  }
  const told = { origin, size, root }
  for (const column of ['origin', 'size', 'root'] as const) {
    const [expected, found] = [signed[column], told[column]]
    const isRight = column === 'root' ? isSame(signed.root, root) : expected === found
    if (!isRight) find('log_checkpoints', row, 'edited', { column, expected, found })
  }
  return signed.origin === origin && signed.size === size ? signed : null
}
