import type { Ctx } from '../../context.ts'
import { listStandingGrants, type NamedGrantRow } from '../../store/grants.ts'
import { isOver } from '../../kernel/grant-terms.ts'
import { loadActor, type Caller } from '../actor.ts'
import { termsOf } from './terms.ts'

/** A role that somebody was granted, with its name. */
export type Grant = NamedGrantRow

/** The caller's own grants that are not over, by the name of the role; those to come among them. */
export async function listOwnGrants(ctx: Ctx, caller: Caller): Promise<NamedGrantRow[]> {
  await loadActor(ctx.db, caller)
  return await listGrants(ctx, caller.orgId, caller.principalId)
}

/** The same of any principal, for who has asked whether that may be. */
export async function listGrants(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  orgId: string,
  principalId: string,
): Promise<NamedGrantRow[]> {
  const now = ctx.clock.now().getTime()
  // What is over but still stands waits for the round that writes so.
  return (await listStandingGrants(ctx.db, orgId, principalId)).filter((grant) => !isOver(termsOf(grant), now))
}
