/**
 * Receipts made without a server: what one tells is an object that can be bent, and everything that follows from it (leaves,
 * tree, checkpoint, signatures) is made anew. So can whoever owns the server.
 */
import { createHash } from 'node:crypto'
import { writeCanonical } from '../../src/proof/canonical-json.ts'
import { renderCheckpoint } from '../../src/proof/checkpoint.ts'
import { sealEnvelope } from '../../src/proof/dsse.ts'
import { inclusionPath, leafHash, nodeHash, rootOf, type Hash } from '../../src/proof/merkle.ts'
import { signNote, type NoteSigner } from '../../src/proof/note.ts'
import {
  inTotoStatement,
  receiptType,
  type LeafContent,
  type ProvenLeaf,
  type Receipt,
  type ReceiptActor,
  type ReceiptChange,
  type ReceiptDecision,
  type ReceiptMove,
  type ReceiptTermsChange,
  type ReceiptVote,
  type SaltedText,
} from '../../src/proof/statement.ts'

/** Without a digest of its own: it is cast on that of the request. */
export type ToldVote = Omit<ReceiptVote, 'leaf' | 'digest'> & { readonly digest?: string }
export type ToldMove = Omit<ReceiptMove, 'leaf'>
export type ToldTerms = Omit<ReceiptTermsChange, 'leaf'>
export type ToldChange = ToldMove | ToldTerms
export type ToldEvent = ToldVote | ToldChange

export interface ToldName {
  readonly id: string
  readonly kind: 'user.created' | 'agent.registered' | 'api-client.created' | 'app.created' | 'group.created'
  readonly name: string
  readonly salt: string
  /** Who made it; the server, unless told. */
  readonly by?: ReceiptActor
}

/** What a receipt tells. Digests are worked out unless given. */
export interface Told {
  readonly organization: string
  readonly request: Omit<Receipt['request'], 'leaf' | 'digest' | 'content'> & {
    readonly digest?: string
    /** Null when it was erased; then `digest` has to be given. */
    readonly content: Readonly<Record<string, unknown>> | null
  }
  /** In the leaf of the request; the requester, unless told. */
  readonly askedBy?: ReceiptActor
  readonly policy: {
    readonly id: string
    readonly stages: readonly object[]
    readonly options: object
    readonly name?: SaltedText
  }
  /** In the order of the log. */
  readonly events: readonly ToldEvent[]
  readonly names: readonly ToldName[]
  /** That of the last event that changed the status, unless given. */
  readonly decision?: Partial<ReceiptDecision>
}

/** Who writes a log, and who watches it. */
export interface Notary {
  readonly signer: NoteSigner
  readonly witnesses?: readonly NoteSigner[]
  /** Entries about something else between those of the receipt. */
  readonly others: number
  /** The rule is written after the request, where it cannot be. */
  readonly isPolicyLate?: boolean
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
export const isTerms = (event: ToldEvent): event is ToldTerms => 'grantKind' in event
export const isVote = (event: ToldEvent): event is ToldVote => 'stance' in event
export const policyDigestOf = ({ stages, options }: Told['policy']): string =>
  sha256(writeCanonical({ stages, options }))

/** The content that is decided on, as text. */
export function contentOf({ request, policy }: Told): string | null {
  if (request.content === null) return null
  const { dialect, requester: requesterId } = request
  const fixed = { dialect, requesterId, policyId: policy.id, policyDigest: policyDigestOf(policy), revision: 1 }
  const { grant } = request
  const metadata = { ...(request.content['metadata'] as object), ...(grant && { grant }) }
  return writeCanonical({ ...fixed, ...request.content, metadata })
}

/** What votes are cast on. */
export function digestOf(told: Told): string {
  return told.request.digest ?? sha256(contentOf(told) ?? '')
}

/** The receipt that tells this, of a log in which all of it stands. */
export async function receiptOf(told: Told, notary: Notary): Promise<Receipt> {
  const log = growing(notary.others)
  const { organization, request, policy } = told
  const policyDigest = policyDigestOf(policy)
  const digest = digestOf(told)
  const add = (leaf: Omit<LeafContent, 'v' | 'org' | 'nonce'>) =>
    log.add(writeCanonical({ v: 1, org: organization, nonce: nonceOf(log.size()), ...leaf }))

  const named = told.names.map((name) => ({ ...name, leaf: add(leafOfName(name, request.createdAt)) }))
  const addPolicy = () =>
    add({
      kind: 'template.created',
      subject: policy.id,
      actor: { kind: 'human', id: request.requester },
      at: request.createdAt,
      facts: { dialect: request.dialect, version: 1, stages: policy.stages, options: policy.options, policyDigest },
      ...(policy.name && { committed: { name: commitment(policy.name) } }),
    })
  const early = notary.isPolicyLate === true ? null : addPolicy()
  const { content: _, digest: __, ...requested } = request
  const requestLeaf = add({
    kind: 'request.created',
    subject: request.id,
    actor: told.askedBy ?? { kind: 'human', id: request.requester },
    at: request.createdAt,
    facts: {
      dialect: request.dialect,
      digest,
      policy: request.policy,
      policyDigest,
      requester: request.requester,
      ...(request.person !== null && { person: request.person }),
      ...concernOf(request),
      expiresAt: request.expiresAt,
    },
  })
  const policyLeaf = early ?? addPolicy()
  const happened = told.events
    .map((event) => (isVote(event) ? { ...event, digest: event.digest ?? digest } : event))
    .map((event) => ({ event, leaf: add(leafOfEvent(event, told, digest)) }))
  const proof = await log.prove()
  const proven = happened.map(({ event, leaf }) => ({ ...event, leaf: proof(leaf) }))
  const moves = proven.filter((event) => !isTerms(event))
  const last = moves.findLast(({ from, to }) => from !== to) ?? moves.at(-1)
  const names = (kinds: readonly string[]) =>
    named
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ id, name, salt, leaf }) => ({ id, name, salt, leaf: proof(leaf) }))
  const checkpoint = renderCheckpoint({ origin: notary.signer.key.name, size: log.size(), root: log.root() })
  return {
    organization,
    request: { ...requested, digest, content: contentOf(told), leaf: proof(requestLeaf) },
    policy: { ...policy, digest: policyDigest, leaf: proof(policyLeaf) },
    votes: proven.filter((event) => isVote(event)) as ReceiptVote[],
    changes: proven.filter((event) => !isVote(event)) as ReceiptChange[],
    decision: {
      status: last?.to as ReceiptDecision['status'],
      isFinal: last?.to !== 'rejected' || (policy.options as { veto?: string }).veto === 'final',
      at: last?.at ?? request.createdAt,
      seq: last?.seq ?? 0,
      leaf: last?.leaf.index ?? 0,
      ...told.decision,
    },
    names: {
      principals: names(['user.created', 'agent.registered', 'api-client.created', 'app.created']),
      groups: names(['group.created']),
    },
    log: {
      origin: notary.signer.key.name,
      checkpoint: signNote(checkpoint, [notary.signer, ...(notary.witnesses ?? [])]),
    },
  }
}

/** The file of a receipt, whatever it says. */
export function fileOf(receipt: Receipt, signer: NoteSigner): string {
  return fileOfStatement(statementOf(receipt), signer)
}

export function statementOf(receipt: Receipt): Readonly<Record<string, unknown>> {
  const { id, digest } = receipt.request
  return {
    _type: inTotoStatement,
    subject: [{ name: id, digest: { sha256: digest } }],
    predicateType: receiptType,
    predicate: receipt,
  }
}

export function fileOfStatement(statement: unknown, signer: NoteSigner): string {
  return sealEnvelope(writeCanonical(statement), signer)
}

/** All of it at once. */
export async function fileTelling(told: Told, notary: Notary): Promise<string> {
  return fileOf(await receiptOf(told, notary), notary.signer)
}

function leafOfName(
  { id, kind, name, salt, by = { kind: 'system' } }: ToldName,
  at: string,
): Omit<LeafContent, 'v' | 'org' | 'nonce'> {
  const field = kind === 'user.created' ? 'displayName' : 'name'
  const committed = { [field]: commitment({ salt, text: name }) }
  return { kind, subject: id, actor: by, at, facts: {}, committed }
}

function concernOf({ beneficiary, beneficiaryPerson, grant }: Told['request']): object {
  return {
    ...(beneficiary !== undefined && { beneficiary }),
    ...(beneficiaryPerson !== undefined && { beneficiaryPerson }),
    ...(grant !== undefined && { grant }),
  }
}

function leafOfEvent(event: ToldEvent, { request }: Told, digest: string): Omit<LeafContent, 'v' | 'org' | 'nonce'> {
  if (!isVote(event)) {
    const { kind, at, actor, ...facts } = event
    const about = isTerms(event) ? {} : { digest, policy: request.policy }
    return { kind, subject: request.id, actor, at, facts: { ...facts, ...about } }
  }
  const { at, principal, kind, person, signature, publicKey: _, evidence, reason, ...facts } = event
  const actor: ReceiptActor = { kind, id: principal }
  return {
    kind: 'vote.cast',
    subject: request.id,
    actor,
    at,
    facts: {
      ...facts,
      policy: request.policy,
      ...(person !== null && { person }),
      ...(signature !== undefined && { signature: sha256(signature) }),
      ...(evidence !== undefined && { evidence: sha256(writeCanonical(evidence)) }),
    },
    ...(reason && { committed: { reason: commitment(reason) } }),
  }
}

function commitment({ salt, text }: SaltedText): string {
  return sha256(`${salt}\0${text}`)
}

/** Of an entry; random where the server makes it. */
function nonceOf(place: number): string {
  return createHash('sha256').update(`nonce ${place}`).digest().subarray(0, 16).toString('base64url')
}

/** A log in memory. Entries get their places as they come; proofs are made when it is complete. */
function growing(others: number) {
  const contents: string[] = []
  const hashes: Hash[] = []
  const push = (content: string) => {
    contents.push(content)
    hashes.push(leafHash(Buffer.from(content)))
    return contents.length - 1
  }
  return {
    add(content: string): number {
      for (let other = 0; other < others; other++) push(`{"other":${contents.length}}`)
      return push(content)
    },
    size: () => hashes.length,
    root: () => rootOf(hashes),
    async prove(): Promise<(index: number) => ProvenLeaf> {
      const rows = [hashes]
      for (let row = hashes; row.length > 1; rows.push(row)) {
        row = Array.from({ length: Math.floor(row.length / 2) }, (_, at) =>
          nodeHash(row[2 * at] as Hash, row[2 * at + 1] as Hash),
        )
      }
      const read = (level: number, index: number) => rows[level]?.[index] as Hash
      const paths = await Promise.all(contents.map((_, index) => inclusionPath(read, index, hashes.length)))
      return (index) => ({
        index,
        content: contents[index] ?? '',
        path: (paths[index] ?? []).map((hash) => Buffer.from(hash).toString('base64')),
      })
    },
  }
}
