import { isSealedBy, readEnvelope, type Envelope } from '../proof/dsse.ts'
import { keyIdOf, type VerifierKey } from '../proof/note.ts'
import { failure, type Failure } from './failure.ts'
import { quoted } from './printed.ts'
import type { Trust } from './trust.ts'

/** More than a receipt of 10,000 signed votes in a tree of a million entries (docs/receipt.md, "The file"). */
export const mostBytes = 128 * 1024 * 1024

/** A file that is signed. */
export interface Sealed {
  readonly envelope: Envelope
  /** Who signed it: the log's key from here on. */
  readonly key: VerifierKey
}

/**
 * The file's form and its signature (docs/receipt.md, "What to check", 1 and 2). They come first, so that nothing is spent on
 * what a stranger wrote.
 */
export function openFile(text: string, trust: Trust): Sealed | Failure {
  if (Buffer.byteLength(text) > mostBytes) return failure('malformed', `The file has more than ${mostBytes} bytes.`)
  const envelope = readEnvelope(text)
  if (envelope === null) return failure('malformed', 'The file is not a receipt, to the byte.')
  const key = trust.keys.find((each) => keyIdOf(each) === envelope.keyId)
  if (key === undefined) {
    return failure('unknown-key', `It is signed by ${quoted(envelope.keyId)}, which is not a key given.`)
  }
  return isSealedBy(key, envelope)
    ? { envelope, key }
    : failure('bad-signature', `The signature is not that of ${quoted(envelope.keyId)}.`)
}
