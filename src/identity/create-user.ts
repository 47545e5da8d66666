import type { Ctx } from '../context.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { requireAdmin } from './authorize.ts'
import { registerPerson } from './register-person.ts'

export interface NewUser {
  readonly displayName: string
  readonly email: string
  readonly isAdmin: boolean
}

/**
 * @returns the new user's id
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, USER_ALREADY_EXISTS
 */
export async function createUser(ctx: Ctx, caller: Caller, user: NewUser): Promise<string> {
  return await transact(ctx, caller.once, async (tx) => {
    const actor = await loadActor(tx, caller)
    requireAdmin(actor)
    return await registerPerson(ctx, tx, leafActorOf(actor), { orgId: actor.orgId, ...user })
  })
}
