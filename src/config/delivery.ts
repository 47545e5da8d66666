import { isIP } from 'node:net'
import type { RawEnv } from './env.ts'
import { invalid, isLoopback, isNetwork, oneOf } from './checks.ts'

/** How what happens after a decision is sent (contract §3.7). Times in seconds. */
export interface DeliveryConfig {
  /** Attempts in all. */
  readonly attempts: number
  /** Before the second attempt; doubled before each further one, up to `maxWaitSeconds`. */
  readonly firstWaitSeconds: number
  readonly maxWaitSeconds: number
  readonly webhookTimeoutSeconds: number
  readonly slackTimeoutSeconds: number
  readonly mailTimeoutSeconds: number
  /** Attempts that one process makes at the same time. */
  readonly concurrency: number
  readonly guard: GuardConfig
  /** Null sends no mail: its tasks end in an error. */
  readonly mail: MailConfig | null
}

/** Where calls to addresses that users supplied may go. */
export interface GuardConfig {
  readonly mode: 'strict' | 'disabled'
  /** Host names in lower case, addresses and networks that are let through. */
  readonly allow: readonly string[]
}

export interface MailConfig {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (`smtps:`). */
  readonly implicitTls: boolean
  /** Whether STARTTLS must succeed before anything is said (`smtp:`, unless the server is on this machine or `?tls=optional`). */
  readonly requireTls: boolean
  readonly user: string | null
  readonly password: string | null
  /** The sender's address. */
  readonly from: string
}

/** What an attempt needs beside the time that the receiver has: to be taken, read and written down, on a busy machine. */
const leaseMarginSeconds = 10

/** Whole seconds after which a worker that has not ended its attempt is taken to be lost. */
export function deliveryLeaseSeconds(config: DeliveryConfig): number {
  const { webhookTimeoutSeconds, slackTimeoutSeconds, mailTimeoutSeconds } = config
  return Math.ceil(Math.max(webhookTimeoutSeconds, slackTimeoutSeconds, mailTimeoutSeconds)) + leaseMarginSeconds
}

/** @throws AppError CONFIGURATION_INVALID naming the variable */
export function deliveryConfig(raw: RawEnv): DeliveryConfig {
  const firstWaitSeconds = seconds('QUORATE_DELIVERY_WAIT', raw.QUORATE_DELIVERY_WAIT, 1)
  return {
    attempts: count('QUORATE_DELIVERY_ATTEMPTS', raw.QUORATE_DELIVERY_ATTEMPTS, 3, 20),
    firstWaitSeconds,
    maxWaitSeconds: seconds('QUORATE_DELIVERY_MAX_WAIT', raw.QUORATE_DELIVERY_MAX_WAIT, Math.max(10, firstWaitSeconds)),
    webhookTimeoutSeconds: seconds('QUORATE_WEBHOOK_TIMEOUT', raw.QUORATE_WEBHOOK_TIMEOUT, 10),
    slackTimeoutSeconds: seconds('QUORATE_SLACK_TIMEOUT', raw.QUORATE_SLACK_TIMEOUT, 5),
    mailTimeoutSeconds: seconds('QUORATE_MAIL_TIMEOUT', raw.QUORATE_MAIL_TIMEOUT, 10),
    concurrency: count('QUORATE_DELIVERY_CONCURRENCY', raw.QUORATE_DELIVERY_CONCURRENCY, 32, 1_000),
    guard: {
      mode: oneOf('QUORATE_WEBHOOK_GUARD', raw.QUORATE_WEBHOOK_GUARD ?? 'strict', ['strict', 'disabled']),
      allow: allowList(raw.QUORATE_WEBHOOK_ALLOW),
    },
    mail: mailOf(raw),
  }
}

function seconds(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback
  const parsed = Number(value)
  if (!/^\d{1,4}(\.\d{1,3})?$/.test(value) || parsed <= 0) invalid(name, 'must be a number of seconds above 0')
  return parsed
}

function count(name: string, value: string | undefined, fallback: number, most: number): number {
  if (value === undefined) return fallback
  const parsed = Number(value)
  if (!/^\d{1,4}$/.test(value) || parsed < 1 || parsed > most) invalid(name, `must be a number from 1 to ${most}`)
  return parsed
}

function allowList(value: string | undefined): readonly string[] {
  const entries = (value ?? '').split(',').map((entry) => entry.trim().toLowerCase())
  return entries
    .filter((entry) => entry !== '')
    .map((entry) => {
      if (!isNetwork(entry) && !hostName.test(entry)) {
        invalid('QUORATE_WEBHOOK_ALLOW', 'must be host names, addresses and networks (10.0.0.0/8), separated by commas')
      }
      return entry
    })
}

const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/

function mailOf(raw: RawEnv): MailConfig | null {
  if (raw.SMTP_URL === undefined) return null
  const url = URL.parse(raw.SMTP_URL)
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '') {
    return invalid('SMTP_URL', 'must be smtp://user:password@host:port, or smtps: for TLS from the start')
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const implicitTls = url.protocol === 'smtps:'
  const tls = oneOf('SMTP_URL', url.searchParams.get('tls') ?? (isLoopback(host) ? 'optional' : 'required'), [
    'optional',
    'required',
  ])
  return {
    host,
    port: url.port === '' ? (implicitTls ? 465 : 587) : Number(url.port),
    implicitTls,
    requireTls: !implicitTls && tls === 'required',
    user: url.username === '' ? null : decodeURIComponent(url.username),
    password: url.password === '' ? null : decodeURIComponent(url.password),
    from: senderOf(raw.QUORATE_MAIL_FROM, host),
  }
}

function senderOf(value: string | undefined, host: string): string {
  if (value === undefined) return `quorate@${isIP(host) === 0 && host.includes('.') ? host : 'localhost'}`
  if (!/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/.test(value))
    invalid('QUORATE_MAIL_FROM', 'must be an e-mail address')
  return value
}
