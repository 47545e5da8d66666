import { createHash } from 'node:crypto'
import { canonicalJson } from './leaf.ts'

/** What a request asks for: votes are cast on the digest of exactly this. */
export interface RequestContent {
  readonly dialect: string
  readonly name: string
  readonly description: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly policyId: string
  /** The rule that decides, by `policyDigest`: who votes on this digest votes under that rule. */
  readonly policyDigest: string
  readonly requesterId: string
  /** Grows with every edit, so that a digest never comes back. */
  readonly revision: number
}

/** SHA-256, in hex, of the content's canonical JSON (RFC 8785). */
export function contentDigest(content: RequestContent): string {
  return digestOf(content)
}

/** What of a policy decides. Names of stages are left out: they decide nothing, and the law may force them out. */
export interface DecidingPolicy {
  readonly stages: readonly { readonly binding: boolean; readonly rule: object }[]
  readonly options: object
}

/** The same without anything that is only read by people, as a leaf tells it. */
export function decidingPart({ stages, options }: DecidingPolicy): DecidingPolicy {
  return { stages: stages.map(({ binding, rule }) => ({ binding, rule })), options }
}

/** SHA-256, in hex, of the canonical JSON (RFC 8785) of `{ stages, options }`, the stages without their names. */
export function policyDigest(policy: DecidingPolicy): string {
  return digestOf(decidingPart(policy))
}

function digestOf(value: object): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}
