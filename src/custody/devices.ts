import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Attestation } from '../identity/webauthn/attestation.ts'
import { openRegistration, type Protocol } from '../identity/webauthn/challenges.ts'
import type { CreationOptions } from '../identity/webauthn/options.ts'
import { addSecurityKey, nameSecurityKey, removeSecurityKey } from '../identity/webauthn/security-keys.ts'
import { findCustodyUser } from '../store/fortanix-users.ts'
import { transact } from '../store/unit-of-work.ts'
import { requirePerson } from './account-rights.ts'
import type { CustodyCaller } from './caller.ts'
import { requireUnlockedDevices } from './sessions.ts'

/** What becomes of a person's security keys. */
export interface DeviceInput {
  readonly add: { readonly name: string; readonly attestation: Attestation } | null
  readonly renames: readonly { readonly from: string; readonly to: string }[]
  readonly removes: readonly string[]
}

/** Opens the registration of a security key in a session that is unlocked for it. @throws AppError DEVICES_LOCKED */
export async function openDeviceRegistration(
  ctx: Ctx,
  caller: CustodyCaller,
  protocol: Protocol,
): Promise<CreationOptions> {
  const personId = requirePerson(caller)
  const { id } = requireUnlockedDevices(ctx, caller)
  const { email } = (await findCustodyUser(ctx.db, personId)) ?? { email: null }
  return await openRegistration(ctx, { id: personId, name: email ?? personId }, id, protocol)
}

/**
 * Changes the caller's own security keys, in a session that is unlocked for it.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, DEVICES_LOCKED, SECURITY_KEY_REFUSED, SECURITY_KEY_NOT_FOUND,
 *   SECURITY_KEY_ALREADY_EXISTS
 */
export async function changeDevices(
  ctx: Ctx,
  caller: CustodyCaller,
  personId: string,
  { add, renames, removes }: DeviceInput,
): Promise<void> {
  if (add === null && renames.length === 0 && removes.length === 0) return
  if (requirePerson(caller) !== personId) throw new AppError('REQUESTOR_NOT_AUTHORIZED')
  const { id: sessionId } = requireUnlockedDevices(ctx, caller)
  if (add !== null) await addSecurityKey(ctx, { personId, sessionId }, add)
  await transact(ctx, null, async (tx) => {
    for (const { from, to } of renames) await nameSecurityKey(ctx, tx, personId, from, to)
    for (const name of removes) await removeSecurityKey(ctx, tx, personId, name)
  })
}
