import { isIP } from 'node:net'
import { createTransport } from 'nodemailer'
import type { Ctx } from '../context.ts'
import { checkedAddresses } from '../outgoing/check-addresses.ts'
import { before, startDeadline } from '../outgoing/deadline.ts'
import { Stopped } from '../outgoing/stopped.ts'
import { whyNotSent } from './mail-failure.ts'

/** A mail server that somebody else than the operator named. */
export interface TriedServer {
  readonly host: string
  /** 0 for the usual one. */
  readonly port: number
  /** TLS from the first byte, STARTTLS that must succeed, or STARTTLS where the server offers it. */
  readonly security: 'tls' | 'starttls' | 'optional'
  /** Whether any certificate will do. */
  readonly insecureVerify: boolean
  readonly user: string | null
  readonly password: string
}

export interface MailTrial {
  readonly isOk: boolean
  /** One sentence without secrets. */
  readonly detail: string
}

const usualPort = { tls: 465, starttls: 587, optional: 25 }

/**
 * Connects to a mail server, secures the connection and signs in, and sends nothing. The guard of outgoing calls decides
 * whether it may be called at all, and the address that it let through is the one that is called. Never throws for what the
 * server does.
 */
export async function tryMailServer(ctx: Pick<Ctx, 'network' | 'config'>, server: TriedServer): Promise<MailTrial> {
  const { mailTimeoutSeconds, guard } = ctx.config.delivery
  const { host, security, insecureVerify, user, password } = server
  const port = server.port === 0 ? usualPort[security] : server.port
  if (host === '') return { isOk: false, detail: 'No mail server is named.' }
  const milliseconds = mailTimeoutSeconds * 1000
  const deadline = startDeadline(milliseconds)
  try {
    const [address = host] = await checkedAddresses(ctx.network, guard, host, deadline)
    const transport = createTransport({
      host: address,
      port,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      tls: { rejectUnauthorized: !insecureVerify, ...(isIP(host) === 0 && { servername: host }) },
      ...(user !== null && { auth: { user, pass: password } }),
      connectionTimeout: milliseconds,
      greetingTimeout: milliseconds,
      socketTimeout: milliseconds,
      dnsTimeout: milliseconds,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    await before(deadline, transport.verify())
    return { isOk: true, detail: `Connected to ${host}:${port}${user === null ? '' : ' and signed in'}.` }
  } catch (error) {
    if (error instanceof Stopped) return { isOk: false, detail: error.message }
    const failure = deadline.signal.aborted ? { code: 'EABORT' } : error
    return { isOk: false, detail: whyNotSent({ host, port }, mailTimeoutSeconds, failure) }
  } finally {
    deadline.stop()
  }
}
