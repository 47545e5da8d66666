import type { OutgoingCall } from './call-out.ts'
import { plannedHeaders } from './headers.ts'
import { Stopped } from './stopped.ts'

/** A call that may be made if its addresses are allowed. */
export interface PlannedCall {
  /** A name or an address as the URL standard writes it, IPv6 without brackets. */
  readonly hostname: string
  readonly port: number
  readonly isTls: boolean
  readonly method: OutgoingCall['method']
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
}

/** In bytes, of what is sent and of what is read (contract §3.7). */
export const bodyLimit = 1024 * 1024

/** Reads a call's URL and headers. @throws Stopped refused */
export function planCall({ url: text, method, headers, body: bodyText }: OutgoingCall): PlannedCall {
  // The WHATWG parser turns every notation of an IPv4 address into the one that is checked and dialled.
  const url = URL.parse(text)
  if (url === null) throw new Stopped('refused', 'The URL is not valid.')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Stopped('refused', 'The URL is neither http nor https.')
  }
  // The longest name that DNS can hold, and a dot.
  if (url.hostname.length > 254) throw new Stopped('refused', 'The host name of the URL is too long.')
  if (url.port === '0') throw new Stopped('refused', 'The URL has port 0.')
  const body = bodyText === null ? null : Buffer.from(bodyText)
  if (body !== null && body.length > bodyLimit) {
    throw new Stopped('refused', 'The body to be sent is longer than 1 MiB.')
  }
  const isTls = url.protocol === 'https:'
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    isTls,
    method,
    path: url.pathname + url.search,
    headers: plannedHeaders(url, headers, body),
    body,
  }
}
