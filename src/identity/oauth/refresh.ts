import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findCredentialOf } from '../../store/credentials.ts'
import { refreshTokens, type ProveHolder } from '../refresh-tokens.ts'
import type { TokenPair } from '../token-pair.ts'

/**
 * Exchanges a refresh token that came with nothing else.
 * @throws AppError REFRESH_TOKEN_*; OAUTH_INVALID_GRANT for who has to prove a key with theirs
 */
export async function refreshBearer(ctx: Ctx, refreshToken: string): Promise<TokenPair> {
  return await refreshTokens(ctx, null, refreshToken, requireNoKey)
}

/** An agent that signs in with a key goes on with it; only one that has a secret, an API client, goes on without. */
const requireNoKey: ProveHolder = async (tx, { jkt, kind, org_id, principal_id }) => {
  const isBearer =
    jkt === null &&
    (kind === 'human' || (await findCredentialOf(tx, org_id, 'client-secret', principal_id)) !== undefined)
  if (!isBearer) throw new AppError('OAUTH_INVALID_GRANT', 'Whoever holds this refresh token proves a key with it.')
  return null
}
