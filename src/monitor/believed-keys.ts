import { overlapMilliseconds } from '../audit/log-key.ts'
import { parseCheckpoint, type Checkpoint } from '../proof/checkpoint.ts'
import { NoteError, noteText, openNote, type VerifierKey } from '../proof/note.ts'

/** A key that is believed to sign checkpoints, with what the monitor itself has seen of it. */
export interface BelievedKey {
  readonly key: VerifierKey
  /** Size of the first checkpoint that carries its signature; null before there is one. */
  readonly since: number | null
  /** From then on it does not vouch alone for checkpoints that were not seen before; null while it is the newest. */
  readonly until: Date | null
}

/** What the checkpoints of one log are believed by. */
export class BelievedKeys {
  #keys: readonly BelievedKey[]
  readonly #offered: readonly VerifierKey[]
  readonly #isComplete: boolean
  readonly #seenSize: number
  readonly #now: Date
  /** Those that have signed the newest checkpoint. */
  #newest: ReadonlySet<VerifierKey> = new Set()

  /**
   * @param offered those that are believed once they have signed beside one that is
   * @param isComplete no other key of the server's is left
   * @param seenSize of the log when it was seen; larger checkpoints are new
   * @param now by the monitor's own clock: what the store says of times is its administrator's to edit
   */
  constructor(
    keys: readonly BelievedKey[],
    offered: readonly VerifierKey[],
    { isComplete, seenSize, now }: { readonly isComplete: boolean; readonly seenSize: number; readonly now: Date },
  ) {
    this.#keys = keys
    this.#offered = offered
    this.#isComplete = isComplete
    this.#seenSize = seenSize
    this.#now = now
  }

  /**
   * What a note says, if a key that may vouch for it has signed it. Of the offered keys those that have too are believed from then
   * on: after a rotation both sign for a while.
   * @param size of the checkpoint as it is stored: a new one needs a key that is not over
   * @returns null when none has
   */
  open(note: string, size: number): Checkpoint | null {
    const isNew = size > this.#seenSize
    const candidates = isNew ? this.#candidates() : []
    const signers = signersOf(note, [...this.#keys, ...candidates])
    const mayVouch = (one: BelievedKey) => !isNew || one.until === null || this.#now < one.until
    if (!signers.some((one) => this.#keys.includes(one) && mayVouch(one))) return null
    if (this.#isComplete && this.#hasForeignLine(note)) return null
    const checkpoint = checkpointIn(note)
    if (checkpoint === null) return null
    const adopted = candidates.filter((one) => signers.includes(one))
    this.#keys = [...this.#keys, ...adopted].map((one) =>
      one.since === null && signers.includes(one) ? { ...one, since: size } : one,
    )
    this.#newest = new Set(signers.map(({ key }) => key))
    return checkpoint
  }

  /** Cosignatures are kept apart: a stored checkpoint has lines of the log's own keys alone. */
  #hasForeignLine(note: string): boolean {
    const keys = [...this.#keys.map(({ key }) => key), ...this.#offered]
    return openNote(note, keys).unknown.length > 0
  }

  #candidates(): readonly BelievedKey[] {
    const news = this.#offered.filter((offered) => !this.#keys.some(({ key }) => isSameKey(key, offered)))
    return news.map((key) => ({ key, since: null, until: null }))
  }

  /**
   * All of them with what is known by now. A key is over when another has signed the newest checkpoint without it; or, once one has
   * come after it, as long after as servers let both sign.
   */
  known(): readonly BelievedKey[] {
    const latest = Math.max(-1, ...this.#keys.map(({ key, since }) => (this.#newest.has(key) ? (since ?? -1) : -1)))
    return this.#keys.map((one) => {
      if (one.until !== null || one.since === null || this.#newest.size === 0) return one
      if (!this.#newest.has(one.key)) return { ...one, until: this.#now }
      if (one.since >= latest) return one
      return { ...one, until: new Date(this.#now.getTime() + overlapMilliseconds) }
    })
  }
}

/** The checkpoint that one of the keys has signed; null when none has. */
export function signedIn(note: string, keys: readonly VerifierKey[]): Checkpoint | null {
  return opened(note, keys).length === 0 ? null : checkpointIn(note)
}

function signersOf(note: string, keys: readonly BelievedKey[]): readonly BelievedKey[] {
  const ids = opened(
    note,
    keys.map(({ key }) => key),
  )
  return keys.filter(({ key }) => ids.some((id) => id.equals(key.id)))
}

/** Ids of those of the keys that have signed. A wrong signature of one is none of any. */
function opened(note: string, keys: readonly VerifierKey[]): readonly Buffer[] {
  try {
    return openNote(note, keys).verified.map(({ id }) => id)
  } catch (error) {
    if (error instanceof NoteError) return []
    throw error
  }
}

function checkpointIn(note: string): Checkpoint | null {
  try {
    const checkpoint = parseCheckpoint(noteText(note))
    return checkpoint.extensions === undefined ? checkpoint : null
  } catch (error) {
    if (error instanceof NoteError) return null
    throw error
  }
}

export function isSameKey(a: VerifierKey, b: VerifierKey): boolean {
  return Buffer.compare(a.publicKey, b.publicKey) === 0
}
