/**
 * A receipt: what is signed, and its types (docs/receipt.md). Rules and options are the kernel's; here they are values to be
 * compared.
 */

import type { KeyEvidence } from './key-evidence.ts'

export const inTotoStatement = 'https://in-toto.io/Statement/v1'
export const receiptType = 'urn:quorate:receipt:v1'

export interface Statement {
  readonly _type: typeof inTotoStatement
  readonly subject: readonly [{ readonly name: string; readonly digest: { readonly sha256: string } }]
  readonly predicateType: typeof receiptType
  readonly predicate: Receipt
}

export interface Receipt {
  readonly organization: string
  readonly request: ReceiptRequest
  readonly policy: ReceiptPolicy
  readonly votes: readonly ReceiptVote[]
  readonly changes: readonly ReceiptChange[]
  readonly decision: ReceiptDecision
  readonly names: { readonly principals: readonly ReceiptName[]; readonly groups: readonly ReceiptName[] }
  readonly log: {
    readonly origin: string
    /** A signed note, with cosignatures. */
    readonly checkpoint: string
  }
}

/** One entry of the organization's log, proven against the receipt's checkpoint. */
export interface ProvenLeaf {
  readonly index: number
  /** Canonical JSON. */
  readonly content: string
  /** Base64 of the siblings, from the leaf up. */
  readonly path: readonly string[]
}

export interface ReceiptRequest {
  readonly id: string
  readonly dialect: string
  readonly policy: string
  readonly requester: string
  readonly person: string | null
  /** Whom it is asked for, where that is somebody else. */
  readonly beneficiary?: string
  readonly beneficiaryPerson?: string
  /** What an approval does to a role. */
  readonly grant?: ReceiptGrant
  readonly createdAt: string
  readonly expiresAt: string
  readonly digest: string
  /** The canonical text that `digest` is of; null when it was erased. */
  readonly content: string | null
  readonly leaf: ProvenLeaf
}

/** A role given to somebody on these terms, or taken from them. */
export type ReceiptGrant =
  | (GrantPlace & ReceiptTerms & { readonly operation: 'grant' })
  | (GrantPlace & { readonly operation: 'remove' })

interface GrantPlace {
  readonly principal: string
  readonly group: string
  /** What terms that a decision puts in their place must keep to; 0 is no ceiling. */
  readonly limits: {
    readonly kinds: readonly ReceiptTerms['grantKind'][]
    readonly maxFloatingHours: number
    readonly maxRestrictedDays: number
  }
  readonly isRevocable: boolean
}

/** Times as ISO 8601 has them, of any year. */
export interface ReceiptTerms {
  readonly grantKind: 'permanent' | 'time-restricted' | 'floating'
  readonly startsAt?: string
  readonly endsAt?: string
  readonly floatingHours?: number
}

export interface ReceiptPolicy {
  readonly id: string
  readonly digest: string
  readonly stages: readonly object[]
  readonly options: object
  readonly name?: SaltedText
  readonly leaf: ProvenLeaf
}

/** A text that a leaf commits to. */
export interface SaltedText {
  readonly salt: string
  readonly text: string
}

export type ReceiptStatus = 'open' | 'approved' | 'rejected' | 'canceled' | 'expired'
export type ReceiptAssurance = 'stepUp' | 'password' | 'securityKey' | 'signature'

export interface ReceiptVote {
  readonly seq: number
  readonly at: string
  readonly principal: string
  readonly kind: 'human' | 'agent'
  readonly person: string | null
  readonly stance: 'approve' | 'veto' | 'withdraw'
  readonly stage: number
  readonly seats: readonly string[]
  readonly held?: readonly string[]
  readonly assurance: readonly ReceiptAssurance[]
  readonly digest: string
  readonly lapsed?: Readonly<Record<string, readonly string[]>>
  /** Of a role, put in the place of those before. */
  readonly terms?: ReceiptTerms
  readonly from: ReceiptStatus
  readonly to: ReceiptStatus
  readonly toStage?: number
  /** Compact JWS. */
  readonly signature?: string
  /** SPKI PEM. */
  readonly publicKey?: string
  /** What the voter's security key answered. */
  readonly evidence?: KeyEvidence
  readonly reason?: SaltedText
  readonly leaf: ProvenLeaf
}

export type ReceiptChange = ReceiptMove | ReceiptTermsChange

/** What moved the request. */
export interface ReceiptMove {
  readonly kind: 'request.stage-closed' | 'request.canceled' | 'request.expired'
  readonly at: string
  readonly actor: ReceiptActor
  readonly seq: number
  readonly stage: number
  readonly from: ReceiptStatus
  readonly to: ReceiptStatus
  readonly toStage?: number
  readonly leaf: ProvenLeaf
}

/** Terms that an approval put in the place of those before. */
export interface ReceiptTermsChange extends ReceiptTerms {
  readonly kind: 'request.terms-changed'
  readonly at: string
  readonly actor: ReceiptActor
  /** That of the approval. */
  readonly seq: number
  readonly leaf: ProvenLeaf
}

export type ReceiptActor =
  | { readonly kind: 'human' | 'agent'; readonly id: string; readonly apiKey?: string }
  /** A person by themselves, before they are anybody in the organization. */
  | { readonly kind: 'person'; readonly id: string }
  | { readonly kind: 'admin-key' | 'system' }

export interface ReceiptDecision {
  readonly status: Exclude<ReceiptStatus, 'open'>
  readonly isFinal: boolean
  readonly at: string
  readonly seq: number
  /** Index of the leaf that decided. */
  readonly leaf: number
}

export interface ReceiptName {
  readonly id: string
  readonly name: string
  readonly salt: string
  readonly leaf: ProvenLeaf
}

/** What every leaf's content is. */
export interface LeafContent {
  readonly v: 1
  readonly org: string
  readonly kind: string
  readonly subject: string
  readonly actor: ReceiptActor
  readonly at: string
  /** 16 random bytes, base64url: who has the hash alone can guess nothing. */
  readonly nonce: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly committed?: Readonly<Record<string, string>>
}
