import type { Ctx } from '../context.ts'
import { loadActor, type Caller } from './actor.ts'
import { authorize } from './authorize.ts'
import { defaultOrganization } from './organization.ts'

/**
 * The organization whose log the caller may see the hashes of: everyone who belongs to it may, for a hash tells nothing.
 * @throws AppError CALLER_USER_NOT_FOUND, CALLER_AGENT_NOT_FOUND, SESSION_ENDED
 */
export async function logToVerify(ctx: Ctx, caller: Caller): Promise<string> {
  return (await loadActor(ctx.db, caller)).orgId
}

/** The organization whose leaves the caller may read. @throws AppError as `logToVerify`, REQUESTOR_NOT_AUTHORIZED */
export async function logToRead(ctx: Ctx, caller: Caller): Promise<string> {
  const actor = await loadActor(ctx.db, caller)
  authorize(actor, 'audit:read', { type: 'organization' })
  return actor.orgId
}

/** The organization whose log anyone may know the keys of: the caller's, or the default one for who did not say who they are. */
export async function logToKnow(ctx: Ctx, caller: Caller | null | undefined): Promise<string> {
  return caller === null || caller === undefined ? defaultOrganization.id : await logToVerify(ctx, caller)
}
