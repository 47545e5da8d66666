import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import type { Tx } from '../../store/open.ts'
import { issueTokenPair, type Device, type TokenPair } from '../token-pair.ts'
import type { Proven } from './prove.ts'

/**
 * Begins the sign-in of somebody who has proved themselves.
 * @throws AppError CALLER_USER_NOT_FOUND, CALLER_AGENT_NOT_FOUND when they were removed meanwhile
 */
export async function beginSession(
  ctx: Ctx,
  tx: Tx,
  { orgId, principalId, kind }: Proven,
  device: Device,
): Promise<TokenPair> {
  const familyId = ctx.newId()
  const leaf = { orgId, subjectId: principalId, actor: { kind, id: principalId }, at: ctx.clock.now() }
  if (kind === 'human') {
    await appendLeaf(tx, { ...leaf, kind: 'user.signed-in', facts: { signIn: familyId, channel: device.channel } })
  } else {
    await appendLeaf(tx, { ...leaf, kind: 'agent.signed-in', facts: { signIn: familyId, isBound: false } })
  }
  return await issueTokenPair(ctx, tx, { orgId, principalId, familyId, device })
}
