import { hash, randomBytes, randomUUID } from 'node:crypto'
import canonicalize from 'canonicalize'
import { leafHash } from '../proof/merkle.ts'
import { markOf, type Marking } from './leaf-mark.ts'

/** Every kind of state change that leaves a leaf. */
export type LeafKind =
  | 'organization.created'
  | 'user.created'
  | 'user.signed-in'
  | 'user.stepped-up'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.changed'
  | 'user.removed'
  | 'password.changed'
  | 'security-key.added'
  | 'security-key.renamed'
  | 'security-key.removed'
  | 'security-key.used'
  | 'sessions.ended'
  | 'agent.registered'
  | 'api-client.created'
  | 'api-client.changed'
  | 'api-client.removed'
  | 'api-client.secret-changed'
  | 'api-key.created'
  | 'api-key.rotated'
  | 'api-key.revoked'
  | 'webhook-key.created'
  | 'webhook-key.revoked'
  | 'webhook-key.read'
  | 'agent.signed-in'
  | 'agent.changed'
  | 'agent.key-rotated'
  | 'agent.revoked'
  | 'agent.restored'
  | 'admin.added'
  | 'admin.removed'
  | 'group.created'
  | 'group.changed'
  | 'group.deleted'
  | 'memberships.added'
  | 'memberships.removed'
  | 'space.created'
  | 'space.deleted'
  | 'roles.assigned'
  | 'roles.removed'
  | 'quota.created'
  | 'quota.changed'
  | 'quota.deleted'
  | 'template.created'
  | 'template.updated'
  | 'template.deprecated'
  | 'template.closed'
  | 'template.deleted'
  | 'workflow.created'
  | 'workflow.changed'
  | 'workflow.deleted'
  | 'access-settings.changed'
  | 'request.created'
  | 'request.canceled'
  | 'request.expired'
  | 'request.stage-closed'
  | 'vote.cast'
  | 'request.deleted'
  | 'request.terms-changed'
  | 'request.grant-revoked'
  | 'grant.made'
  | 'grant.used'
  | 'grant.ended'
  | 'delivery.requeued'
  | 'action.tested'
  | 'operation.requested'
  | 'operation.contributed'
  | 'operation.due'
  | 'operation.executed'
  | 'operation.result-read'
  | 'text.erased'
  | 'person.registered'
  | 'person.changed'
  | 'person.recovery-codes-made'
  | 'person.signed-in'
  | 'person.proved-factor'
  | 'person.signed-out'
  | 'person.shut-out'
  | 'account.created'
  | 'account.changed'
  | 'account.selected'
  | 'member.invited'
  | 'member.joined'
  | 'member.changed'
  | 'member.declined'
  | 'quorum.set'
  | 'app.created'
  | 'app.changed'
  | 'app.secret-reset'
  | 'app.secret-read'
  | 'key.created'
  | 'key.changed'
  | 'key.used'
  | 'key.exported'
  | 'key.deleted'

/**
 * Who did it: a principal, perhaps through an API key of theirs; a person outside of any organization; the operator's admin
 * key; or the server by itself.
 */
export type LeafActor =
  | { readonly kind: 'human' | 'agent'; readonly id: string; readonly apiKey?: string }
  | { readonly kind: 'person'; readonly id: string }
  | { readonly kind: 'admin-key' }
  | { readonly kind: 'system' }

export interface Leaf {
  readonly orgId: string
  readonly kind: LeafKind
  /** What changed: the id of the request, group, user… */
  readonly subjectId: string
  readonly actor: LeafActor
  readonly at: Date
  /** Ids, numbers and closed words only. Free text and names go to `privateText`. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Text that the law may force us to erase: the leaf commits to it by salted hash, the text stands beside. */
  readonly privateText?: Readonly<Record<string, string | null | undefined>>
  /** Commitments to text that is kept elsewhere, beside its salt. */
  readonly committed?: Readonly<Record<string, string>>
}

export interface LeafRecord {
  readonly content: string
  /** Without it the leaf is never sealed (leaf-mark.ts). */
  readonly mark: Buffer
  readonly private: Readonly<Record<string, { salt: string; text: string }>> | null
}

/** The leaf's fixed bytes: canonical JSON (RFC 8785) of version 1, which the organization's tree will hash. */
export function renderLeaf(ctx: Marking, leaf: Leaf): LeafRecord {
  const kept: Record<string, { salt: string; text: string }> = {}
  const commitments: Record<string, string> = { ...leaf.committed }
  for (const [name, text] of Object.entries(leaf.privateText ?? {})) {
    if (text === null || text === undefined) continue
    const salt = randomBytes(16).toString('base64url')
    kept[name] = { salt, text }
    commitments[name] = commitmentTo(salt, text)
  }
  const content = canonicalJson({
    v: 1,
    org: leaf.orgId,
    kind: leaf.kind,
    subject: leaf.subjectId,
    actor: leaf.actor,
    at: leaf.at.toISOString(),
    // Hashes of leaves are shown to who may not read them, and one whose content can be guessed would tell it.
    nonce: newNonce(),
    facts: leaf.facts,
    ...(Object.keys(commitments).length > 0 && { committed: commitments }),
  })
  const mark = markOf(ctx, leaf.orgId, leaf.subjectId, leafHash(Buffer.from(content)))
  return { content, mark, private: Object.keys(kept).length > 0 ? kept : null }
}

/** The 16 bytes of a random UUID, base64url. UUIDs come from a cache; bytes would be a call into the system for every vote. */
function newNonce(): string {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
}

/** SHA-256 over salt, a zero byte and the text: reveals nothing about a short text to who does not have the salt. */
export function commitmentTo(salt: string, text: string): string {
  return hash('sha256', `${salt}\0${text}`, 'hex')
}

/** RFC 8785. @throws Error on a value that JSON cannot carry */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new Error('not a JSON value')
  return text
}
