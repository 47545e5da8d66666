import { isRs256By, readRsaKey } from '../proof/jws.ts'
import type { Receipt, ReceiptVote } from '../proof/statement.ts'
import { readVoteJws, type VoteClaims } from '../proof/vote-jws.ts'
import { failure, type Failure } from './failure.ts'
import { shownId } from './printed.ts'
import type { Trust } from './trust.ts'

/** Milliseconds. The server takes 300 s, and a moment passes until it reads the clock for the vote itself. */
const mostSkew = 310_000

/** What of the votes need not be taken on the server's word. */
export interface BelievedSignatures {
  /** What was signed, by the numbers of the votes whose own signature verifies under a key given. */
  readonly verified: ReadonlyMap<number, VoteClaims>
}

/** Every voter's signature (docs/receipt.md, "What of it is to be believed", 1 to 3). */
export function checkVoterSignatures(receipt: Receipt, trust: Trust): BelievedSignatures | Failure {
  const verified = new Map<number, VoteClaims>()
  const before: Before = { nonces: new Set(), times: new Map() }
  for (const vote of receipt.votes) {
    const said = checkSigned(receipt, vote, before)
    if (said !== null && 'code' in said) return said
    const keys = trust.voterKeys.get(vote.principal)
    if (said !== null && keys !== undefined) {
      const { signature = '' } = vote
      if (!keys.some((key) => isRs256By(key, signature))) {
        return bad(vote, 'does not verify under the keys given of its voter')
      }
      verified.set(vote.seq, said)
    }
    if (trust.voterKeys.size > 0 && !verified.has(vote.seq) && !trust.unsigned.has(vote.principal)) {
      return vote.signature === undefined
        ? bad(vote, `has no signature, and ${shownId(vote.principal)} is not among those of --unsigned`)
        : keyMissing(vote)
    }
  }
  return { verified }
}

/** A vote that its rule wants signed, and of whose voter no key is given. */
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
