import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { isOwnName } from '../oidc/development/own-name.ts'
import { isSameSecret } from '../credentials/client-secret.ts'

/**
 * Whether these are the installation's OAuth client and its secret.
 * @throws AppError OAUTH_INVALID_CLIENT, also where none is configured
 */
export function requireOauthClient(
  { config }: Ctx,
  sent: { readonly id: string; readonly secret: string } | null,
): void {
  const { oauthClient } = config.privx
  const isRight =
    sent !== null &&
    oauthClient !== null &&
    isSameSecret(`${sent.id}\0${sent.secret}`, `${oauthClient.id}\0${oauthClient.secret}`)
  if (!isRight) throw new AppError('OAUTH_INVALID_CLIENT')
}

/**
 * The demo's published clients count only for who calls this machine by a name of its own: a web page whose name was made to
 * resolve here (DNS rebinding) knows their secrets too.
 * @throws AppError OAUTH_INVALID_CLIENT
 */
export function refuseOtherNames({ config, publicUrl }: Ctx, host: string | undefined): void {
  if (config.privx.isPublished && !isOwnName(publicUrl, host)) throw new AppError('OAUTH_INVALID_CLIENT')
}
