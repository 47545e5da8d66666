import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { Stance } from '../../kernel/request.ts'
import type { Assurance } from '../../kernel/rule.ts'
import { readKeyEvidence, type KeyEvidence } from '../../proof/key-evidence.ts'
import { voteChallenge, type VoteToProve } from '../../proof/vote-challenge.ts'
import type { Tx } from '../../store/open.ts'
import { findSecurityKeyForUpdate, type SecurityKeyRow } from '../../store/security-keys.ts'
import { countPersonAttempt, isPersonPassword } from '../credentials/person-password.ts'
import { verifyAssertion, type Assertion } from './assertion.ts'
import { requireOffered, takeOpenChallenge, type TakenChallenge } from './challenges.ts'
import { countKey } from './count-key.ts'
import { userVerification } from './options.ts'
import { wrong } from './refused.ts'
import { relyingPartyOf } from './relying-party.ts'
import { verifyU2f, type U2fAnswer } from './u2f.ts'

/** What came with a vote to prove who casts it; what was not sent is absent. */
export interface VoteFactors {
  readonly password?: string
  readonly fido2?: Assertion
  readonly u2f?: U2fAnswer
}

/** Proofs that came with a vote: what they are of is claimed at once, and checked once nothing else speaks against the vote. */
export interface VoteProofs {
  readonly claims: readonly Assurance[]
  /**
   * In the vote's transaction, which holds the request and may run again.
   * @returns what to keep with the vote; null for nothing
   * @throws AppError FACTOR_WRONG
   */
  check(tx: Tx, vote: Omit<VoteToProve, 'personId'> & { readonly stance: Stance }): Promise<KeyEvidence | null>
}

/**
 * Casts a vote with what its voter sent to prove who they are. A challenge that an answer is to is used up before the vote's
 * transaction, so that a vote which is refused does not bring it back; an attempt at the password counts unless it was right, or
 * never looked at.
 * @param cast casts the vote, with the proofs; not in a larger transaction, which would bring the challenge back
 * @throws AppError INVALID_MEMBER with answers to two kinds of challenge, TOO_MANY_REQUESTS, FACTOR_WRONG; what `cast` throws
 */
export async function withVoteFactors<T>(
  ctx: Ctx,
  { personId, requestId }: { readonly personId: string; readonly requestId: string },
  { password, fido2, u2f }: VoteFactors,
  cast: (proofs: VoteProofs) => Promise<T>,
): Promise<T> {
  if (fido2 !== undefined && u2f !== undefined)
    throw new AppError('INVALID_MEMBER', 'Send u2f or fido2_auth_request, and not both.', { field: 'u2f' })
  const hasKey = fido2 !== undefined || u2f !== undefined
  const taken = hasKey ? await takeOpenChallenge(ctx, personId, 'vote', requestId) : null
  const takeBack = password === undefined ? null : await countPersonAttempt(ctx, personId)
  let isPasswordWrong = false
  const proofs: VoteProofs = {
    claims: [...(password === undefined ? [] : (['password'] as const)), ...(hasKey ? (['securityKey'] as const) : [])],
    async check(tx, { stance, ...vote }) {
      isPasswordWrong = password !== undefined && !(await isPersonPassword(tx, personId, password))
      if (isPasswordWrong) throw new AppError('FACTOR_WRONG', 'The password is wrong.', { field: 'password' })
      if (!hasKey) return null
      if (stance !== 'approve') throw wrong('challenge was for an approval')
      const toProve = { ...vote, personId }
      const signed = signedBy(taken, toProve)
      const evidence =
        fido2 === undefined
          ? await checkU2f(ctx, tx, personId, signed, u2f as U2fAnswer)
          : await checkFido2(ctx, tx, personId, signed, fido2)
      // Nothing is kept of which a receipt could not be verified.
      const read = readKeyEvidence(evidence, toProve)
      if ('problem' in read) throw wrong(`answer ${read.problem}`)
      return evidence
    },
  }
  try {
    return await cast(proofs)
  } finally {
    if (!isPasswordWrong) await takeBack?.()
  }
}

/** The challenge, if it is that of this very vote. @throws AppError FACTOR_WRONG */
function signedBy(taken: TakenChallenge | null, vote: VoteToProve): TakenChallenge {
  if (taken === null) throw wrong('challenge is not open, or not any more')
  // It commits to what is voted on, which may have changed since it was opened.
  if (!voteChallenge(vote, taken.nonce).equals(taken.challenge)) throw wrong('challenge was for other content')
  return taken
}

async function checkFido2(
  ctx: Ctx,
  tx: Tx,
  personId: string,
  taken: TakenChallenge,
  assertion: Assertion,
): Promise<KeyEvidence> {
  if (taken.protocol !== 'fido2') throw wrong('challenge was opened for U2F')
  const key = requireOffered(await findSecurityKeyForUpdate(tx, personId, assertion.credentialId), taken)
  const rp = relyingPartyOf(ctx)
  const expected = { rp, personId, key, challenge: taken.challenge, userVerification } as const
  const { counter, signedFor, origin } = await verifyAssertion(assertion, expected)
  await countKey(ctx, tx, personId, key, counter)
  return {
    kind: 'fido2',
    ...kept(key, taken, origin),
    signature: base64url(assertion.signature),
    clientDataJSON: base64url(assertion.clientDataJSON),
    authenticatorData: base64url(assertion.authenticatorData),
    rpId: signedFor,
  }
}

async function checkU2f(
  ctx: Ctx,
  tx: Tx,
  personId: string,
  taken: TakenChallenge,
  answer: U2fAnswer,
): Promise<KeyEvidence> {
  if (taken.protocol !== 'u2f') throw wrong('challenge was opened for FIDO2')
  const key = requireOffered(await findSecurityKeyForUpdate(tx, personId, answer.keyHandle), taken)
  const rp = relyingPartyOf(ctx)
  const { counter, origin } = verifyU2f(answer, { rp, key, challenge: taken.challenge })
  await countKey(ctx, tx, personId, key, counter)
  return {
    kind: 'u2f',
    ...kept(key, taken, origin),
    clientData: base64url(answer.clientData),
    signatureData: base64url(answer.signatureData),
    appId: rp.appId,
  }
}

function kept(key: SecurityKeyRow, { nonce }: TakenChallenge, origin: string) {
  return {
    nonce: base64url(nonce),
    credentialId: base64url(key.credential_id),
    publicKey: base64url(key.public_key),
    origin,
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
