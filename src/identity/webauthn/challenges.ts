import { randomBytes } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { voteChallenge, type VoteToProve } from '../../proof/vote-challenge.ts'
import {
  findSecurityKeys,
  openChallenge,
  takeChallenge,
  type ChallengeRow,
  type SecurityKeyRow,
} from '../../store/security-keys.ts'
import type { ChallengePurpose } from '../../store/schema-custody.ts'
import { isU2fKey } from './keys.ts'
import {
  creationOptions,
  requestOptions,
  u2fRequest,
  type CreationOptions,
  type RequestOptions,
  type U2fRequest,
} from './options.ts'
import { wrong } from './refused.ts'
import { relyingPartyOf } from './relying-party.ts'

export type Protocol = ChallengeRow['protocol']

/** How long a challenge is good for, in milliseconds (contract fortanix §5.1). */
const challengeMilliseconds = 300_000

export type VoteRequest =
  | { readonly protocol: 'fido2'; readonly options: RequestOptions }
  | { readonly protocol: 'u2f'; readonly options: U2fRequest }

/**
 * Opens the challenge of an approval, for whoever may give it. One that was open for the same person and request is void.
 * @throws AppError SECURITY_KEY_MISSING
 */
export async function openVoteChallenge(ctx: Ctx, vote: VoteToProve, protocol: Protocol): Promise<VoteRequest> {
  const keys = await usableKeys(ctx, vote.personId, protocol)
  const nonce = randomBytes(32)
  const challenge = voteChallenge(vote, nonce)
  await open(ctx, {
    purpose: 'vote',
    personId: vote.personId,
    subject: vote.requestId,
    orgId: vote.orgId,
    protocol,
    challenge,
    nonce,
  })
  if (protocol === 'u2f') return { protocol, options: u2fRequest(challenge, keys) }
  return { protocol, options: requestOptions(relyingPartyOf(ctx), challenge, keys) }
}

/** Opens the challenge of a sign-in whose second factor is owed. @throws AppError SECURITY_KEY_MISSING */
export async function openSignInChallenge(ctx: Ctx, personId: string, sessionId: string): Promise<RequestOptions> {
  const keys = await usableKeys(ctx, personId, 'fido2')
  const challenge = randomBytes(32)
  const session = { purpose: 'sign-in', personId, subject: sessionId, orgId: null, protocol: 'fido2' } as const
  await open(ctx, { ...session, challenge, nonce: challenge })
  return requestOptions(relyingPartyOf(ctx), challenge, keys)
}

/** Opens the challenge of a session that registers a key. */
export async function openRegistration(
  ctx: Ctx,
  person: { readonly id: string; readonly name: string },
  sessionId: string,
  protocol: Protocol,
): Promise<CreationOptions> {
  const challenge = randomBytes(32)
  const session = { purpose: 'register', personId: person.id, subject: sessionId, orgId: null, protocol } as const
  await open(ctx, { ...session, challenge, nonce: challenge })
  const keys = await findSecurityKeys(ctx.db, person.id)
  return creationOptions(relyingPartyOf(ctx), person, challenge, keys, protocol)
}

/** A challenge that was taken, and is used up. */
export interface TakenChallenge {
  readonly protocol: Protocol
  readonly orgId: string | null
  readonly challenge: Uint8Array
  readonly nonce: Uint8Array
  readonly openedAt: Date
}

/** @returns null when none is open, or not any more: it was taken before, a newer one voided it, or its time is up */
export async function takeOpenChallenge(
  { db, clock }: Pick<Ctx, 'db' | 'clock'>,
  personId: string,
  purpose: ChallengePurpose,
  subject: string,
): Promise<TakenChallenge | null> {
  const row = await takeChallenge(db, personId, purpose, subject)
  if (row === undefined || row.expires_at <= clock.now()) return null
  const { protocol, org_id: orgId, challenge, nonce, expires_at } = row
  return { protocol, orgId, challenge, nonce, openedAt: new Date(expires_at.getTime() - challengeMilliseconds) }
}

/** The key of the answer, where the challenge was for it. @throws AppError FACTOR_WRONG */
export function requireOffered(
  key: SecurityKeyRow | undefined,
  { openedAt, protocol }: TakenChallenge,
): SecurityKeyRow {
  const isOffered = key !== undefined && key.created_at <= openedAt && (protocol === 'fido2' || isU2fKey(key))
  if (!isOffered) throw wrong('credential is none that the challenge was for')
  return key
}

async function usableKeys(ctx: Ctx, personId: string, protocol: Protocol): Promise<SecurityKeyRow[]> {
  const all = await findSecurityKeys(ctx.db, personId)
  const keys = protocol === 'u2f' ? all.filter(isU2fKey) : all
  if (keys.length === 0) throw new AppError('SECURITY_KEY_MISSING')
  return keys
}

interface NewChallenge {
  readonly purpose: ChallengePurpose
  readonly personId: string
  readonly subject: string
  readonly orgId: string | null
  readonly protocol: Protocol
  readonly challenge: Uint8Array
  readonly nonce: Uint8Array
}

async function open({ db, clock }: Ctx, { purpose, personId, subject, orgId, ...opened }: NewChallenge): Promise<void> {
  const expires_at = new Date(clock.now().getTime() + challengeMilliseconds)
  await openChallenge(db, { ...opened, purpose, person_id: personId, subject, org_id: orgId, expires_at })
}
