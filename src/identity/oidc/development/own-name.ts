import { isLoopback } from '../../../config/checks.ts'

/** Whether a Host header names this machine as people on it do, or is where clients were told to reach us. */
export function isOwnName(publicUrl: string, host: string | undefined): boolean {
  const name = URL.parse(`http://${host ?? ''}`)?.hostname.replace(/^\[|\]$/g, '') ?? ''
  return isLoopback(name) || host === new URL(publicUrl).host
}
