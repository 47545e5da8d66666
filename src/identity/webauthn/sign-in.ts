import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { Tx } from '../../store/open.ts'
import { findSecurityKeyForUpdate } from '../../store/security-keys.ts'
import { verifyAssertion, type Assertion } from './assertion.ts'
import { requireOffered, takeOpenChallenge } from './challenges.ts'
import { countKey } from './count-key.ts'
import { userVerification } from './options.ts'
import { wrong } from './refused.ts'
import { relyingPartyOf } from './relying-party.ts'

/**
 * Checks the second factor of a sign-in and uses up its challenge, whatever comes of it: what is to be refused is answered and
 * not thrown, so that the transaction commits before the caller throws it.
 * @returns AppError FACTOR_WRONG, or null when the assertion verifies
 */
export async function verifySignInAssertion(
  ctx: Ctx,
  tx: Tx,
  personId: string,
  sessionId: string,
  assertion: Assertion,
): Promise<AppError | null> {
  try {
    const taken = await takeOpenChallenge({ db: tx, clock: ctx.clock }, personId, 'sign-in', sessionId)
    if (taken === null) throw wrong('challenge is not open, or not any more')
    const key = requireOffered(await findSecurityKeyForUpdate(tx, personId, assertion.credentialId), taken)
    const expected = { rp: relyingPartyOf(ctx), personId, key, challenge: taken.challenge, userVerification } as const
    const { counter } = await verifyAssertion(assertion, expected)
    await countKey(ctx, tx, personId, key, counter)
    return null
  } catch (error) {
    if (error instanceof AppError && error.code === 'FACTOR_WRONG') return error
    throw error
  }
}
