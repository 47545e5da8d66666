import { logKeyNumber, publicHalfOf, storedLogKeys } from '../audit/log-key.ts'
import type { Config } from '../config/config.ts'
import { AppError } from '../errors.ts'
import type { Tx } from '../store/open.ts'
import { openServerSecret, type ServerSecret } from '../store/server-secrets.ts'

/** A log key as the store keeps it. */
export interface KeyRow {
  /** Of its row in server_secrets. */
  readonly name: string
  /** From 1 up; a later key has a larger one. */
  readonly number: number
  /** 32 bytes (RFC 8032); null when the secret cannot be opened. */
  readonly publicKey: Uint8Array | null
}

/** All of them, the oldest first. Whoever reads makes none. */
export async function readKeyRows(tx: Tx, { masterKeys }: Pick<Config, 'masterKeys'>): Promise<readonly KeyRow[]> {
  const rows = await storedLogKeys(tx)
  return rows.toReversed().map((row) => ({
    name: row.name,
    number: logKeyNumber(row.name),
    publicKey: publicKeyOf(row, masterKeys),
  }))
}

function publicKeyOf(row: ServerSecret, masterKeys: Config['masterKeys']): Uint8Array | null {
  try {
    return publicHalfOf(openServerSecret(row, masterKeys))
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}
