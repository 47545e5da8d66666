import type { Ctx } from '../context.ts'
import { loadAccess, type Access } from '../identity/access.ts'
import { loadActor, type Actor, type Caller } from '../identity/actor.ts'

/** Who calls, with the roles that they hold now and what these let them do. */
export interface Member extends Actor {
  readonly access: Access
}

/** @throws AppError CALLER_USER_NOT_FOUND, CALLER_AGENT_NOT_FOUND, SESSION_ENDED */
export async function loadMember(ctx: Ctx, caller: Caller): Promise<Member> {
  const actor = await loadActor(ctx.db, caller)
  return { ...actor, access: await loadAccess(ctx, ctx.db, actor) }
}

export function heldRoles({ access }: Member): string[] {
  return access.roles.map(({ id }) => id)
}
