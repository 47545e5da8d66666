import type { LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { deleteCredentialsOf } from '../../store/credentials.ts'
import { findEnabledPerson } from '../../store/managed-agents.ts'
import { disablePrincipal } from '../../store/local-users.ts'
import type { Tx } from '../../store/open.ts'
import { lockSessions } from '../../store/principal-locks.ts'
import { revokeAgentsOf } from '../agents/revoke-agents-of.ts'
import { endApiKeysOf } from '../api-keys/revoke.ts'
import { endSessionsOf } from '../end-sessions.ts'
import { endGrantsOf } from '../grants/end-grant.ts'

/**
 * Removes a principal for good: no sign-in of theirs goes on or comes back, and every role of theirs ends. The agents that they
 * answer for are revoked and lose their roles; only under another owner an admin lets them in again. What they did stays
 * readable under their name. Runs under `lockFacts`.
 * @returns when, as it is stored, for the leaf that tells of it
 */
export async function shutOut(
  ctx: Ctx,
  tx: Tx,
  { orgId, principalId, actor }: { orgId: string; principalId: string; actor: LeafActor },
): Promise<Date> {
  const at = ctx.clock.now()
  await lockSessions(tx, orgId, principalId)
  // With a person go the agents they answer for, whose keys they know.
  const personId = await findEnabledPerson(tx, orgId, principalId)
  await deleteCredentialsOf(tx, orgId, principalId)
  await disablePrincipal(tx, orgId, principalId, at)
  await endSessionsOf(ctx, tx, { orgId, principalId, only: null, actor, because: 'removed' })
  const agents = personId === undefined ? [] : await revokeAgentsOf(ctx, tx, { orgId, personId, actor })
  await endApiKeysOf(ctx, tx, { orgId, holder: personId === undefined ? { principalId } : { personId }, actor })
  for (const id of [principalId, ...agents]) {
    await endGrantsOf(ctx, tx, { orgId, of: { principalId: id }, actor, because: 'principal-removed', at })
  }
  return at
}
