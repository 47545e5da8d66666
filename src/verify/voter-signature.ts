import type { KeyObject } from 'node:crypto'
import { isRs256By, readRsaKey } from '../proof/jws.ts'
import type { Receipt, ReceiptAssurance, ReceiptVote } from '../proof/statement.ts'
import { readVoteJws, type VoteClaims } from '../proof/vote-jws.ts'
import { failure, type Failure } from './failure.ts'
import { shownId } from './printed.ts'
import type { Trust } from './trust.ts'
import { checkSecurityKey } from './voter-key.ts'

/** Milliseconds. The server takes 300 s, and a moment passes until it reads the clock for the vote itself. */
const mostSkew = 310_000

/** What of the votes need not be taken on the server's word. */
export interface BelievedProofs {
  /** What was signed, by the numbers of the votes whose own signature verifies under a key given. */
  readonly verified: ReadonlyMap<number, VoteClaims>
  /** What security keys signed, by the numbers of the votes that they proved. */
  readonly securityKeys: ReadonlyMap<number, UsedSecurityKey>
  /** Of what a vote is said to have proved what is believed. */
  believed(vote: Pick<ReceiptVote, 'seq' | 'assurance'>): readonly ReceiptAssurance[]
}

export interface UsedSecurityKey {
  readonly key: KeyObject
  /** Whether it is one of those given of its voter; otherwise that it is theirs is the server's word. */
  readonly isOwn: boolean
}

/** Every voter's signature (docs/receipt.md, "What of it is to be believed", 1 to 4). */
export function checkVoterSignatures(receipt: Receipt, trust: Trust): BelievedProofs | Failure {
  const verified = new Map<number, VoteClaims>()
  const securityKeys = new Map<number, UsedSecurityKey>()
  const before: Before = { nonces: new Set(), times: new Map() }
  const answered = new Set<string>()
  for (const vote of receipt.votes) {
    const said = checkSigned(receipt, vote, before)
    if (said !== null && 'code' in said) return said
    const key = checkSecurityKey(receipt, vote, answered)
    if (key !== null && 'code' in key) return key
    const given = trust.voterKeys.get(vote.principal)
    const isOwn = given !== undefined && isBy(given, vote, key)
    if (given !== undefined && !isOwn && (said !== null || key !== null)) {
      return bad(vote, 'does not verify under the keys given of its voter')
    }
    if (said !== null && isOwn) verified.set(vote.seq, said)
    if (key !== null) securityKeys.set(vote.seq, { key, isOwn })
    if (trust.voterKeys.size > 0 && !isOwn && !trust.unsigned.has(vote.principal)) {
      return said === null && key === null
        ? bad(vote, `is not there, and ${shownId(vote.principal)} is not among those of --unsigned`)
        : keyMissing(vote)
    }
  }
  const isOwn = (seq: number) => securityKeys.get(seq)?.isOwn === true
  return {
    verified,
    securityKeys,
    believed: ({ seq, assurance }) =>
      assurance.filter((proof) => {
        if (proof === 'signature') return verified.has(seq)
        return proof !== 'securityKey' || !trust.needsOwnKeys || isOwn(seq)
      }),
  }
}

/** Whether one of these keys signed: of an agent the vote itself, of a person the challenge that their security key answered. */
function isBy(given: readonly KeyObject[], { signature }: ReceiptVote, answeredBy: KeyObject | null): boolean {
  if (signature !== undefined) return given.some((key) => key.asymmetricKeyType === 'rsa' && isRs256By(key, signature))
  return answeredBy !== null && given.some((key) => key.equals(answeredBy))
}

/** A vote that its voter signed, and no key of theirs is given. */
export function keyMissing({ seq, principal }: Pick<ReceiptVote, 'seq' | 'principal'>): Failure {
  return failure(
    'voter-key-missing',
    `Vote ${seq} is signed by ${shownId(principal)}: give their key with --voter-key ${shownId(principal)}=FILE.`,
  )
}

/** What the signatures of earlier votes said. */
interface Before {
  /** With the principal's id before each. */
  readonly nonces: Set<string>
  /** Seconds since 1970, of the last one by the principal's id. */
  readonly times: Map<string, number>
}

/** What can be said of a signature without a key from elsewhere; null of a vote that has none. */
function checkSigned(receipt: Receipt, vote: ReceiptVote, { nonces, times }: Before): VoteClaims | Failure | null {
  const { signature, publicKey, assurance, principal } = vote
  if (assurance.includes('signature') !== (signature !== undefined)) {
    return bad(vote, 'is not there exactly when its vote says so')
  }
  if (signature === undefined) return publicKey === undefined ? null : bad(vote, 'is missing, and a key is there')
  const read = readVoteJws(signature)
  if ('mustBe' in read) return bad(vote, `is not ${read.mustBe}`)
  const said = read.claims
  const other = otherMember(said, receipt, vote)
  if (other !== null) return bad(vote, `says something else than the vote: its ${other}`)
  const nonce = `${principal} ${said.nonce}`
  if (nonces.has(nonce)) return bad(vote, 'has been used before')
  nonces.add(nonce)
  // Whoever orders the votes may not turn those of one voter around.
  if (said.iat < (times.get(principal) ?? 0))
    return bad(vote, 'is older than that of an earlier vote of the same voter')
  times.set(principal, said.iat)
  if (publicKey === undefined) return said
  const key = readRsaKey(publicKey)
  return key !== null && isRs256By(key, signature) ? said : bad(vote, 'does not verify under the key beside it')
}

/** The first member that says something else than the receipt; null when all say the same. */
function otherMember(said: VoteClaims, { organization, request, policy }: Receipt, vote: ReceiptVote): string | null {
  const expected = {
    iss: vote.principal,
    org: organization,
    request: request.id,
    digest: request.digest,
    policyDigest: policy.digest,
    stance: vote.stance,
    stage: vote.stage,
  } as const
  const names = Object.keys(expected) as (keyof typeof expected)[]
  const other = names.find((name) => said[name] !== expected[name])
  if (other !== undefined) return other
  const seats = [...new Set(said.seats)]
  if (seats.length !== vote.seats.length || seats.some((seat, index) => seat !== vote.seats[index])) return 'seats'
  return Math.abs(Date.parse(vote.at) - said.iat * 1000) <= mostSkew ? null : 'iat'
}

function bad({ seq }: ReceiptVote, what: string): Failure {
  return failure('bad-voter-signature', `The voter's signature of vote ${seq} ${what}.`)
}
