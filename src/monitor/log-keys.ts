import { AppError } from '../errors.ts'
import { ed25519Type, parseVerifierKey, verifierKeyText, type VerifierKey } from '../proof/note.ts'
import { isSameKey, type BelievedKey } from './believed-keys.ts'
import type { KeyRow } from './key-rows.ts'
import type { SeenKey } from './seen-log.ts'

/** Who may sign the checkpoints of one log. */
export interface TrustedKeys {
  /** Those that are believed. */
  readonly trusted: readonly BelievedKey[]
  /** Those of the store, which are believed once a checkpoint carries theirs beside a trusted signature. */
  readonly offered: readonly VerifierKey[]
  /** Nobody has vouched for the key: it is believed because it is the first that was seen. */
  readonly isFirstUse: boolean
  /** Every key of the store is known: what else signs a checkpoint of it is none of the server's. */
  readonly isComplete: boolean
}

/**
 * One key signs the logs of all organizations, each under the name of the log's origin: whichever name a given key has, it
 * speaks for every log.
 * @param pinned verifier keys that the operator vouches for. Keys that were seen are believed beside them, if one of these was seen too
 * @throws AppError CONFIGURATION_INVALID when no key is given, none was seen, and the store's cannot be read
 */
export function keysFor(
  rows: readonly KeyRow[],
  origin: string,
  pinned: readonly string[],
  seen: readonly SeenKey[],
): TrustedKeys {
  const stored = rows.flatMap(({ publicKey }) => (publicKey === null ? [] : [named(publicKey, origin)]))
  const isComplete = stored.length > 0 && stored.length === rows.length
  const known = seen.map((one) => believed(one, origin))
  const given = pinned.map((text) => {
    const key = named(parseVerifierKey(text).publicKey, origin)
    return known.find((one) => isSameKey(one.key, key)) ?? firstSeen(key)
  })
  const isSeen = given.length === 0 || given.some((one) => known.includes(one))
  const trusted = isSeen ? [...new Set([...known, ...given])] : given
  if (trusted.length > 0) {
    return { trusted, offered: [...known.map(({ key }) => key), ...stored], isFirstUse: false, isComplete }
  }
  if (stored.length === 0 && rows.length > 0) {
    throw new AppError(
      'CONFIGURATION_INVALID',
      'The log key is not known: give it with --key (GET /v1/log/key shows it), or set QUORATE_MASTER_KEY as the server has it.',
    )
  }
  return { trusted: stored.map(firstSeen), offered: [], isFirstUse: true, isComplete }
}

/** What is remembered of a key. @param rows where the store keeps keys by now */
export function seenKey(
  { key, since, until }: BelievedKey,
  rows: readonly KeyRow[],
  before: readonly SeenKey[],
): SeenKey {
  const verifierKey = verifierKeyText(key.name, key.type, key.publicKey)
  const row = rows.find(({ publicKey }) => publicKey !== null && Buffer.compare(publicKey, key.publicKey) === 0)
  // Where it was, though it be there no more.
  const known = before.find((one) => one.verifierKey === verifierKey)
  return { verifierKey, since, until: until?.toISOString() ?? null, row: row?.name ?? known?.row ?? null }
}

function believed({ verifierKey, since, until }: SeenKey, origin: string): BelievedKey {
  const key = named(parseVerifierKey(verifierKey).publicKey, origin)
  return { key, since, until: until === null ? null : new Date(until) }
}

function firstSeen(key: VerifierKey): BelievedKey {
  return { key, since: null, until: null }
}

function named(publicKey: Uint8Array, origin: string): VerifierKey {
  return parseVerifierKey(verifierKeyText(origin, ed25519Type, publicKey))
}
