import { unseal } from '../../config/secrets.ts'
import type { Ctx } from '../../context.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import type { Row } from '../../store/schema.ts'
import { finishSignInFlow, findSignInFlow, markSignInFlowUsed } from '../../store/sign-in-flows.ts'
import { transact } from '../../store/unit-of-work.ts'
import type { Identity } from './identity-provider.ts'
import { hashOfState, nonceOf, verifierLength } from './pkce.ts'

export type SignInPurpose = Row<'sign_in_flows'>['purpose']

/** What a person comes back from the identity provider with. */
export interface FlowProof {
  readonly code: string
  readonly state: string
}

/** Which flows a call may complete. */
export interface Completion {
  readonly purpose: SignInPurpose
  /** Whom the flow has to belong to, one of `flow-binding.ts`; null where the call cannot know. */
  readonly binding: string | null
  /** What a call is told that brings another's flow. */
  readonly foreign: ErrorCode
}

/**
 * Turns a code into the person it stands for. The flow is used up in a transaction of its own before the code is
 * exchanged, so that a failed exchange burns it (contract §6.2). One of another purpose or owner is left as it was.
 * @throws AppError the PKCE_CODE_* codes, AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER, IDENTITY_PROVIDER_FAILED, `foreign`
 */
export async function completeSignIn(ctx: Ctx, completion: Completion, { code, state }: FlowProof): Promise<Identity> {
  const stateHash = hashOfState(state)
  const { verifier, redirectUri } = await takeFlow(ctx, completion, stateHash)
  try {
    return await ctx.identityProvider.redeem({ code, verifier, nonce: nonceOf(verifier), redirectUri })
  } finally {
    await finishSignInFlow(ctx.db, stateHash)
  }
}

/** What a state was made for; null when there is no such state. */
export async function purposeOfState(ctx: Ctx, state: string): Promise<SignInPurpose | null> {
  return (await findSignInFlow(ctx.db, hashOfState(state)))?.purpose ?? null
}

interface TakenFlow {
  readonly verifier: string
  readonly redirectUri: string
}

/** Longer than a code exchange can last, all its requests with their timeouts; after it the taker has died. */
const exchangeMilliseconds = 60_000

async function takeFlow(ctx: Ctx, completion: Completion, stateHash: string): Promise<TakenFlow> {
  return await transact(ctx, null, async (tx) => {
    const now = ctx.clock.now()
    const flow = await findSignInFlow(tx, stateHash)
    // A state made for one purpose does not exist for the other.
    if (flow === undefined || flow.purpose !== completion.purpose) throw new AppError('PKCE_CODE_NOT_FOUND')
    if (flow.used_at !== null) {
      const isBeingExchanged =
        flow.sealed_verifier.length > 0 && now.getTime() - flow.used_at.getTime() < exchangeMilliseconds
      throw new AppError(isBeingExchanged ? 'PKCE_CODE_CONCURRENCY_CONFLICT' : 'PKCE_CODE_ALREADY_USED')
    }
    if (flow.expires_at <= now) throw new AppError('PKCE_CODE_EXPIRED')
    const sealed = unseal(ctx.keys.atRest, flow.sealed_verifier).toString()
    const [verifier, binding] = [sealed.slice(0, verifierLength), sealed.slice(verifierLength)]
    if (completion.binding !== null && completion.binding !== binding) throw new AppError(completion.foreign)
    if (!(await markSignInFlowUsed(tx, stateHash, now))) throw new AppError('PKCE_CODE_CONCURRENCY_CONFLICT')
    return { verifier, redirectUri: flow.redirect_uri }
  })
}
