import { createHash, randomBytes } from 'node:crypto'
import type { Ctx } from '../context.ts'
import { callerNotFound } from './actor.ts'
import { findActorRow } from '../store/principals.ts'
import { insertRefreshToken } from '../store/refresh-tokens.ts'
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

/**
 * A new access token and a new refresh token of one family, for the principal as the store knows them now.
 * @throws AppError CALLER_USER_NOT_FOUND or CALLER_AGENT_NOT_FOUND when they are gone or disabled
 */
export async function issueTokenPair(
  ctx: Ctx,
  tx: Tx,
  signIn: {
    readonly orgId: string
    readonly principalId: string
    readonly familyId: string
    /** Thumbprint of the key that the access tokens of the family are bound to. */
    readonly jkt?: string | null
  },
): Promise<TokenPair> {
  const { orgId, principalId, familyId, jkt = null } = signIn
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
    jkt,
  })
  const refreshToken = randomBytes(32).toString('base64url')
  const at = ctx.clock.now()
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

/** What is stored of a refresh token: 256 random bits need no salt. */
export function hashOfRefreshToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
