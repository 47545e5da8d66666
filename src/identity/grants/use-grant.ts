import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { firstUse, isInForce } from '../../kernel/grant-terms.ts'
import { convertGrant, findGrant, lockStandingGrant, moveMembership, type NamedGrantRow } from '../../store/grants.ts'
import { transact } from '../../store/unit-of-work.ts'
import { leafActorOf, loadActor, type Caller } from '../actor.ts'
import { columnsOf, termsFacts, termsOf } from './terms.ts'

/**
 * Uses a role that the caller was granted. The first use of a floating grant sets its hours running; any other changes
 * nothing.
 * @returns the grant as it is then
 * @throws AppError GRANT_NOT_FOUND for everyone but its holder, GRANT_NOT_IN_FORCE
 */
export async function useGrant(ctx: Ctx, caller: Caller, id: string | null): Promise<NamedGrantRow> {
  return await transact(ctx, caller.once, async (tx) => {
    const { orgId } = caller
    const actor = await loadActor(tx, caller)
    if (id === null) throw new AppError('GRANT_NOT_FOUND')
    const standing = await lockStandingGrant(tx, orgId, id)
    const found = await findGrant(tx, orgId, id)
    if (found?.principal_id !== actor.principalId) throw new AppError('GRANT_NOT_FOUND')
    const at = ctx.clock.now()
    if (standing === undefined || !isInForce(termsOf(standing), at.getTime())) throw new AppError('GRANT_NOT_IN_FORCE')
    const terms = termsOf(standing)
    const used = firstUse(terms, at.getTime())
    if (used === terms) return found
    const columns = columnsOf(used)
    await convertGrant(tx, orgId, id, columns, at)
    await moveMembership(tx, orgId, standing, columns)
    const facts = termsFacts(used)
    await appendLeaf(tx, {
      orgId,
      kind: 'grant.used',
      subjectId: id,
      actor: leafActorOf(actor),
      at,
      facts: { startsAt: facts.startsAt, endsAt: facts.endsAt },
    })
    return { ...found, ...columns, used_at: at }
  })
}
