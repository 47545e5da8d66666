import { createHash, timingSafeEqual } from 'node:crypto'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Caller } from './actor.ts'
import { isOwnName } from './oidc/development/own-name.ts'
import { defaultOrganization } from './organization.ts'

/**
 * What stands for the admin key where an id is needed: for who owns an Idempotency-Key and whose calls are counted. It names
 * no principal and never will, so whatever looks the caller up in the store (a vote does) finds nobody.
 */
export const adminKeyId = '00000000-0000-7000-8000-0000000000ad'

// A machine, so that what is reserved for people refuses it as it refuses an agent.
const adminKeyCaller: Caller = {
  orgId: defaultOrganization.id,
  principalId: adminKeyId,
  kind: 'agent',
  sessionId: null,
  stepUp: null,
  machine: { kind: 'admin-key' },
  once: null,
}

/**
 * The caller that `QUORATE_ADMIN_KEY` stands for; null when `presented` is another secret. Hashes are compared, in constant
 * time. The demo's published key counts only for who calls this machine by a name of its own: a web page whose name was
 * made to resolve here (DNS rebinding) knows the key too.
 */
export function recognizeAdminKey(
  { config: { adminKey }, publicUrl }: Pick<Ctx, 'config' | 'publicUrl'>,
  presented: string,
  host: string | undefined,
): Caller | null {
  if (adminKey === null) return null
  if (!timingSafeEqual(createHash('sha256').update(presented).digest(), adminKey.hash)) return null
  return adminKey.isPublished && !isOwnName(publicUrl, host) ? null : adminKeyCaller
}

/**
 * Who holds a secret of a principal acts and votes as that principal, which the admin key never does.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export function refuseAdminKey({ machine }: Pick<Caller, 'machine'>): void {
  if (machine?.kind === 'admin-key') {
    const who = 'The admin key is given no secret of a user or agent: one could vote with it. Sign in as an admin.'
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', who)
  }
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED for the admin key, where whoever acts is held to it later: it is no one */
export function requirePrincipal({ machine }: Pick<Caller, 'machine'>): void {
  if (machine?.kind === 'admin-key') {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'The admin key manages; it takes no part in approvals.')
  }
}
