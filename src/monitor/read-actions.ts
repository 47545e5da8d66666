import { actionsHmac } from '../approvals/actions-hmac.ts'
import { openActions } from '../approvals/actions.ts'
import type { Config } from '../config/config.ts'
import type { HeldKeys, KeyRing } from '../config/secrets.ts'
import { AppError } from '../errors.ts'
import { findDataKeys } from '../store/data-keys.ts'
import type { Tx } from '../store/open.ts'
import type { ActionsDigest } from './comparable-policy.ts'

/** What tells of sealed actions; null when the store's data keys are sealed under a master key that is not given. */
export async function readActionsDigest(
  tx: Tx,
  { masterKeys }: Pick<Config, 'masterKeys'>,
): Promise<ActionsDigest | null> {
  const held = await heldKeys(tx, masterKeys)
  if (held === null) return null
  const keys = { atRest: { held } }
  return (sealed) => {
    try {
      return actionsHmac(held, openActions({ keys }, sealed))
    } catch {
      // Whatever else stands there, no server has sealed it.
      return null
    }
  }
}

async function heldKeys(tx: Tx, masterKeys: KeyRing | null): Promise<HeldKeys | null> {
  try {
    return await findDataKeys(tx, masterKeys, new Date(0))
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}
