import type { NameAndSecret } from '../../identity/oauth/sign-in.ts'

/** The token of a header `Authorization: Bearer` (RFC 6750 section 2.1); null for any other header, and for none. */
export function bearerOf(authorization: string | undefined): string | null {
  return /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null
}

/**
 * What is sent in a header `Authorization: Basic` (RFC 7617).
 * @param decode reads its base64; null for what is none
 * @returns null for any other header, and for none; `malformed` where no pair can be read from it
 */
export function basicOf(
  authorization: string | undefined,
  decode: (encoded: string) => Buffer | null,
): NameAndSecret | 'malformed' | null {
  const encoded = /^basic +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return null
  const text = decode(encoded)?.toString() ?? ''
  const colon = text.indexOf(':')
  return colon < 0 ? 'malformed' : { name: text.slice(0, colon), secret: text.slice(colon + 1) }
}
