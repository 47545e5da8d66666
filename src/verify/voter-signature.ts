import { isRs256By, readRsaKey } from '../proof/jws.ts'
import type { Receipt, ReceiptVote } from '../proof/statement.ts'
import { failure, type Failure } from './failure.ts'
import { signatureHeaderShape, signaturePayloadShape } from './shapes.ts'
import type { Trust } from './trust.ts'

/** Milliseconds. The server takes 300 s, and a moment passes until it reads the clock for the vote itself. */
const mostSkew = 310_000

/** What of the votes need not be taken on the server's word. */
export interface BelievedSignatures {
  /** Numbers of the votes whose own signature verifies under a key given. */
  readonly verified: ReadonlySet<number>
}

/** Every voter's signature (docs/receipt.md, "What of it is to be believed", 1 to 3). */
export function checkVoterSignatures(receipt: Receipt, trust: Trust): BelievedSignatures | Failure {
  const verified = new Set<number>()
  const nonces = new Set<string>()
  for (const vote of receipt.votes) {
    const wrong = checkSigned(receipt, vote, nonces)
    if (wrong !== null) return wrong
    const keys = trust.voterKeys.get(vote.principal)
    if (vote.signature !== undefined && keys !== undefined) {
      const { signature } = vote
      if (!keys.some((key) => isRs256By(key, signature))) {
        return bad(vote, 'does not verify under the keys given of its voter')
      }
      verified.add(vote.seq)
    }
    if (trust.voterKeys.size > 0 && !verified.has(vote.seq) && !trust.unsigned.has(vote.principal)) {
      return vote.signature === undefined
        ? bad(vote, `has no signature, and ${vote.principal} is not among those of --unsigned`)
        : keyMissing(vote)
    }
  }
  return { verified }
}

/** A vote that its rule wants signed, and of whose voter no key is given. */
export function keyMissing({ seq, principal }: Pick<ReceiptVote, 'seq' | 'principal'>): Failure {
  return failure(
    'voter-key-missing',
    `Vote ${seq} is signed by ${principal}: give their key with --voter-key ${principal}=FILE.`,
  )
}

/** What can be said of a signature without a key from elsewhere. */
function checkSigned(receipt: Receipt, vote: ReceiptVote, nonces: Set<string>): Failure | null {
  const { signature, publicKey, kind, assurance } = vote
  if (assurance.includes('signature') !== (signature !== undefined)) {
    return bad(vote, 'is not there exactly when its vote says so')
  }
  if (signature === undefined) return publicKey === undefined ? null : bad(vote, 'is missing, and a key is there')
  if (kind !== 'agent') return bad(vote, 'is of a person, who cannot sign')
  const said = payloadOf(signature)
  if (said === null) return bad(vote, 'is not of the form of a vote')
  if (!saysTheSame(said, receipt, vote)) return bad(vote, 'says something else than the vote')
  const nonce = `${vote.principal} ${said.nonce}`
  if (nonces.has(nonce)) return bad(vote, 'has been used before')
  nonces.add(nonce)
  if (publicKey === undefined) return null
  const key = readRsaKey(publicKey)
  return key !== null && isRs256By(key, signature) ? null : bad(vote, 'does not verify under the key beside it')
}

interface SignedVote {
  readonly iss: string
  readonly org: string
  readonly request: string
  readonly digest: string
  readonly stance: string
  readonly seats: readonly string[]
  /** Seconds since 1970. */
  readonly iat: number
  readonly nonce: string
}

function payloadOf(jws: string): SignedVote | null {
  const parts = jws.split('.')
  const [header, payload, signature] = parts.map(bytesOf)
  if (parts.length !== 3 || !header || !payload || !signature) return null
  if (signatureHeaderShape(jsonOf(header), '').length > 0) return null
  const said = jsonOf(payload)
  return signaturePayloadShape(said, '').length > 0 ? null : (said as SignedVote)
}

function saysTheSame(said: SignedVote, { organization, request }: Receipt, vote: ReceiptVote): boolean {
  const seats = [...new Set(said.seats)]
  return (
    said.iss === vote.principal &&
    said.org === organization &&
    said.request === request.id &&
    said.digest === request.digest &&
    said.stance === vote.stance &&
    seats.length === vote.seats.length &&
    seats.every((seat, index) => seat === vote.seats[index]) &&
    Math.abs(Date.parse(vote.at) - said.iat * 1000) <= mostSkew
  )
}

/** Null unless it is base64url, canonical and not empty. */
function bytesOf(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url')
  return part !== '' && bytes.toString('base64url') === part ? bytes : null
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return undefined
  }
}

function bad({ seq }: ReceiptVote, what: string): Failure {
  return failure('bad-voter-signature', `The voter's signature of vote ${seq} ${what}.`)
}
