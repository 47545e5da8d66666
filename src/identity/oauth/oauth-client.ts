import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
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
