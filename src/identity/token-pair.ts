import { createHash, randomBytes } from 'node:crypto'
import type { Ctx } from '../context.ts'
import { callerNotFound } from './actor.ts'
import { findActorRow } from '../store/principals.ts'
import { insertRefreshToken } from '../store/refresh-tokens.ts'
import type { SessionChannel } from '../store/schema-sign-in.ts'
import { holdSessions } from '../store/principal-locks.ts'
import { upsertSession } from '../store/sessions.ts'
import type { Tx } from '../store/open.ts'
import { signAccessToken } from './access-token.ts'

export interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
  /** Set when the access token is bound to a key (RFC 9449 section 5). */
  readonly tokenType?: 'DPoP'
}

/** Life of a refresh token from its issue (contract §6.5). */
export const refreshTokenDays = 30

/** Through what someone signs in, for them to know it again in the list of their sign-ins. */
export interface Device {
  readonly channel: Exclude<SessionChannel, 'agent'>
  readonly userAgent: string | null
}

export interface SignIn {
  readonly orgId: string
  readonly principalId: string
  /** Names the family of refresh tokens, the session, and the `sid` of the access tokens. */
  readonly familyId: string
  /** Given when the session begins. */
  readonly device?: Device
  /** Thumbprint of the key that the access tokens of the family are bound to. */
  readonly jkt?: string | null
}

/**
 * A new access token and a new refresh token of one family, for the principal as the store knows them now. The session is
 * noted with them, so that none is without.
 * @throws AppError CALLER_USER_NOT_FOUND or CALLER_AGENT_NOT_FOUND when they are gone or disabled
 */
export async function issueTokenPair(ctx: Ctx, tx: Tx, signIn: SignIn): Promise<TokenPair> {
  const { orgId, principalId, familyId, jkt = null } = signIn
  // Before they are read: of a sign-in beside the principal's being disabled, one sees the other.
  await holdSessions(tx, orgId, principalId)
  const row = await findActorRow(tx, orgId, principalId)
  if (row === undefined || row.disabled_at !== null) throw callerNotFound({ kind: row?.kind ?? 'human' })
  const { kind, name, email, is_admin: isAdmin } = row
  const accessToken = await signAccessToken(ctx.keys.token, ctx.clock, {
    orgId,
    principalId,
    kind,
    name,
    email,
    isAdmin,
    sessionId: familyId,
    jkt,
  })
  const refreshToken = randomBytes(32).toString('base64url')
  const at = ctx.clock.now()
  await upsertSession(tx, {
    org_id: orgId,
    id: familyId,
    principal_id: principalId,
    channel: kind === 'agent' ? 'agent' : (signIn.device?.channel ?? 'cli'),
    user_agent: signIn.device?.userAgent?.slice(0, maxUserAgent) ?? null,
    created_at: at,
    last_used_at: at,
  })
  await insertRefreshToken(tx, {
    token_hash: hashOfRefreshToken(refreshToken),
    org_id: orgId,
    principal_id: principalId,
    family_id: familyId,
    jkt,
    expires_at: new Date(at.getTime() + refreshTokenDays * 86_400_000),
    created_at: at,
  })
  return { accessToken, refreshToken, ...(jkt !== null && { tokenType: 'DPoP' }) }
}

/** Enough to know a browser by. */
const maxUserAgent = 256

/** What is stored of a refresh token: 256 random bits need no salt. */
export function hashOfRefreshToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
