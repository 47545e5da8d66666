import { createHash } from 'node:crypto'
import { actionsHmac } from '../approvals/actions-hmac.ts'
import { openActions } from '../approvals/actions.ts'
import { canonicalJson } from '../audit/leaf.ts'
import { secretHmac } from '../audit/leaf-hmac.ts'
import type { Config } from '../config/config.ts'
import { unseal, type HeldKeys, type KeyRing } from '../config/secrets.ts'
import { AppError } from '../errors.ts'
import { findDataKeys } from '../store/data-keys.ts'
import type { Tx } from '../store/open.ts'

/** What leaves say of secrets, told from the secrets: null of what no server has sealed. */
export interface KeptSecrets {
  digestOf(kept: string): string
  readonly digestOfSealed: (sealed: Uint8Array) => string | null
  /** Of what is no text. */
  readonly digestOfSealedBytes: (sealed: Uint8Array) => string | null
  /** SHA-256, in hex, of JSON in its canonical form. */
  readonly digestOfSealedJson: (sealed: Uint8Array) => string | null
  readonly digestOfActions: (sealed: Uint8Array) => string | null
  /** SHA-256, in hex, which an API client's secret is known by. */
  readonly hashOfSealed: (sealed: Uint8Array) => string | null
}

/** @returns null when the store's data keys are sealed under a master key that is not given, or cannot be read any more */
export async function readKeptSecrets(tx: Tx, { masterKeys }: Pick<Config, 'masterKeys'>): Promise<KeptSecrets | null> {
  const held = await heldKeys(tx, masterKeys)
  if (held === null) return null
  const keys = { atRest: { held } }
  return {
    digestOf: (kept) => secretHmac(held, kept),
    digestOfSealed: opening((sealed) => secretHmac(held, unseal(keys.atRest, sealed).toString())),
    digestOfSealedBytes: opening((sealed) => secretHmac(held, unseal(keys.atRest, sealed).toString('base64'))),
    digestOfSealedJson: opening((sealed) => {
      const json = canonicalJson(JSON.parse(unseal(keys.atRest, sealed).toString()))
      return createHash('sha256').update(json).digest('hex')
    }),
    digestOfActions: opening((sealed) => actionsHmac(held, openActions({ keys }, sealed))),
    hashOfSealed: opening((sealed) => createHash('sha256').update(unseal(keys.atRest, sealed)).digest('hex')),
  }
}

/** Whatever else stands there, no server has sealed it. */
function opening(open: (sealed: Uint8Array) => string): (sealed: Uint8Array) => string | null {
  return (sealed) => {
    try {
      return open(sealed)
    } catch {
      return null
    }
  }
}

async function heldKeys(tx: Tx, masterKeys: KeyRing | null): Promise<HeldKeys | null> {
  try {
    return await findDataKeys(tx, masterKeys, new Date(0))
  } catch (error) {
    // A time that is none has no place among the others.
    if (error instanceof AppError || error instanceof TypeError) return null
    throw error
  }
}
