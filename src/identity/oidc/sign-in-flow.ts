import { unseal } from '../../config/secrets.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { Row } from '../../store/schema.ts'
import { finishSignInFlow, findSignInFlow, markSignInFlowUsed } from '../../store/sign-in-flows.ts'
import { transact } from '../../store/unit-of-work.ts'
import type { Identity } from './identity-provider.ts'
import { hashOfState } from './pkce.ts'

export type SignInPurpose = Row<'sign_in_flows'>['purpose']

/**
 * Turns a code into the person it stands for. The flow is used up in a transaction of its own before the code is
 * exchanged, so that a failed exchange burns it (contract §6.2).
 * @throws AppError the PKCE_CODE_* codes, AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER, IDENTITY_PROVIDER_FAILED
 */
export async function completeSignIn(
  ctx: Ctx,
  purpose: SignInPurpose,
  { code, state }: { readonly code: string; readonly state: string },
): Promise<Identity> {
  const stateHash = hashOfState(state)
  const flow = await takeFlow(ctx, purpose, stateHash)
  try {
    const verifier = unseal(ctx.keys.atRest, flow.sealed_verifier).toString()
    return await ctx.identityProvider.redeem({ code, verifier, redirectUri: flow.redirect_uri })
  } finally {
    await finishSignInFlow(ctx.db, stateHash)
  }
}

/** Longer than a code exchange can last, all its requests with their timeouts; after it the taker has died. */
const exchangeMilliseconds = 60_000

async function takeFlow(ctx: Ctx, purpose: SignInPurpose, stateHash: string): Promise<Row<'sign_in_flows'>> {
  return await transact(ctx, null, async (tx) => {
    const now = ctx.clock.now()
    const flow = await findSignInFlow(tx, stateHash)
    // A state made for one purpose does not exist for the other.
    if (flow === undefined || flow.purpose !== purpose) throw new AppError('PKCE_CODE_NOT_FOUND')
    if (flow.used_at !== null) {
      const isBeingExchanged =
        flow.sealed_verifier.length > 0 && now.getTime() - flow.used_at.getTime() < exchangeMilliseconds
      throw new AppError(isBeingExchanged ? 'PKCE_CODE_CONCURRENCY_CONFLICT' : 'PKCE_CODE_ALREADY_USED')
    }
    if (flow.expires_at <= now) throw new AppError('PKCE_CODE_EXPIRED')
    if (!(await markSignInFlowUsed(tx, stateHash, now))) throw new AppError('PKCE_CODE_CONCURRENCY_CONFLICT')
    return flow
  })
}
