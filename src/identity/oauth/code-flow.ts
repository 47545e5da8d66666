import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import {
  completeOauthFlow,
  findCodeHolder,
  findOpenOauthFlow,
  insertOauthFlow,
  spendOauthCode,
  type OauthFlowRow,
} from '../../store/oauth-flows.ts'
import { holdSessions } from '../../store/principal-locks.ts'
import { transact } from '../../store/unit-of-work.ts'
import { beginSession } from '../credentials/begin-session.ts'
import { provePassword, requireStillProven } from '../credentials/prove.ts'
import { challengeOf } from '../oidc/pkce.ts'
import { defaultOrganization } from '../organization.ts'
import type { Device, TokenPair } from '../token-pair.ts'

/** How long somebody may take to give their password. */
export const loginMinutes = 10
/** How long a code can be redeemed (contract privx §2.1). */
export const codeSeconds = 60

export interface AuthorizationAsked {
  readonly clientId: string
  readonly redirectUri: string
  readonly state: string
  /** S256 (RFC 7636 section 4.2). */
  readonly challenge: string
}

/** Begins a sign-in with an authorization code. @returns the login session: the secret that its next step brings */
export async function startCodeFlow(
  ctx: Ctx,
  { clientId, redirectUri, state, challenge }: AuthorizationAsked,
): Promise<string> {
  const session = newSecret()
  await insertOauthFlow(ctx.db, {
    session_hash: hashOf(session),
    org_id: defaultOrganization.id,
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    principal_id: null,
    code_hash: null,
    session_used_at: null,
    code_used_at: null,
    expires_at: new Date(ctx.clock.now().getTime() + loginMinutes * 60_000),
  })
  return session
}

export interface Login {
  readonly session: string
  readonly username: string
  readonly password: string
}

/**
 * A local user proves themselves in a sign-in that was begun. A wrong password leaves it open for another try.
 * @returns the code that the sign-in is completed with, and the state it was begun with
 * @throws AppError SIGN_IN_EXPIRED, CREDENTIALS_INVALID, TOO_MANY_REQUESTS
 */
export async function logIn(
  ctx: Ctx,
  { session, username, password }: Login,
): Promise<{ code: string; state: string }> {
  const sessionHash = hashOf(session)
  const flow = await findOpenOauthFlow(ctx.db, sessionHash, ctx.clock.now())
  if (flow === undefined) throw new AppError('SIGN_IN_EXPIRED')
  const proven = await provePassword(ctx, username, password)
  const code = newSecret()
  const at = ctx.clock.now()
  const expiresAt = new Date(at.getTime() + codeSeconds * 1000)
  const completed = { principalId: proven.principalId, codeHash: hashOf(code), at, expiresAt }
  const isOurs = await transact(ctx, null, async (tx) => {
    await requireStillProven(tx, proven)
    return await completeOauthFlow(tx, sessionHash, completed)
  })
  if (!isOurs) throw new AppError('SIGN_IN_EXPIRED')
  return { code, state: flow.state }
}

export interface CodeRedeemed {
  readonly clientId: string
  readonly redirectUri: string
  readonly code: string
  readonly verifier: string
}

/**
 * Completes the sign-in. The code is spent whatever comes of it, and by one of any calls at once; none is left once its holder's
 * sign-ins were ended, as another password does.
 * @throws AppError OAUTH_INVALID_GRANT, CALLER_USER_NOT_FOUND
 */
export async function redeemCode(ctx: Ctx, redeemed: CodeRedeemed, device: Device): Promise<TokenPair> {
  const pair = await transact(ctx, null, async (tx) => {
    const codeHash = hashOf(redeemed.code)
    // Before the code is touched: whoever ends the sign-ins of its holder locks in this order.
    const holder = await findCodeHolder(tx, codeHash)
    if (holder !== undefined && holder.principal_id !== null) await holdSessions(tx, holder.org_id, holder.principal_id)
    const flow = await spendOauthCode(tx, codeHash, ctx.clock.now())
    if (flow === undefined || flow.principal_id === null || !fits(flow, redeemed)) return null
    const proven = { orgId: flow.org_id, principalId: flow.principal_id, kind: 'human' } as const
    return await beginSession(ctx, tx, proven, device)
  })
  if (pair === null) throw new AppError('OAUTH_INVALID_GRANT')
  return pair
}

function fits(flow: OauthFlowRow, { clientId, redirectUri, verifier }: CodeRedeemed): boolean {
  const [sent, kept] = [challengeOf(verifier), flow.code_challenge].map((text) => Buffer.from(text)) as [Buffer, Buffer]
  const isVerified = sent.length === kept.length && timingSafeEqual(sent, kept)
  return isVerified && flow.client_id === clientId && flow.redirect_uri === redirectUri
}

function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** How sessions and codes are stored: who reads our tables completes nobody's sign-in. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
