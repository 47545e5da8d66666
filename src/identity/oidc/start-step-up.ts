import type { Ctx } from '../../context.ts'
import { loadActor, type Caller } from '../actor.ts'
import { requirePresence, requireStepUpEnabled } from '../step-up.ts'
import { callerBinding } from './flow-binding.ts'
import { startSignIn } from './start-sign-in.ts'
import { webRedirect } from './web-redirect.ts'

/**
 * Opens a fresh sign-in that only the caller can turn into a step-up token.
 * @param redirectUri where the person comes back to; null for the redirect of the web
 * @returns where the person has to go
 * @throws AppError AUTH_HIGH_PRIVILEGE_FLOW_DISABLED, AUTH_INVALID_ENTITY for a key, IDENTITY_PROVIDER_FAILED
 */
export async function startStepUp(ctx: Ctx, caller: Caller, redirectUri: string | null): Promise<string> {
  requireStepUpEnabled(ctx)
  requirePresence(caller)
  const { orgId, principalId, once } = await loadActor(ctx.db, caller)
  const flow = await startSignIn(ctx, once, {
    purpose: 'step-up',
    redirectUri: redirectUri ?? webRedirect(ctx),
    binding: callerBinding(orgId, principalId),
  })
  return flow.authorizationUrl
}
