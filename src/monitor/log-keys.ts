import { readLogKeys, signersOf } from '../audit/log-key.ts'
import type { Config } from '../config/config.ts'
import { AppError } from '../errors.ts'
import { ed25519Type, parseVerifierKey, verifierKeyText, type VerifierKey } from '../proof/note.ts'
import type { Tx } from '../store/open.ts'

/** Who may sign the checkpoints of one log. */
export interface TrustedKeys {
  /** Those that are believed. */
  readonly trusted: readonly VerifierKey[]
  /** Those of the store, which are believed once a checkpoint carries theirs beside a trusted signature. */
  readonly offered: readonly VerifierKey[]
  /** Nobody has vouched for the key: it is believed because it is the first that was seen. */
  readonly isFirstUse: boolean
}

/**
 * One key signs the logs of all organizations, each under the name of the log's origin: whichever name a given key has, it
 * speaks for every log.
 * @throws AppError CONFIGURATION_INVALID when no key is given, none was seen, and the store's cannot be read
 */
export async function keysFor(
  tx: Tx,
  config: Pick<Config, 'masterKeys'>,
  origin: string,
  pinned: readonly string[],
  seen: readonly string[],
): Promise<TrustedKeys> {
  const stored = await storedKeys(tx, config, origin)
  const named = (texts: readonly string[]) => texts.map((text) => renamed(parseVerifierKey(text), origin))
  const trusted = named(pinned.length > 0 ? pinned : seen)
  if (trusted.length > 0) return { trusted, offered: [...named(seen), ...(stored ?? [])], isFirstUse: false }
  if (stored === null) {
    throw new AppError(
      'CONFIGURATION_INVALID',
      'The log key is not known: give it with --key (GET /v1/log/key shows it), or set QUORATE_MASTER_KEY as the server has it.',
    )
  }
  return { trusted: stored, offered: [], isFirstUse: true }
}

export function keyText({ name, type, publicKey }: VerifierKey): string {
  return verifierKeyText(name, type, publicKey)
}

/** The public halves of the keys in the store; null when they are sealed under a master key that is not given. */
async function storedKeys(
  tx: Tx,
  { masterKeys }: Pick<Config, 'masterKeys'>,
  origin: string,
): Promise<readonly VerifierKey[] | null> {
  const isMade = await tx.selectFrom('server_secrets').select('name').where('name', '=', 'log-key').executeTakeFirst()
  // Whoever reads must not make one.
  if (isMade === undefined) return []
  try {
    // As of the beginning of time: those that sign no more have signed what is checked.
    const clock = { now: () => new Date(0) }
    const keys = await readLogKeys({ db: tx, config: { masterKeys }, clock })
    return signersOf(keys, origin, clock.now()).map((signer) => signer.key)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

function renamed(key: VerifierKey, origin: string): VerifierKey {
  return parseVerifierKey(verifierKeyText(origin, ed25519Type, key.publicKey))
}
