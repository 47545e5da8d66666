import { createHash } from 'node:crypto'
import { canonicalJson } from './leaf.ts'

/** What a request asks for: votes are cast on the digest of exactly this. */
export interface RequestContent {
  readonly dialect: string
  readonly name: string
  readonly description: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly policyId: string
  readonly requesterId: string
  /** Grows with every edit, so that a digest never comes back. */
  readonly revision: number
}

/** SHA-256, in hex, of the content's canonical JSON (RFC 8785). */
export function contentDigest(content: RequestContent): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex')
}
