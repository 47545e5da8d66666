import type { Ctx } from '../../context.ts'
import { transact } from '../../store/unit-of-work.ts'
import { beginSession } from '../credentials/begin-session.ts'
import { findOrRegister } from '../oidc/sign-in.ts'
import { defaultOrganization } from '../organization.ts'
import type { Device, TokenPair } from '../token-pair.ts'

/**
 * Signs in the person whom a JWT of the configured OpenID provider names, as if they had signed in there just now for us.
 * @throws AppError INVALID_ISSUER where no provider is configured; JWT_TOKEN_*, INVALID_*; IDENTITY_PROVIDER_FAILED,
 * AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER, CALLER_USER_NOT_FOUND
 */
export async function exchangeToken(ctx: Ctx, token: string, device: Device): Promise<TokenPair> {
  const identity = await ctx.identityProvider.verify(token, ctx.clock.now())
  const orgId = defaultOrganization.id
  return await transact(ctx, null, async (tx) => {
    const principalId = await findOrRegister(ctx, tx, orgId, identity)
    return await beginSession(ctx, tx, { orgId, principalId, kind: 'human' }, device)
  })
}
