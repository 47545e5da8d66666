import { compactVerify } from 'jose'
import type { AgentKey } from './agent-key.ts'
import { parseUniqueMembers } from './unique-members.ts'

type Members = Readonly<Record<string, unknown>>

/** A JWT as it was sent. Nothing in it is true before `isSignedBy` said so. */
export interface UnverifiedJwt {
  readonly text: string
  readonly header: Members
  readonly claims: Members
}

// Room for a name of 1024 characters, all of them escaped, twice. Verifying costs by the byte.
const maxLength = 32 * 1024
// Three parts: what has five is encrypted (RFC 7516). The signature may be missing here, and is then refused as one.
const compact = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** Reads a compact JWS with JSON objects inside, each name in them once (RFC 7515 section 4, RFC 8725 section 3.8); null if it is none. */
export function readJwt(text: string): UnverifiedJwt | null {
  if (text.length > maxLength || !compact.test(text)) return null
  const [header, claims] = text.split('.', 2).map(membersOf)
  return header && claims ? { text, header, claims } : null
}

function membersOf(part: string): Members | null {
  try {
    return parseUniqueMembers(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')))
  } catch {
    return null
  }
}

/** Whether a claim is a time (RFC 7519 section 2). JSON has no infinity, but JavaScript makes one of 1e400. */
export function isTime(value: unknown): value is number {
  return Number.isFinite(value)
}

/** The one algorithm that agents sign with; chosen here and never by the header (RFC 8725 section 3.1). */
export const agentAlgorithm = 'RS256'

/** Whether this very key signed it with RS256. Extensions marked critical are refused: we know none. */
export async function isSignedBy({ publicKey }: AgentKey, jwt: UnverifiedJwt): Promise<boolean> {
  if (jwt.header['crit'] !== undefined) return false
  return await compactVerify(jwt.text, publicKey, { algorithms: [agentAlgorithm] }).then(
    () => true,
    () => false,
  )
}
