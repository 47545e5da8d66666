import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { OutgoingCall } from './call-out.ts'
import { Stopped } from './stopped.ts'

/** The headers that are sent: the given ones that are theirs to give, and ours. @throws Stopped refused */
export function plannedHeaders(url: URL, given: OutgoingCall['headers'], body: Buffer | null): Record<string, string> {
  const headers = new Map<string, string>()
  for (const [name, value] of Object.entries(given)) {
    requireSound(name, value)
    if (!isOurs(name.toLowerCase())) headers.set(name.toLowerCase(), value)
  }
  if ((url.username !== '' || url.password !== '') && !headers.has('authorization')) {
    headers.set('authorization', basicAuthorization(url))
  }
  // These replace what the user gave.
  headers.set('host', url.host)
  headers.set('connection', 'close')
  // An answer is kept as it comes: what expands is not expanded here.
  headers.set('accept-encoding', 'identity')
  if (body !== null) headers.set('content-length', String(body.length))
  return Object.fromEntries(headers)
}

// A line break in a value would start another header, or another request.
function requireSound(name: string, value: string): void {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch {
    throw new Stopped('refused', 'A header to be sent is not valid.')
  }
}

/** Headers of the connection and of where a message ends (RFC 9110 §7.6.1, RFC 9112 §6), which are not the user's to say. */
function isOurs(name: string): boolean {
  return ours.has(name) || name.startsWith('proxy-')
}

const ours: ReadonlySet<string> = new Set([
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function basicAuthorization(url: URL): string {
  try {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    return `Basic ${Buffer.from(pair).toString('base64')}`
  } catch {
    throw new Stopped('refused', 'The user or password of the URL is not valid.')
  }
}
