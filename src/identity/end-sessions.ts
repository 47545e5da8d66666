import { appendLeaf } from '../audit/append.ts'
import type { LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Tx } from '../store/open.ts'
import { revokeRefreshFamilies } from '../store/refresh-tokens.ts'
import { deleteOauthFlowsOf } from '../store/oauth-flows.ts'
import { lockSessions } from '../store/principal-locks.ts'
import { markSessionsEnded, shutOutSessions } from '../store/sessions.ts'
import { transact } from '../store/unit-of-work.ts'
import { accessTokenSeconds } from './access-token.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { refuseApiKey } from './api-keys/access.ts'

/** Ends one sign-in of the caller's own. @throws AppError SESSION_NOT_FOUND, also when it has ended or is another's */
export async function endSession(ctx: Ctx, caller: Caller, id: string | null): Promise<void> {
  // One that leaked would lock its person out.
  refuseApiKey(caller)
  await transact(ctx, caller.once, async (tx) => {
    await lockSessions(tx, caller.orgId, caller.principalId)
    const actor = leafActorOf(await loadActor(tx, caller))
    const ended = id !== null && (await endSessionsOf(ctx, tx, { ...caller, only: id, actor, because: 'revoked' }))
    if (!ended) throw new AppError('SESSION_NOT_FOUND')
  })
}

/** Ends every sign-in of the caller's own, the one they call with too. */
export async function endAllSessions(ctx: Ctx, caller: Caller): Promise<void> {
  refuseApiKey(caller)
  await transact(ctx, caller.once, async (tx) => {
    await lockSessions(tx, caller.orgId, caller.principalId)
    const actor = leafActorOf(await loadActor(tx, caller))
    await endSessionsOf(ctx, tx, { ...caller, only: null, actor, because: 'revoked' })
  })
}

/** Ends the sign-in that a browser held, if it did not end before. */
export async function signOut(ctx: Ctx, caller: Caller): Promise<void> {
  const { sessionId } = caller
  if (sessionId === null) return
  await transact(ctx, null, async (tx) => {
    await lockSessions(tx, caller.orgId, caller.principalId)
    const actor = leafActorOf(caller)
    await endSessionsOf(ctx, tx, { ...caller, only: sessionId, actor, because: 'signed-out' })
  })
}

interface Ending {
  readonly orgId: string
  readonly principalId: string
  /** One sign-in; null for all of them. */
  readonly only: string | null
  readonly actor: LeafActor
  readonly because:
    | 'revoked'
    | 'signed-out'
    | 'reuse'
    | 'disabled'
    | 'removed'
    | 'password-changed'
    | 'agent-revoked'
    | 'key-rotated'
}

/**
 * Ends sign-ins: their refresh tokens are revoked, and their access tokens refused from the next call on, on every
 * process. All of them: codes that would become sign-ins too. Runs under `lockSessions`, or under the lock of the one family
 * that it ends.
 * @returns whether there was anything to end
 */
export async function endSessionsOf(ctx: Ctx, tx: Tx, ending: Ending): Promise<boolean> {
  const { orgId, principalId, only, actor, because } = ending
  const at = ctx.clock.now()
  // What somebody began to sign in with before this does not bring a sign-in afterwards.
  if (only === null) await deleteOauthFlowsOf(tx, orgId, principalId)
  const ended = await markSessionsEnded(tx, orgId, principalId, only, at)
  if (ended.length === 0) return false
  await revokeRefreshFamilies(tx, ended, at)
  await shutOutSessions(tx, orgId, principalId, ended, new Date(at.getTime() - rememberedSeconds * 1000))
  // Who has signed in from a script every minute has too many to name.
  const facts = { session: only, ended: ended.length, because }
  await appendLeaf(ctx, tx, { orgId, kind: 'sessions.ended', subjectId: principalId, actor, at, facts })
  return true
}

// As long as an access token of theirs can live, and a margin for clocks of processes that disagree.
const rememberedSeconds = accessTokenSeconds + 120
