import { createHash } from 'node:crypto'
import type { Rule } from '../kernel/rule.ts'
import type { KeyEvidence } from '../proof/key-evidence.ts'
import type { Receipt, ReceiptAssurance, ReceiptChange, ReceiptTerms, ReceiptVote } from '../proof/statement.ts'
import type { VoteClaims } from '../proof/vote-jws.ts'
import { quoted, shownId } from './printed.ts'
import type { VerifiedReceipt } from './verify-receipt.ts'
import type { BelievedProofs } from './voter-signature.ts'

/** What a verified receipt says, for machines (`--json`) and as what people are told. */
export interface Account {
  readonly organization: string
  readonly request: {
    readonly id: string
    readonly digest: string
    readonly requester: Named
    /** Whom it is for, where that is somebody else; null otherwise. */
    readonly beneficiary: Named | null
    /** What an approval does to a role; null when nothing. */
    readonly grant: AccountGrant | null
    readonly createdAt: string
    readonly expiresAt: string
    /** Null when it was erased. */
    readonly content: RequestText | null
  }
  readonly policy: {
    readonly id: string
    readonly name: string | null
    readonly digest: string
    readonly rule: readonly string[]
  }
  readonly events: readonly AccountEvent[]
  readonly decision: Receipt['decision']
  readonly log: {
    readonly origin: string
    readonly size: number
    readonly witnesses: readonly { readonly name: string; readonly time: string }[]
  }
}

export interface Named {
  readonly id: string
  readonly name: string | null
}

export interface AccountGrant {
  readonly operation: 'grant' | 'remove'
  readonly principal: Named
  readonly group: Named
  /** Null for a removal. */
  readonly asked: ReceiptTerms | null
  /** What was asked for or, where an approval put others in its place, these; null unless a grant was approved. */
  readonly approved: ReceiptTerms | null
  readonly isRevocable: boolean
}

export interface RequestText {
  readonly name: string
  readonly description: string | null
  /** Without the grant. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface SignedPart {
  readonly stance: string
  readonly stage: number
  readonly seats: readonly string[]
  /** By the voter's clock. */
  readonly at: string
}

export interface AccountKey {
  /** SHA-256, in hex, of its public key as COSE: as the leaf of its registration tells it. */
  readonly publicKeySha256: string
  /** Where the page was from that asked for it. */
  readonly origin: string
}

export type AccountEvent =
  | {
      readonly kind: 'vote'
      readonly seq: number
      readonly at: string
      readonly voter: Named & { readonly kind: 'human' | 'agent' }
      readonly stance: ReceiptVote['stance']
      readonly seats: readonly Named[]
      readonly assurance: readonly ReceiptAssurance[]
      /**
       * What was checked beside the server's word: the voter's own signature, or the answer of a security key, which is the
       * voter's own where its key was given, and otherwise on the server's word.
       */
      readonly evidence: 'signature' | 'own-security-key' | 'security-key' | 'log'
      /**
       * What of it the voter signed beside the request, its digest and that of the rule; null when no signature was checked.
       * Everything else of the vote is the server's word.
       */
      readonly signed: SignedPart | null
      /** Which security key answered; null where none did. It approves the request, its digest and the rule's, and no more. */
      readonly securityKey: AccountKey | null
      readonly reason: string | null
      readonly from: string
      readonly to: string
    }
  | {
      readonly kind: 'request.stage-closed' | 'request.canceled' | 'request.expired'
      readonly at: string
      readonly by: Named | null
      readonly from: string
      readonly to: string
    }
  | {
      readonly kind: 'request.terms-changed'
      readonly at: string
      readonly by: Named | null
      readonly terms: ReceiptTerms
    }

export function accountOf({ receipt, policy, log, proofs }: VerifiedReceipt): Account {
  const { request, votes, changes, decision } = receipt
  const named = namesOf(receipt)
  const placed = [
    ...votes.map((vote) => ({
      index: vote.leaf.index,
      event: voteEvent(vote, named, proofs),
    })),
    ...changes.map((change) => ({ index: change.leaf.index, event: changeEvent(change, named) })),
  ]
  return {
    organization: receipt.organization,
    request: {
      id: request.id,
      digest: request.digest,
      requester: named(request.requester),
      beneficiary: request.beneficiary === undefined ? null : named(request.beneficiary),
      grant: grantOf(receipt, named),
      createdAt: request.createdAt,
      expiresAt: request.expiresAt,
      content: textOf(request.content),
    },
    policy: {
      id: receipt.policy.id,
      name: receipt.policy.name?.text ?? null,
      digest: receipt.policy.digest,
      rule: [
        ...policy.stages.flatMap(({ binding, rule }, stage) => [
          ...(policy.stages.length > 1 ? [`Stage ${stage + 1}${binding ? '' : ', advisory'}:`] : []),
          ...ruleLines(rule, named, policy.stages.length > 1 ? 1 : 0),
        ]),
        ...(policy.options.singleVote === true ? [singleVoteLine] : []),
        ...(policy.options.approvesOnce === true ? [approvesOnceLine] : []),
      ],
    },
    events: placed.toSorted((a, b) => a.index - b.index).map(({ event }) => event),
    decision,
    log: {
      origin: log.checkpoint.origin,
      size: log.checkpoint.size,
      witnesses: log.cosignings.map(({ witness, time }) => ({ name: witness, time: timeOf(time) })),
    },
  }
}

const singleVoteLine = 'Each approver votes once in a stage, takes one seat in it, and takes nothing back.'
const approvesOnceLine = 'An approval stands: nobody takes one back. A veto ends the request.'

type Naming = (id: string) => Named

function namesOf({ names }: Receipt): Naming {
  const byId = new Map([...names.principals, ...names.groups].map(({ id, name }) => [id, shortened(name)]))
  return (id) => ({ id, name: byId.get(id) ?? null })
}

/** A name is told wherever who has it is, and a rule may have hundreds of seats. */
function shortened(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName)}…` : name
}

const longestName = 200

function voteEvent(vote: ReceiptVote, named: Naming, { verified, securityKeys }: BelievedProofs): AccountEvent {
  const said = verified.get(vote.seq)
  const isOwn = securityKeys.get(vote.seq)?.isOwn === true
  const { evidence } = vote
  const byKey = isOwn ? 'own-security-key' : 'security-key'
  const { seq, at, stance, assurance, from, to } = vote
  return {
    kind: 'vote',
    seq,
    at,
    voter: { ...named(vote.principal), kind: vote.kind },
    stance,
    seats: vote.seats.map(named),
    assurance,
    evidence: said !== undefined ? 'signature' : evidence !== undefined ? byKey : 'log',
    signed: said === undefined ? null : signedPart(said),
    securityKey: evidence === undefined ? null : keyOf(evidence),
    reason: vote.reason?.text ?? null,
    from,
    to,
  }
}

function keyOf({ publicKey, origin }: KeyEvidence): AccountKey {
  const publicKeySha256 = createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex')
  return { publicKeySha256, origin }
}

function changeEvent(change: ReceiptChange, named: Naming): AccountEvent {
  const { at, actor } = change
  const by = 'id' in actor ? named(actor.id) : null
  if (change.kind === 'request.terms-changed') return { kind: change.kind, at, by, terms: termsOf(change) }
  const { kind, from, to } = change
  return { kind, at, by, from, to }
}

function grantOf({ request, changes, decision }: Receipt, named: Naming): AccountGrant | null {
  const { grant } = request
  if (grant === undefined) return null
  const { operation, principal, group, isRevocable } = grant
  const asked = grant.operation === 'grant' ? termsOf(grant) : null
  const changed = changes.findLast((change) => change.kind === 'request.terms-changed')
  const last = changed === undefined ? asked : termsOf(changed)
  return {
    operation,
    principal: named(principal),
    group: named(group),
    asked,
    approved: decision.status === 'approved' ? last : null,
    isRevocable,
  }
}

function termsOf({ grantKind, startsAt, endsAt, floatingHours }: ReceiptTerms): ReceiptTerms {
  return {
    grantKind,
    ...(startsAt !== undefined && { startsAt }),
    ...(endsAt !== undefined && { endsAt }),
    ...(floatingHours !== undefined && { floatingHours }),
  }
}

function signedPart({ stance, stage, seats, iat }: VoteClaims): SignedPart {
  return { stance, stage, seats: [...new Set(seats)], at: timeOf(iat) }
}

function textOf(content: string | null): RequestText | null {
  if (content === null) return null
  const { name, description, metadata } = JSON.parse(content) as RequestText
  const texts = Object.entries(metadata).filter(([, text]) => typeof text === 'string')
  return { name, description, metadata: Object.fromEntries(texts) }
}

function ruleLines(rule: Rule, named: Naming, depth: number): string[] {
  const indent = '  '.repeat(depth)
  switch (rule.kind) {
    case 'seats': {
      const { atLeast, from, assurance = [] } = rule
      const proof = assurance.length > 0 ? `, each having proved ${assurance.join(' and ')}` : ''
      const who =
        from.kind === 'group' ? `${atLeast} of the group ${shownName(named(from.id))}` : shownName(named(from.id))
      return [`${indent}${who}${proof}`]
    }
    case 'threshold': {
      const { atLeast, of } = rule
      const head = atLeast === of.length ? 'all of these:' : `at least ${atLeast} of these ${of.length}:`
      return [`${indent}${head}`, ...of.flatMap((child) => ruleLines(child, named, depth + 1))]
    }
  }
}

/** Seconds since 1970, which may have been signed far beyond any calendar. */
function timeOf(seconds: number): string {
  const time = new Date(seconds * 1000)
  return Number.isNaN(time.getTime()) ? `${seconds} s` : time.toISOString()
}

export function shownName({ id, name }: Named): string {
  return name === null ? shownId(id) : `${quoted(name)} (${shownId(id)})`
}
