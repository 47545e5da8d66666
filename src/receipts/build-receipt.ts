import { createHash } from 'node:crypto'
import { contentOf } from '../approvals/request-content.ts'
import { headCovering } from '../audit/checkpoint.ts'
import { readLogKeys, signersOf } from '../audit/log-key.ts'
import { sealNow } from '../audit/seal.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { readCanonical, writeCanonical } from '../proof/canonical-json.ts'
import { sealEnvelope } from '../proof/dsse.ts'
import { isRs256By, normalRsaKey, readRsaKey } from '../proof/jws.ts'
import type { KeyEvidence } from '../proof/key-evidence.ts'
import type { NoteSigner } from '../proof/note.ts'
import {
  inTotoStatement,
  receiptType,
  type LeafContent,
  type ProvenLeaf,
  type Receipt,
  type ReceiptChange,
  type ReceiptDecision,
  type ReceiptName,
  type ReceiptVote,
  type Statement,
} from '../proof/statement.ts'
import { findOrigin } from '../store/log-reads.ts'
import { findPolicy } from '../store/policies.ts'
import {
  findFirstSealedLeaves,
  findSealedLeaves,
  findVoteExtras,
  type SealedLeaf,
  type VoteExtras,
} from '../store/receipts.ts'
import type { RequestRow } from '../store/requests.ts'
import { readPaths } from './read-paths.ts'

/**
 * The receipt of a decided request, signed with the log's newest key (docs/receipt.md). Its leaves are sealed first, so that it
 * can be had as soon as the decision is made. A few queries, however many voted.
 * @throws AppError RECEIPT_UNAVAILABLE
 */
export async function buildReceipt(ctx: Ctx, row: RequestRow): Promise<string> {
  const { org_id: orgId } = row
  await sealNow(ctx, orgId)
  const [own, extras, policy, origin] = await Promise.all([
    findSealedLeaves(ctx.db, orgId, row.id),
    findVoteExtras(ctx.db, orgId, row.id),
    findPolicy(ctx.db, orgId, row.policy_id),
    findOrigin(ctx.db, orgId),
  ])
  if (policy === undefined || origin === undefined) throw new Error(`request ${row.id} has no policy or no log`)
  const leaves = own.map(readLeaf)
  const request = leaves.find(({ kind }) => kind === 'request.created')
  const votes = leaves.filter(({ kind }) => kind === 'vote.cast')
  const changes = leaves.filter(({ kind }) => changeKinds.has(kind))
  // Of a request that was opened before leaves told enough there is none.
  if (request?.facts['policyDigest'] === undefined) throw unavailable()
  if (votes.length !== row.vote_seq) throw new Error(`the log has ${votes.length} votes of request ${row.id}`)

  const { beneficiary, beneficiaryPerson, grant } = request.facts as Partial<Receipt['request']>
  const concerned = [beneficiary, grant?.principal, grant?.group].filter((id) => id !== undefined)
  const principals = [request.facts['requester'], ...votes.map(actorId)] as string[]
  const seats = votes.flatMap(({ facts }) => [facts['seats'], facts['held'] ?? []].flat()) as string[]
  const made = await findMade(ctx, orgId, [
    row.policy_id,
    ...principals,
    ...concerned,
    ...seats,
    ...policy.group_ids,
    ...policy.principal_ids,
  ])
  const policyLeaf = made.get(row.policy_id)
  if (policyLeaf?.facts['policyDigest'] !== request.facts['policyDigest']) throw unavailable()

  const used = [request, policyLeaf, ...votes, ...changes, ...made.values()]
  const last = used.reduce((most, { index }) => Math.max(most, index), 0)
  const { size, note } = await headCovering(ctx, orgId, last)
  const indexes = [...new Set(used.map(({ index }) => index))]
  const paths = await readPaths(ctx.db, orgId, indexes, size)
  const proven = (leaf: ReadLeaf): ProvenLeaf => ({
    index: leaf.index,
    content: leaf.content,
    path: (paths.get(leaf.index) ?? []).map((hash) => Buffer.from(hash).toString('base64')),
  })

  const bySeq = new Map(extras.map((extra) => [extra.seq, extra]))
  const receipt: Receipt = {
    organization: orgId,
    request: {
      id: row.id,
      dialect: row.dialect,
      policy: row.policy_id,
      requester: row.requester_id,
      person: row.requester_person_id,
      ...(beneficiary !== undefined && { beneficiary }),
      ...(beneficiaryPerson !== undefined && { beneficiaryPerson }),
      ...(grant !== undefined && { grant }),
      createdAt: request.at,
      expiresAt: row.expires_at.toISOString(),
      digest: row.digest,
      content: contentText(row, contentOf(row, policy)),
      leaf: proven(request),
    },
    policy: policyOf(row.policy_id, policyLeaf, proven(policyLeaf)),
    votes: votes.map((leaf) => voteOf(leaf, bySeq.get(Number(leaf.facts['seq'])), proven(leaf))),
    changes: changes.map((leaf) => changeOf(leaf, proven(leaf))),
    decision: decisionOf(row, [...votes, ...changes]),
    names: {
      principals: namesOf(made, ['user.created', 'agent.registered', 'api-client.created', 'app.created'], proven),
      groups: namesOf(made, ['group.created'], proven),
    },
    log: { origin, checkpoint: note },
  }
  return sealEnvelope(writeCanonical(statementOf(receipt)), await newestSigner(ctx, origin))
}

// What became of a role after the decision is not told: a receipt from before would not know.
const changeKinds: ReadonlySet<string> = new Set([
  'request.stage-closed',
  'request.canceled',
  'request.expired',
  'request.terms-changed',
])

/** A sealed leaf with what it says. */
type ReadLeaf = Omit<LeafContent, 'v' | 'org' | 'subject' | 'nonce'> &
  Pick<SealedLeaf, 'private' | 'subject_id'> & { readonly index: number; readonly content: string }

function readLeaf({ index, content, private: texts, subject_id }: SealedLeaf): ReadLeaf {
  const said = readCanonical(content) as LeafContent | undefined
  if (said === undefined) throw unavailable()
  const { kind, actor, at, facts, committed } = said
  return {
    index: Number(index),
    content,
    private: texts,
    subject_id,
    kind,
    actor,
    at,
    facts,
    ...(committed && { committed }),
  }
}

/** The entries that tell of the making of these, by their ids. */
async function findMade(ctx: Ctx, orgId: string, ids: readonly string[]): Promise<Map<string, ReadLeaf>> {
  const rows = await findFirstSealedLeaves(ctx.db, orgId, [...new Set(ids)])
  const leaves = rows.filter(({ kind }) => committedName[kind] !== undefined).map(readLeaf)
  return new Map(leaves.map((leaf) => [leaf.subject_id, leaf]))
}

/** Under which name the leaf of a making commits to the name of what it made. */
const committedName: Readonly<Record<string, string>> = {
  'user.created': 'displayName',
  'agent.registered': 'name',
  'api-client.created': 'name',
  'app.created': 'name',
  'group.created': 'name',
  'template.created': 'name',
  'template.updated': 'name',
}

function actorId({ actor }: ReadLeaf): string {
  return 'id' in actor ? actor.id : ''
}

function policyOf(id: string, { facts, private: texts }: ReadLeaf, leaf: ProvenLeaf): Receipt['policy'] {
  const name = texts?.['name']
  return {
    id,
    digest: facts['policyDigest'] as string,
    stages: facts['stages'] as readonly object[],
    options: facts['options'] as object,
    ...(name && { name: { salt: name.salt, text: name.text } }),
    leaf,
  }
}

function voteOf({ facts, at, actor }: ReadLeaf, extra: VoteExtras | undefined, leaf: ProvenLeaf): ReceiptVote {
  const { policy: _, person = null, signature: signatureDigest, evidence: evidenceDigest, ...said } = facts
  const { signature = null, evidence = null } = extra ?? {}
  const isWhole = (signatureDigest === undefined) === (signature === null)
  if (!isWhole || (evidenceDigest === undefined) !== (evidence === null))
    throw new Error(`vote ${String(facts['seq'])} has lost what its voter signed`)
  return {
    ...(said as unknown as Omit<ReceiptVote, 'at' | 'principal' | 'kind' | 'person' | 'leaf'>),
    at,
    principal: 'id' in actor ? actor.id : '',
    kind: actor.kind === 'agent' ? 'agent' : 'human',
    person: person as string | null,
    ...(signature !== null && { signature, ...publicKeyOf(signature, extra?.public_key ?? null) }),
    ...(evidence !== null && { evidence: evidence as KeyEvidence }),
    ...(extra?.reason != null &&
      extra.reason_salt !== null && { reason: { salt: extra.reason_salt, text: extra.reason } }),
    leaf,
  }
}

/** The voter's key in the one form that a receipt has it in, unless they have another by now. */
function publicKeyOf(signature: string, pem: string | null): { publicKey?: string } {
  const publicKey = pem === null ? null : normalRsaKey(pem)
  const key = publicKey === null ? null : readRsaKey(publicKey)
  return publicKey !== null && key !== null && isRs256By(key, signature) ? { publicKey } : {}
}

function changeOf({ kind, facts, at, actor }: ReadLeaf, leaf: ProvenLeaf): ReceiptChange {
  const { policy: _, digest: __, ...said } = facts
  return { ...said, kind, at, actor, leaf } as unknown as ReceiptChange
}

function decisionOf({ is_final }: RequestRow, events: readonly ReadLeaf[]): ReceiptDecision {
  const inOrder = events.toSorted((a, b) => a.index - b.index)
  const last = inOrder.findLast(({ facts }) => facts['from'] !== facts['to'])
  if (last === undefined) throw new Error('nothing decided a request that is decided')
  const { facts, at, index } = last
  return {
    status: facts['to'] as ReceiptDecision['status'],
    isFinal: is_final,
    at,
    seq: Number(facts['seq']),
    leaf: index,
  }
}

function namesOf(
  made: ReadonlyMap<string, ReadLeaf>,
  kinds: readonly string[],
  proven: (leaf: ReadLeaf) => ProvenLeaf,
): ReceiptName[] {
  return [...made].flatMap(([id, leaf]) => {
    const name = leaf.private?.[committedName[leaf.kind] ?? '']
    return name === undefined || !kinds.includes(leaf.kind)
      ? []
      : [{ id, name: name.text, salt: name.salt, leaf: proven(leaf) }]
  })
}

/** Null when it is not any more what was decided on, since something of it was erased. */
function contentText(row: RequestRow, content: object): string | null {
  const text = writeCanonical(content)
  return createHash('sha256').update(text).digest('hex') === row.digest ? text : null
}

function statementOf(receipt: Receipt): Statement {
  const { id, digest } = receipt.request
  return {
    _type: inTotoStatement,
    subject: [{ name: id, digest: { sha256: digest } }],
    predicateType: receiptType,
    predicate: receipt,
  }
}

async function newestSigner(ctx: Ctx, origin: string): Promise<NoteSigner> {
  const [signer] = signersOf(await readLogKeys(ctx), origin, ctx.clock.now())
  if (signer === undefined) throw new Error('the log has no key')
  return signer
}

function unavailable(): AppError {
  return new AppError('RECEIPT_UNAVAILABLE')
}
