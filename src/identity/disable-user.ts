import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { hasAdmin, lockOrganization } from '../store/organization-admins.ts'
import type { Tx } from '../store/open.ts'
import { findEnabledPerson } from '../store/managed-agents.ts'
import { isRemovedLocalUser } from '../store/local-users.ts'
import { setDisabled } from '../store/people.ts'
import { findProfile } from '../store/profiles.ts'
import { lockSessions } from '../store/principal-locks.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { leafActorOf, loadActor, type Actor, type Caller } from './actor.ts'
import { revokeAgentsOf } from './agents/revoke-agents-of.ts'
import { refuseApiKey } from './api-keys/access.ts'
import { endApiKeysOf } from './api-keys/revoke.ts'
import { requireAdmin } from './authorize.ts'
import { endSessionsOf } from './end-sessions.ts'

/**
 * Shuts a person out: their sign-ins end, every call of theirs is refused, and approvals of theirs count no longer where
 * the policy checks eligibility again. Their API keys are revoked, and with them the agents they answer for, whose keys they
 * know. What they did stays readable. Nothing happens to whoever is disabled already.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, USER_NOT_FOUND, ORGANIZATION_ADMIN_IS_LAST, USER_CANNOT_DISABLE_SELF
 */
export async function disableUser(ctx: Ctx, caller: Caller, userId: string | null): Promise<void> {
  refuseApiKey(caller)
  await transact(ctx, caller.once, async (tx) => {
    const { orgId } = caller
    // Before anything is read: a vote counts wholly before this or wholly after, and of two admins who disable each
    // other the second is refused.
    await lockFacts(tx, orgId)
    await lockOrganization(tx, orgId)
    const actor = await loadActor(tx, caller)
    const principalId = await requireUser(tx, actor, userId)
    await lockSessions(tx, orgId, principalId)
    const at = ctx.clock.now()
    const personId = await findEnabledPerson(tx, orgId, principalId)
    if (personId === undefined) return
    await setDisabled(tx, orgId, principalId, at)
    if (!(await hasAdmin(tx, orgId))) throw new AppError('ORGANIZATION_ADMIN_IS_LAST')
    if (principalId === actor.principalId) throw new AppError('USER_CANNOT_DISABLE_SELF')
    const by = leafActorOf(actor)
    await endSessionsOf(ctx, tx, { orgId, principalId, only: null, actor: by, because: 'disabled' })
    await revokeAgentsOf(ctx, tx, { orgId, personId, actor: by })
    await endApiKeysOf(ctx, tx, { orgId, holder: { personId }, actor: by })
    await appendLeaf(ctx, tx, { orgId, kind: 'user.disabled', subjectId: principalId, actor: by, at, facts: {} })
  })
}

/**
 * Lets a disabled person in again, with the groups and roles they had. They have to sign in anew. Their agents stay revoked until
 * an admin restores them.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, USER_NOT_FOUND
 */
export async function enableUser(ctx: Ctx, caller: Caller, userId: string | null): Promise<void> {
  refuseApiKey(caller)
  await transact(ctx, caller.once, async (tx) => {
    const { orgId } = caller
    const actor = await loadActor(tx, caller)
    const principalId = await requireUser(tx, actor, userId)
    // One who was removed is gone for good.
    if (await isRemovedLocalUser(tx, orgId, principalId)) throw new AppError('USER_NOT_FOUND')
    if (!(await setDisabled(tx, orgId, principalId, null))) return
    const leaf = { orgId, subjectId: principalId, actor: leafActorOf(actor), at: ctx.clock.now(), facts: {} }
    await appendLeaf(ctx, tx, { ...leaf, kind: 'user.enabled' })
  })
}

async function requireUser(tx: Tx, actor: Actor, userId: string | null): Promise<string> {
  requireAdmin(actor)
  const user = userId === null ? undefined : await findProfile(tx, actor.orgId, { id: userId })
  if (user?.kind !== 'human') throw new AppError('USER_NOT_FOUND')
  return user.id
}
