import { createHash } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { Db } from '../../store/open.ts'
import { recordProof } from '../../store/seen-proofs.ts'
import type { Proof } from './proof.ts'

/** Longer than a proof can be accepted: made half a minute ahead of us, shown when it is five and a half minutes old. */
const keptSeconds = 390

/**
 * Uses up a proof, wherever else it is shown (RFC 9449 section 11.1). In a transaction it is used up when that commits.
 * @throws AppError DPOP_JTI_REUSED
 */
export async function spendProof(
  ctx: Ctx,
  db: Db,
  agent: { readonly orgId: string; readonly id: string },
  proof: Proof,
): Promise<void> {
  if (!(await isFirstUse(ctx, db, agent, proof.jti, keptSeconds))) throw new AppError('DPOP_JTI_REUSED')
}

/** Whether an agent shows this text for the first time, for as long as it is kept; in a transaction, once that commits. */
export async function isFirstUse(
  ctx: Ctx,
  db: Db,
  agent: { readonly orgId: string; readonly id: string },
  text: string,
  seconds: number,
): Promise<boolean> {
  const now = ctx.clock.now()
  const seen = {
    org_id: agent.orgId,
    principal_id: agent.id,
    jti_hash: createHash('sha256').update(text).digest('base64url'),
    expires_at: new Date(now.getTime() + seconds * 1000),
  }
  return await recordProof(db, seen, now)
}
