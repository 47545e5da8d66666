import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findLiveApiKey, touchApiKey, type LiveApiKeyRow } from '../../store/api-keys.ts'
import type { Caller } from '../actor.ts'
import { isApiKeyScope } from './scopes.ts'
import { hashOfSecret, hasKeyForm } from './secret.ts'

/**
 * Who calls with this API key, read from the store on every call, so that a revocation holds at once on every process.
 * A key proves no presence: its caller never has a step-up. What it may be used for is asked by `requireScope`, once the call
 * has been counted.
 * @throws AppError API_KEY_INVALID for a key that is unknown, revoked, expired, of someone disabled or of an agent that must prove
 * its own key, which are told apart for nobody
 */
export async function authenticateApiKey(ctx: Ctx, text: string): Promise<Caller> {
  if (!hasKeyForm(text)) throw new AppError('API_KEY_INVALID')
  const now = ctx.clock.now()
  const key = await findLiveApiKey(ctx.db, hashOfSecret(text), now)
  if (key === undefined) throw new AppError('API_KEY_INVALID')
  noteUse(ctx, key, now)
  const { org_id: orgId, principal_id: principalId, kind, id, scopes } = key
  const machine = { kind: 'api-key', id, scopes: scopes.filter(isApiKeyScope) } as const
  return { orgId, principalId, kind, sessionId: null, stepUp: null, machine, once: null }
}

const useMilliseconds = 60_000
const beingNoted = new Set<string>()

/** Nobody waits for this, and a key that is busy is noted once a minute. */
function noteUse(ctx: Ctx, { org_id, id, last_used_at }: LiveApiKeyRow, now: Date): void {
  const staleBefore = new Date(now.getTime() - useMilliseconds)
  const lastUsed = last_used_at?.getTime() ?? 0
  if (lastUsed > staleBefore.getTime() || beingNoted.has(id)) return
  beingNoted.add(id)
  touchApiKey(ctx.db, org_id, id, now, staleBefore)
    .catch((error: unknown) => ctx.log.warn({ err: error, apiKey: id }, 'the use of an API key was not noted'))
    .finally(() => beingNoted.delete(id))
}
