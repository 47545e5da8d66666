import { isLoopback } from '../config/checks.ts'
import type { Ctx } from '../context.ts'

/**
 * Whether cookies are kept to https (contract §6.3): unless it is configured, always but on this machine. A public URL
 * that is plain http anywhere else is a mistake, which shows in that nobody can sign in.
 */
export function hasSecureCookies({ config, publicUrl }: Ctx): boolean {
  const { protocol, hostname } = new URL(publicUrl)
  const isPlainLocal = protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, ''))
  return config.secureCookies ?? !isPlainLocal
}
