import type { Ctx } from '../../context.ts'
import { loadActor, type Caller } from '../actor.ts'
import { refuseApiKey } from '../api-keys/access.ts'
import { signOut } from '../end-sessions.ts'

/**
 * Ends the sign-in that the caller's token comes from: it is refused from the next call on, and so is its refresh token.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED for an API key, which belongs to no sign-in; SESSION_ENDED, CALLER_USER_NOT_FOUND,
 * CALLER_AGENT_NOT_FOUND
 */
export async function logOut(ctx: Ctx, caller: Caller): Promise<void> {
  // It would be told that it is dead, and go on.
  refuseApiKey(caller)
  await loadActor(ctx.db, caller)
  await signOut(ctx, caller)
}
