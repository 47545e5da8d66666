import type { Ctx } from '../../context.ts'
import type { Tx } from '../../store/open.ts'
import { updateCounter, type SecurityKeyRow } from '../../store/security-keys.ts'
import { tellPeople } from '../tell-organizations.ts'

/** Keeps what a security key has counted to. The log of people is told, so that nobody can set it back. */
export async function countKey(
  ctx: Ctx,
  tx: Tx,
  personId: string,
  key: SecurityKeyRow,
  counter: number,
): Promise<void> {
  // One that does not count stays at 0.
  if (String(counter) === key.counter) return
  await updateCounter(tx, personId, key.id, counter)
  const facts = { key: key.id, counter }
  await tellPeople(ctx, tx, personId, ctx.clock.now(), { kind: 'security-key.used', facts })
}
