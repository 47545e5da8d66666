import { seal } from '../../config/secrets.ts'
import type { Ctx } from '../../context.ts'
import { insertSignInFlow } from '../../store/sign-in-flows.ts'
import { transact, type Once } from '../../store/unit-of-work.ts'
import { challengeOf, hashOfState, newState, newVerifier, nonceOf } from './pkce.ts'
import type { SignInPurpose } from './sign-in-flow.ts'

/** A sign-in must be completed within this time (contract §6.2). */
export const flowMinutes = 10

export interface NewFlow {
  readonly purpose: SignInPurpose
  readonly redirectUri: string
  /** Whom the flow belongs to, where that is known at the start: one of `flow-binding.ts`. */
  readonly binding?: string
}

/** A flow that was opened, and where the person has to go. */
export interface StartedFlow {
  readonly authorizationUrl: string
  readonly state: string
}

/**
 * Opens a sign-in: remembers state and verifier, and says where the person has to go.
 * @throws AppError IDENTITY_PROVIDER_FAILED
 */
export async function startSignIn(ctx: Ctx, once: Once | null, flow: NewFlow): Promise<StartedFlow> {
  const { purpose, redirectUri, binding = '' } = flow
  const [state, verifier, at] = [newState(), newVerifier(), ctx.clock.now()]
  const authorizationUrl = await ctx.identityProvider.authorizationUrl({
    state,
    challenge: challengeOf(verifier),
    nonce: nonceOf(verifier),
    redirectUri,
    freshSignIn: purpose === 'step-up',
  })
  return await transact(ctx, once, async (tx) => {
    await insertSignInFlow(tx, {
      state_hash: hashOfState(state),
      purpose,
      sealed_verifier: seal(ctx.keys.atRest, Buffer.from(verifier + binding)),
      redirect_uri: redirectUri,
      expires_at: new Date(at.getTime() + flowMinutes * 60_000),
      created_at: at,
    })
    return { authorizationUrl, state }
  })
}
