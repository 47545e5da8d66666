import type { Ctx } from '../context.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { loadAccess } from './access.ts'
import { loadActor, type Actor, type Caller } from './actor.ts'
import { refuseApiKey } from './api-keys/access.ts'

/**
 * A change of roles, users or clients by who holds `privx-admin`, in one transaction (contract privx §7.3). An API key that
 * leaked could make itself a caller that outlives its revocation, so none may. Votes in hand are waited for, since the change
 * may take a right away.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function administer<T>(ctx: Ctx, caller: Caller, work: (tx: Tx, actor: Actor) => Promise<T>): Promise<T> {
  refuseApiKey(caller)
  return await transact(ctx, caller.once, async (tx) => {
    await lockFacts(tx, caller.orgId)
    const actor = await loadActor(tx, caller)
    const access = await loadAccess(ctx, tx, actor)
    access.require('privx-admin')
    return await work(tx, actor)
  })
}

/** Reading what only who holds `privx-admin` may. @throws AppError REQUESTOR_NOT_AUTHORIZED */
export async function requireAdministrator(ctx: Ctx, caller: Caller): Promise<Actor> {
  refuseApiKey(caller)
  const actor = await loadActor(ctx.db, caller)
  const access = await loadAccess(ctx, ctx.db, actor)
  access.require('privx-admin')
  return actor
}
