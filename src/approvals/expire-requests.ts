import type { Ctx } from '../context.ts'
import { findDueRequests, findRequestForUpdate, type RequestRow } from '../store/requests.ts'
import { transact } from '../store/unit-of-work.ts'
import { closeDrainedPolicies } from './close-policy.ts'
import { changeRequest } from './change-request.ts'
import { countDecision } from './count-decision.ts'

const batch = 100

/**
 * Writes down what the clock has already decided: requests past their deadline become expired. Any number of processes may
 * sweep at once; each takes what no other holds. Of a policy that cannot be read nothing is written, and it keeps no other
 * from it.
 * @returns how many
 * @throws Error what kept requests from it, once the others are done
 */
export async function expireRequests(ctx: Ctx): Promise<number> {
  if (ctx.config.levers.has('disable_workflow_expiration_sweep')) return 0
  let swept = 0
  const broken = new Map<string, unknown>()
  for (;;) {
    const done = await expireBatch(ctx, [...broken.keys()])
    if ('brokenPolicy' in done) {
      broken.set(done.brokenPolicy, done.error)
      continue
    }
    announceExpired(ctx, done.expired)
    swept += done.expired.length
    if (done.expired.length < batch) break
  }
  await closeDrainedPolicies(ctx)
  for (const [policy, error] of broken) {
    throw new Error(`requests of policy ${policy} cannot be expired`, { cause: error })
  }
  return swept
}

/** As the sweep does, of one request, when its time is up. */
export async function expireNow(ctx: Ctx, orgId: string, id: string): Promise<void> {
  const expired = await transact(ctx, null, async (tx) => {
    const row = await findRequestForUpdate(tx, orgId, id)
    if (row === undefined || row.is_final || row.expires_at > ctx.clock.now()) return null
    await changeRequest(ctx, tx, row, expiry, row.expires_at)
    return row
  })
  if (expired !== null) announceExpired(ctx, [expired])
}

type Batch = { readonly expired: readonly RequestRow[] } | { readonly brokenPolicy: string; readonly error: unknown }

async function expireBatch(ctx: Ctx, exceptPolicies: readonly string[]): Promise<Batch> {
  let inHand: string | null = null
  try {
    const expired = await transact(ctx, null, async (tx) => {
      inHand = null
      const due = await findDueRequests(tx, ctx.clock.now(), batch, exceptPolicies)
      for (const row of due) {
        inHand = row.policy_id
        // Not the time at which somebody looks: the deadline itself.
        await changeRequest(ctx, tx, row, expiry, row.expires_at)
      }
      inHand = null
      return due
    })
    return { expired }
  } catch (error) {
    if (inHand === null) throw error
    return { brokenPolicy: inHand, error }
  }
}

function announceExpired(ctx: Ctx, rows: readonly RequestRow[]): void {
  for (const { org_id: orgId, id, created_at: openedAt, expires_at: at } of rows) {
    countDecision(ctx, { status: 'expired', isFinal: true, openedAt, at })
    ctx.notices.announce(orgId, [id])
  }
}

const expiry = { event: { kind: 'clock' }, leaf: 'request.expired', actor: { kind: 'system' } } as const
