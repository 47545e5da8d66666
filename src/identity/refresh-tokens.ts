import type { Ctx } from '../context.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import {
  findRefreshToken,
  lockRefreshFamily,
  markRefreshTokenUsed,
  type FoundRefreshToken,
} from '../store/refresh-tokens.ts'
import type { Tx } from '../store/open.ts'
import type { PrincipalKind } from '../store/schema.ts'
import { holdSessions } from '../store/principal-locks.ts'
import { transact } from '../store/unit-of-work.ts'
import { endSessionsOf } from './end-sessions.ts'
import { hashOfRefreshToken, issueTokenPair, type TokenPair } from './token-pair.ts'

/** A used token still gets a new pair for this long, for clients that refresh twice at once (contract §6.5). */
export const refreshGraceSeconds = 30

/** What else a refresh rests on, in its transaction; gives the thumbprint of the key that the new tokens are bound to. */
export type ProveHolder = (tx: Tx, token: FoundRefreshToken) => Promise<string | null>

type Refreshed = { readonly pair: TokenPair } | { readonly refused: ErrorCode }

/**
 * Exchanges a refresh token for a new pair of the same family. One that was used before, and not just now, was stolen
 * from someone: the session ends with its whole family, and that stands although the call is refused.
 * @param kind whom the token has to belong to; null where it may be anybody and `prove` sees to the rest
 * @throws AppError the REFRESH_TOKEN_* codes; what `prove` throws, which leaves the token as it was; CALLER_USER_NOT_FOUND or CALLER_AGENT_NOT_FOUND when the holder is disabled
 */
export async function refreshTokens(
  ctx: Ctx,
  kind: PrincipalKind | null,
  refreshToken: string,
  prove: ProveHolder = async () => null,
): Promise<TokenPair> {
  const tokenHash = hashOfRefreshToken(refreshToken)
  const refreshed = await transact(ctx, null, async (tx): Promise<Refreshed> => {
    const now = ctx.clock.now()
    const seen = requireUsable(await findRefreshToken(tx, tokenHash), kind, now)
    await holdSessions(tx, seen.org_id, seen.principal_id)
    await lockRefreshFamily(tx, seen.family_id)
    const token = requireUsable(await findRefreshToken(tx, tokenHash), kind, now)
    // It changed while we waited: someone else refreshed or revoked it at the same moment.
    if (token.used_at?.getTime() !== seen.used_at?.getTime()) throw new AppError('REFRESH_TOKEN_CONCURRENT_UPDATE')
    if (token.used_at !== null && now.getTime() - token.used_at.getTime() > refreshGraceSeconds * 1000) {
      await endSessionsOf(ctx, tx, {
        orgId: token.org_id,
        principalId: token.principal_id,
        only: token.family_id,
        actor: { kind: 'system' },
        because: 'reuse',
      })
      return { refused: 'REFRESH_TOKEN_REUSE_DETECTED' }
    }
    const jkt = await prove(tx, token)
    await markRefreshTokenUsed(tx, tokenHash, now)
    const { org_id: orgId, principal_id: principalId, family_id: familyId } = token
    return { pair: await issueTokenPair(ctx, tx, { orgId, principalId, familyId, jkt }) }
  })
  if ('refused' in refreshed) throw new AppError(refreshed.refused)
  return refreshed.pair
}

function requireUsable(token: FoundRefreshToken | undefined, kind: PrincipalKind | null, now: Date): FoundRefreshToken {
  if (token === undefined) throw new AppError('REFRESH_TOKEN_NOT_FOUND')
  if (token.expires_at <= now) throw new AppError('REFRESH_TOKEN_EXPIRED')
  if (kind !== null && token.kind !== kind) throw new AppError('REFRESH_TOKEN_ENTITY_MISMATCH')
  if (token.revoked_at !== null) throw new AppError('REFRESH_TOKEN_REVOKED')
  return token
}
