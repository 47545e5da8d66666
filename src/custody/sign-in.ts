import { randomBytes } from 'node:crypto'
import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { provePersonPassword } from '../identity/credentials/person-password.ts'
import { findAppNamed, findAppWithSecret } from '../store/fortanix-apps.ts'
import { insertCustodySession } from '../store/fortanix-sessions.ts'
import { hasSecurityKey } from '../store/person-factors.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { hashOfToken, provenApp } from './authenticate.ts'
import { leafActorOf, peopleLog, personActor, type CustodyCaller } from './caller.ts'

/** How long a session lives from its beginning, and from each time it is refreshed. */
export const sessionSeconds = 86_400

export interface BegunSession {
  /** 256 random bits; kept by its hash only. */
  readonly token: string
  readonly sessionId: string
  /** The person or the app. */
  readonly entityId: string
  readonly owesFactor: boolean
}

/** @throws AppError CREDENTIALS_INVALID, TOO_MANY_REQUESTS */
export async function signInPerson(ctx: Ctx, email: string, password: string): Promise<BegunSession> {
  const personId = await provePersonPassword(ctx, email, password)
  return await transact(ctx, null, async (tx) => {
    const owesFactor = await hasSecurityKey(tx, personId)
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
  return { token, sessionId, entityId: personId ?? principalId ?? '', owesFactor }
}

export function expiryOf(at: Date): Date {
  return new Date(at.getTime() + sessionSeconds * 1000)
}
