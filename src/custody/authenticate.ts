import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { hashOfClientSecret, isSameSecret } from '../identity/credentials/client-secret.ts'
import { findAppWithSecret, type AppWithSecret } from '../store/fortanix-apps.ts'
import { findCustodySession } from '../store/fortanix-sessions.ts'
import type { CustodyCaller } from './caller.ts'

/**
 * Who holds a session.
 * @param allowsPending whether one that owes a second factor will do
 * @throws AppError SESSION_ENDED, SECOND_FACTOR_PENDING
 */
export async function authenticateSession(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  token: string,
  allowsPending: boolean,
): Promise<CustodyCaller> {
  const session = await findCustodySession(ctx.db, hashOfToken(token), ctx.clock.now())
  if (session === undefined) throw new AppError('SESSION_ENDED', 'The session is unknown or has ended.')
  if (session.is_pending && !allowsPending) throw new AppError('SECOND_FACTOR_PENDING')
  const { id, person_id, org_id, principal_id, is_pending, devices_until } = session
  return {
    session: { id, isPending: is_pending, devicesUntil: devices_until },
    personId: person_id,
    orgId: org_id,
    principalId: principal_id,
    kind: person_id === null ? 'agent' : 'human',
  }
}

/** An app by its key. @throws AppError CREDENTIALS_INVALID, APP_DISABLED */
export async function authenticateApp(ctx: Pick<Ctx, 'db'>, id: string, secret: string): Promise<CustodyCaller> {
  return provenApp(await findAppWithSecret(ctx.db, id), secret)
}

/** The app, if the secret is its. Such a secret holds 256 random bits: attempts need not be counted. */
export function provenApp(app: AppWithSecret | undefined, secret: string): CustodyCaller {
  const isProven = isSameSecret(hashOfClientSecret(secret), app?.hash ?? '')
  if (!isProven || app === undefined) throw new AppError('CREDENTIALS_INVALID')
  if (!app.is_enabled) throw new AppError('APP_DISABLED')
  return { session: null, personId: null, orgId: app.org_id, principalId: app.principal_id, kind: 'agent' }
}

/** What a token is looked up by: it is random, so a plain hash will do. */
export const hashOfToken = hashOfClientSecret
