import type { Ctx } from '../../context.ts'
import { loadActor, type Caller } from '../actor.ts'
import { signOut } from '../end-sessions.ts'

/**
 * Ends the sign-in that the caller's token comes from: it is refused from the next call on, and so is its refresh token.
 * @throws AppError SESSION_ENDED, CALLER_USER_NOT_FOUND, CALLER_AGENT_NOT_FOUND
 */
export async function logOut(ctx: Ctx, caller: Caller): Promise<void> {
  await loadActor(ctx.db, caller)
  await signOut(ctx, caller)
}
