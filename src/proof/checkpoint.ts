import { decodeBase64 } from './base64.ts'
import { NoteError } from './note.ts'

/** The head of a log: the text of a note (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** Which log. */
  readonly origin: string
  /** Entries. */
  readonly size: number
  /** Hash of the tree over them, 32 bytes. */
  readonly root: Uint8Array
  /** Lines that other logs may add; ours have none. */
  readonly extensions?: readonly string[]
}

/** The text to be signed. */
export function renderCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  return [origin, String(size), Buffer.from(root).toString('base64'), ...extensions].map((line) => `${line}\n`).join('')
}

/** Reads a note's text. @throws NoteError on a text that `renderCheckpoint` would not write */
export function parseCheckpoint(body: string): Checkpoint {
  const [origin = '', digits = '', encoded = '', ...extensions] = body.split('\n').slice(0, -1)
  const size = parseSize(digits)
  const root = decodeBase64(encoded)
  if (!body.endsWith('\n') || origin === '' || size === null || root?.length !== 32 || extensions.includes('')) {
    throw new NoteError('malformed', 'The text is no checkpoint.')
  }
  return { origin, size, root, ...(extensions.length > 0 && { extensions }) }
}

/** A number of entries as checkpoints write it, without leading zeros; null when it is none, or above 2^53 - 1. */
export function parseSize(digits: string): number | null {
  const size = Number(digits)
  return /^(0|[1-9]\d*)$/.test(digits) && Number.isSafeInteger(size) ? size : null
}
