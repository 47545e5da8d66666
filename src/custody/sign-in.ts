import { randomBytes } from 'node:crypto'
import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { provePersonPassword } from '../identity/credentials/person-password.ts'
import { openSignInChallenge } from '../identity/webauthn/challenges.ts'
import type { RequestOptions } from '../identity/webauthn/options.ts'
import { findAppNamed, findAppWithSecret } from '../store/fortanix-apps.ts'
import { insertCustodySession } from '../store/fortanix-sessions.ts'
import { hasSecurityKey } from '../store/person-factors.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { hashOfToken, provenApp } from './authenticate.ts'
import { leafActorOf, peopleLog, personActor, type CustodyCaller } from './caller.ts'

/** How long a session lives from its beginning, and from each time it is refreshed. */
export const sessionSeconds = 86_400

/** What the demo's people sign in with, which anyone can read in the documentation: where they may, no password is needed anyway. */
export const demoPassword = 'demo'

export interface BegunSession {
  /** 256 random bits; kept by its hash only. */
  readonly token: string
  readonly sessionId: string
  /** The person or the app. */
  readonly entityId: string
  /** What the security key has to sign that is owed; null where none is. */
  readonly owed: RequestOptions | null
}

/** @throws AppError CREDENTIALS_INVALID, TOO_MANY_REQUESTS */
export async function signInPerson(ctx: Ctx, email: string, password: string): Promise<BegunSession> {
  // A store that was the demo's may be a real one by now.
  if (password === demoPassword && !ctx.config.fortanix.takesDemoPassword) throw new AppError('CREDENTIALS_INVALID')
  const personId = await provePersonPassword(ctx, email, password)
  const owesFactor = await hasSecurityKey(ctx.db, personId)
  const session = await transact(ctx, null, async (tx) => {
    const begun = await begin(ctx, tx, { personId, orgId: null, principalId: null, owesFactor })
    await appendLeaf(ctx, tx, {
      orgId: peopleLog,
      kind: 'person.signed-in',
      subjectId: personId,
      actor: personActor(personId),
      at: ctx.clock.now(),
      facts: { session: begun.sessionId, owesFactor },
    })
    return begun
  })
  return owesFactor ? { ...session, owed: await openSignInChallenge(ctx, personId, session.sessionId) } : session
}

/** An app, by its id or by the name that it has in an account. */
export type AppKey = { readonly id: string } | { readonly orgId: string; readonly name: string }

/** @throws AppError CREDENTIALS_INVALID, APP_DISABLED */
export async function signInApp(ctx: Ctx, key: AppKey, secret: string): Promise<BegunSession> {
  const app = 'id' in key ? await findAppWithSecret(ctx.db, key.id) : await findAppNamed(ctx.db, key.orgId, key.name)
  return await beginForApp(ctx, provenApp(app, secret))
}

/** Another session of an app that calls with one. @throws AppError REQUESTOR_NOT_AUTHORIZED for a person */
export async function signInAgain(ctx: Ctx, caller: CustodyCaller): Promise<BegunSession> {
  if (caller.kind !== 'agent') throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'Only an app can do this.')
  const { is_enabled: isEnabled = false } = (await findAppWithSecret(ctx.db, caller.principalId ?? '')) ?? {}
  if (!isEnabled) throw new AppError('APP_DISABLED')
  return await beginForApp(ctx, caller)
}

async function beginForApp(ctx: Ctx, { orgId, principalId }: CustodyCaller): Promise<BegunSession> {
  if (orgId === null || principalId === null) throw new Error('an app is of an account')
  return await transact(ctx, null, async (tx) => {
    const begun = await begin(ctx, tx, { personId: null, orgId, principalId, owesFactor: false })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'agent.signed-in',
      subjectId: principalId,
      actor: leafActorOf({ kind: 'agent', principalId }),
      at: ctx.clock.now(),
      facts: { signIn: begun.sessionId, isBound: false },
    })
    return begun
  })
}

interface Holder {
  readonly personId: string | null
  readonly orgId: string | null
  readonly principalId: string | null
  readonly owesFactor: boolean
}

async function begin(ctx: Ctx, tx: Tx, { personId, orgId, principalId, owesFactor }: Holder): Promise<BegunSession> {
  const [token, sessionId, at] = [randomBytes(32).toString('base64url'), ctx.newId(), ctx.clock.now()]
  await insertCustodySession(tx, {
    token_hash: hashOfToken(token),
    id: sessionId,
    person_id: personId,
    org_id: orgId,
    principal_id: principalId,
    is_pending: owesFactor,
    devices_until: null,
    created_at: at,
    expires_at: expiryOf(at),
    ended_at: null,
  })
  return { token, sessionId, entityId: personId ?? principalId ?? '', owed: null }
}

export function expiryOf(at: Date): Date {
  return new Date(at.getTime() + sessionSeconds * 1000)
}
