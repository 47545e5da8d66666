import { invalid, isLoopback } from './checks.ts'
import type { RawEnv } from './env.ts'

/** What security keys are asked to sign for, beside the public URL (contract fortanix §5.5, §10.1). */
export interface WebauthnConfig {
  /** Origins whose pages may ask for it, beside that of the public URL. */
  readonly origins: readonly string[]
  /** The application id of U2F; null for the public URL's origin. */
  readonly appId: string | null
}

/**
 * @param publicUrl where clients reach us; null when that is not known before the server listens
 * @throws AppError CONFIGURATION_INVALID naming the variable
 */
export function webauthnConfig(raw: RawEnv, publicUrl: string | null): WebauthnConfig {
  const rpId = publicUrl === null ? null : new URL(publicUrl).hostname
  const written = raw.QUORATE_WEBAUTHN_ORIGINS?.split(',').map((origin) => origin.trim()) ?? []
  return {
    origins: [...new Set(written.map((origin) => originOf(origin, rpId)))],
    appId: appIdOf(raw.QUORATE_U2F_APPID),
  }
}

// They are compared exactly, so that one which no browser ever sends would let nobody in.
function originOf(value: string, rpId: string | null): string {
  const url = URL.parse(value)
  if (url === null || url.origin !== value)
    invalid(
      'QUORATE_WEBAUTHN_ORIGINS',
      'must be origins as browsers send them (https://host:port), separated by commas',
    )
  requireSecure('QUORATE_WEBAUTHN_ORIGINS', url)
  if (rpId !== null && url.hostname !== rpId && !url.hostname.endsWith(`.${rpId}`) && !isLoopback(rpId))
    invalid('QUORATE_WEBAUTHN_ORIGINS', `must have the host of QUORATE_PUBLIC_URL, ${rpId}, or one below it`)
  return value
}

function appIdOf(value: string | undefined): string | null {
  if (value === undefined) return null
  const url = URL.parse(value)
  if (url === null || url.username + url.password + url.hash !== '')
    invalid('QUORATE_U2F_APPID', 'must be a URL without user name and fragment')
  requireSecure('QUORATE_U2F_APPID', url)
  return value
}

/** Browsers have security keys sign on secure pages only. */
function requireSecure(name: string, { protocol, hostname }: URL): void {
  const isHere = isLoopback(hostname.replace(/^\[|\]$/g, ''))
  if (protocol !== 'https:' && !(protocol === 'http:' && isHere))
    invalid(name, 'must be https, or http on this machine')
}
