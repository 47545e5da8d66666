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
  const now = ctx.clock.now()
  const seen = {
    org_id: agent.orgId,
    principal_id: agent.id,
    jti_hash: createHash('sha256').update(proof.jti).digest('base64url'),
    expires_at: new Date(now.getTime() + keptSeconds * 1000),
  }
  if (!(await recordProof(db, seen, now))) throw new AppError('DPOP_JTI_REUSED')
}
