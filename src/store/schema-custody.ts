import type { ColumnType, Generated, JSONColumnType } from 'kysely'
import type { Json } from './schema.ts'

/** The tables of `0011-custody`. */
export interface CustodyTables {
  person_credentials: PersonCredentialTable
  key_challenges: KeyChallengeTable
  fortanix_users: FortanixUserTable
  fortanix_recovery_codes: FortanixRecoveryCodeTable
  fortanix_accounts: FortanixAccountTable
  fortanix_members: FortanixMemberTable
  fortanix_groups: FortanixGroupTable
  fortanix_apps: FortanixAppTable
  fortanix_app_groups: FortanixAppGroupTable
  fortanix_sessions: FortanixSessionTable
  fortanix_keys: FortanixKeyTable
  fortanix_requests: FortanixRequestTable
  fortanix_approvals: FortanixApprovalTable
}

type OptionalJson<T extends object> = JSONColumnType<T, string | null, string | null> | null
/** A 64-bit counter; text on the way out, since JavaScript numbers end at 2^53. */
type Counter = ColumnType<string, string | number | undefined, string | number>

interface PersonCredentialTable {
  person_id: string
  id: string
  kind: 'password' | 'security-key'
  name: string
  /** A PHC string; null for a security key. */
  hash: string | null
  credential_id: Uint8Array | null
  /** COSE; null for a password. */
  public_key: Uint8Array | null
  counter: Counter
  details: Json<SecurityKeyDetails | Record<string, never>>
  created_at: Date
  changed_at: Date
}

export interface SecurityKeyDetails {
  /** Attestation statement format, as of registration. */
  readonly format: string
  readonly transports: readonly string[]
  readonly origin: string
}

export type ChallengePurpose = 'sign-in' | 'register' | 'vote'

interface KeyChallengeTable {
  person_id: string
  purpose: ChallengePurpose
  /** Id of the request that is voted on, or of the session. */
  subject: string
  protocol: 'fido2' | 'u2f'
  org_id: string | null
  challenge: Uint8Array
  nonce: Uint8Array
  expires_at: Date
}

interface FortanixUserTable {
  person_id: string
  first_name: string | null
  last_name: string | null
  verified_at: Date | null
  created_at: Date
}

interface FortanixRecoveryCodeTable {
  person_id: string
  code_hash: string
  created_at: Date
}

interface FortanixAccountTable {
  org_id: string
  description: string | null
  /** A person; null for an account that the server made. */
  creator_id: string | null
  policy: OptionalJson<object>
  protects: Generated<string[]>
  request_seconds: Generated<number>
  retains_expired: Generated<boolean>
  logs_expired: Generated<boolean>
  checks_sensitive: Generated<boolean>
  created_at: Date
  updated_at: Date
}

interface FortanixMemberTable {
  org_id: string
  person_id: string
  /** Null until the invitation is accepted. */
  principal_id: string | null
  role: 'administrator' | 'member' | 'auditor'
  is_enabled: boolean
  state: 'invited' | 'joined'
  created_at: Date
  updated_at: Date
}

interface FortanixGroupTable {
  org_id: string
  group_id: string
  creator: Json<object>
  policy: OptionalJson<object>
  /** Null: every manage operation. */
  protects: string[] | null
  protects_manage: Generated<boolean>
  protects_crypto: Generated<boolean>
}

interface FortanixAppTable {
  org_id: string
  principal_id: string
  name: string
  description: string | null
  app_type: string
  role: string
  default_group: string | null
  is_enabled: boolean
  creator: Json<object>
  created_at: Date
  updated_at: Date
}

interface FortanixAppGroupTable {
  org_id: string
  principal_id: string
  group_id: string
  permissions: string[]
}

interface FortanixSessionTable {
  token_hash: string
  id: string
  /** Null for the session of an application. */
  person_id: string | null
  /** Null until an account is selected. */
  org_id: string | null
  principal_id: string | null
  /** A second factor is owed: until then it is good for nothing else. */
  is_pending: Generated<boolean>
  /** Until then devices may be registered; null: not unlocked. */
  devices_until: Date | null
  created_at: Date
  expires_at: Date
  ended_at: Date | null
}

export type KeyKind = 'AES' | 'HMAC' | 'RSA' | 'EC'

interface FortanixKeyTable {
  org_id: string
  id: string
  group_id: string
  name: string
  description: string | null
  kind: KeyKind
  size_bits: number | null
  curve: string | null
  operations: string[]
  is_enabled: boolean
  state: string
  /** Sealed; null once it is gone. */
  material: Uint8Array | null
  /** DER SubjectPublicKeyInfo; null for a symmetric key. */
  public_key: Uint8Array | null
  origin: string
  creator: Json<object>
  /** How often it signed, encrypted, decrypted, made a code or was exported. */
  used: Counter
  last_used_at: Date | null
  created_at: Date
  updated_at: Date
}

/** Of a request: waiting for its quorum or past its end, decided and not yet done, or what came of it. */
export type Execution = 'waiting' | 'due' | 'succeeded' | 'failed' | 'denied'

/** A person or an app, by the id that the wire has of them. */
export interface StoredApprover {
  readonly kind: 'person' | 'app'
  readonly id: string
}

/** What a reviewer proves with an approval. */
export interface StoredReviewer extends StoredApprover {
  readonly requiresPassword: boolean
  readonly requiresSecurityKey: boolean
}

export interface StoredSubject {
  readonly kind: 'account' | 'group' | 'app' | 'key'
  readonly id: string
}

interface FortanixRequestTable {
  org_id: string
  request_id: string
  requester_kind: 'person' | 'app'
  requester_id: string
  method: string
  /** The path, with its query if there is one. */
  operation: string
  /** Sealed JSON; null without. */
  body: Uint8Array | null
  subjects: Json<StoredSubject[]>
  subject_ids: string[]
  reviewers: Json<StoredReviewer[]>
  reviewer_ids: string[]
  execution: Generated<Execution>
  created_at: Date
  expires_at: Date
  is_sensitive: boolean
  result_status: Generated<number | null>
  /** Sealed JSON; null until there is one. */
  result: Generated<Uint8Array | null>
  executed_at: Generated<Date | null>
  is_result_viewed: Generated<boolean>
}

interface FortanixApprovalTable {
  org_id: string
  request_id: string
  principal_id: string
  /** Sealed JSON. */
  body: Uint8Array
}
