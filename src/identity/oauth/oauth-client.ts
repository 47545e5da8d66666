import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { isOwnName } from '../oidc/development/own-name.ts'
import { countAttempt } from '../credentials/attempts.ts'
import { isSameSecret } from '../credentials/client-secret.ts'

/**
 * Whether these are the installation's OAuth client and its secret. Wrong ones are counted by the address that they come from.
 * @throws AppError OAUTH_INVALID_CLIENT, also where none is configured; TOO_MANY_REQUESTS
 */
export async function requireOauthClient(
  ctx: Ctx,
  sent: { readonly id: string; readonly secret: string } | null,
  address: string,
): Promise<void> {
  const { oauthClient } = ctx.config.privx
  if (sent === null || oauthClient === null) throw new AppError('OAUTH_INVALID_CLIENT')
  const takeBack = await countAttempt(ctx, 'oauth-client', address)
  const isRight = isSameSecret(`${sent.id}\0${sent.secret}`, `${oauthClient.id}\0${oauthClient.secret}`)
  if (!isRight) throw new AppError('OAUTH_INVALID_CLIENT')
  await takeBack()
}

/**
 * The demo's published clients count only for who calls this machine by a name of its own: a web page whose name was made to
 * resolve here (DNS rebinding) knows their secrets too.
 * @throws AppError OAUTH_INVALID_CLIENT
 */
export function refuseOtherNames({ config, publicUrl }: Ctx, host: string | undefined): void {
  if (config.privx.isPublished && !isOwnName(publicUrl, host)) throw new AppError('OAUTH_INVALID_CLIENT')
}
