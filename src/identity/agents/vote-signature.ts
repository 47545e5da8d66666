import { AppError } from '../../errors.ts'
import type { AgentKey } from './agent-key.ts'
import { agentAlgorithm, isSignedBy, readJwt, type UnverifiedJwt } from './signed-jwt.ts'

/** The vote that a signature must be about, as the call and the store have it. */
export interface VoteToSign {
  readonly orgId: string
  readonly agentId: string
  readonly requestId: string
  /** Hex, of the content that is decided about. */
  readonly digest: string
  readonly stance: 'approve' | 'veto' | 'withdraw'
  /** Ids of the groups that an approval is for, in the order of the call; none for a veto or a withdrawal. */
  readonly seats: readonly string[]
}

/** How far the signer's clock may be from ours, either way. */
export const toleranceSeconds = 300

/** Room for a thousand seats in base64url. */
const maxLength = 64 * 1024
const header = ['alg', 'typ']
const claims = ['digest', 'iat', 'iss', 'nonce', 'org', 'request', 'seats', 'stance']

/**
 * Checks a voter's own signature over their vote (docs/voter-signatures.md): a compact JWS (RFC 7515) in one form only, so
 * that whoever reads it later reads what was checked here.
 * @returns the nonce; whether it was used before is for the caller
 * @throws AppError VOTE_SIGNATURE_MALFORMED, VOTE_SIGNATURE_INVALID, VOTE_SIGNATURE_EXPIRED, in this order
 */
export async function verifyVoteSignature(text: string, key: AgentKey, vote: VoteToSign, now: Date): Promise<string> {
  const jws = readJwt(text, maxLength)
  if (jws === null || !isCanonical(text)) return refuseForm('a compact JWS, its base64url without padding')
  const nonce = checkForm(jws)
  if (!(await isSignedBy(key, jws))) throw invalid('It was not made by the key that the agent has now.')
  checkVote(jws.claims, vote)
  const secondsAway = Math.abs(now.getTime() / 1000 - Number(jws.claims['iat']))
  if (secondsAway > toleranceSeconds) throw new AppError('VOTE_SIGNATURE_EXPIRED', undefined, about)
  return nonce
}

const about = { field: 'signature' }

/** Base64url has several spellings of one value (RFC 4648 section 3.5); the leaf commits to the text. */
function isCanonical(text: string): boolean {
  return text.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}

function checkForm({ header: sentHeader, claims: sent }: UnverifiedJwt): string {
  if (!hasExactly(sentHeader, header)) return refuseForm('with the header members alg and typ and no others')
  if (sentHeader['alg'] !== agentAlgorithm) return refuseForm(`signed with ${agentAlgorithm}`)
  if (sentHeader['typ'] !== 'quorate-vote+jws') return refuseForm('of the type quorate-vote+jws')
  if (!hasExactly(sent, claims)) return refuseForm(`with the claims ${claims.join(', ')} and no others`)
  if (!Number.isSafeInteger(sent['iat'])) return refuseForm('with iat in whole seconds')
  const nonce = sent['nonce']
  if (typeof nonce !== 'string' || !/^[\w-]{16,128}$/.test(nonce)) {
    return refuseForm('with a nonce of 16 to 128 characters of base64url')
  }
  return nonce
}

function hasExactly(members: object, names: readonly string[]): boolean {
  const sent = Object.keys(members)
  return sent.length === names.length && names.every((name) => Object.hasOwn(members, name))
}

function checkVote(sent: Readonly<Record<string, unknown>>, vote: VoteToSign): void {
  const expected = {
    iss: vote.agentId,
    org: vote.orgId,
    request: vote.requestId,
    digest: vote.digest,
    stance: vote.stance,
  }
  for (const [name, value] of Object.entries(expected)) {
    if (sent[name] !== value) throw invalid(`Its ${name} is not that of this vote.`)
  }
  const { seats } = sent
  const isSame =
    Array.isArray(seats) && seats.length === vote.seats.length && vote.seats.every((id, index) => seats[index] === id)
  if (!isSame) throw invalid('Its seats are not those of this vote, in the same order.')
}

function invalid(detail: string): AppError {
  return new AppError('VOTE_SIGNATURE_INVALID', detail, about)
}

function refuseForm(form: string): never {
  throw new AppError('VOTE_SIGNATURE_MALFORMED', `signature must be ${form}.`, about)
}
