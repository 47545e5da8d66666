import type { MailConfig } from '../config/delivery.ts'
import { cut } from './kept-response.ts'

/** What nodemailer says of a failure. */
interface MailError {
  readonly code?: unknown
  /** The code of the operating system or of TLS, where it was replaced. */
  readonly originalCode?: unknown
  /** The command that was answered. */
  readonly command?: unknown
  readonly response?: unknown
  readonly responseCode?: unknown
  readonly message?: unknown
}

/**
 * Contract §3.7: SMTP 4xx, a network that failed, and time that ran out may pass; what the server refused for good, a
 * sign-in and a certificate among it, will not.
 */
export function isWorthAnotherTry(error: unknown): boolean {
  const { code, message, ...rest } = of(error)
  const status = statusOf(rest)
  if (status !== null) return status < 500
  // An error without a code is nobody's answer, and says nothing about the next time.
  if (code === undefined || passing.has(code)) return true
  // Within a handshake only the message tells a connection that broke from a certificate that is wrong.
  return (
    passing.has(rest.originalCode) || (code === 'ETLS' && /ECONNRESET|EPIPE|closed|disconnected/.test(String(message)))
  )
}

const passing: ReadonlySet<unknown> = new Set([
  'EABORT',
  'ECONNECTION',
  'ETIMEDOUT',
  'ECONNRESET',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'EAI_AGAIN',
])

/** One sentence without secrets. */
export function whyNotSent(
  { host, port }: Pick<MailConfig, 'host' | 'port'>,
  timeoutSeconds: number,
  error: unknown,
): string {
  const server = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const { code, originalCode, command, response, message, ...rest } = of(error)
  const status = statusOf(rest)
  if (code === 'EABORT') return `${server} did not take the message within ${timeoutSeconds} s.`
  // The answer to a sign-in may repeat what was said in it.
  if (code === 'EAUTH') return `Signing in at ${server} failed${status === null ? '' : ` with ${status}`}.`
  if (status !== null) return `${server} refused ${what(command)}: ${said(response)}`
  if (code === 'ETLS') return `TLS with ${server} failed: ${said(message)}`
  const cause = [originalCode, code].find((each) => typeof each === 'string') ?? 'unknown'
  return `The message did not reach ${server}: ${String(cause)}.`
}

/** A server's words on one line of at most 200 characters. */
export function said(words: unknown): string {
  return cut(String(words).replace(/\p{Cc}+/gu, ' '), 200)
}

function what(command: unknown): string {
  switch (command) {
    case 'MAIL FROM':
      return 'the sender'
    case 'RCPT TO':
      return 'the recipients'
    case 'STARTTLS':
      return 'TLS'
    case 'DATA':
      return 'the message'
    default:
      return 'the connection'
  }
}

function statusOf({ responseCode }: MailError): number | null {
  return typeof responseCode === 'number' ? responseCode : null
}

function of(error: unknown): MailError {
  return typeof error === 'object' && error !== null ? error : {}
}
