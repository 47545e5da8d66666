import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { deleteScopes } from '../store/role-bindings.ts'
import { deleteSpace as remove, findPolicyNamesInSpace } from '../store/spaces.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { authorize, requireHuman } from './authorize.ts'

/**
 * Deletes a space with its templates, their workflows and votes. Roles on it and on its templates go too: a template made
 * later under the same name is another one, and nobody has been given anything on it.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, SPACE_NOT_FOUND
 */
export async function deleteSpace(ctx: Ctx, caller: Caller, id: string | null): Promise<void> {
  const { orgId } = caller
  await transact(ctx, caller.once, async (tx) => {
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    requireHuman(actor)
    authorize(actor, 'space:manage', { type: 'space', id: id ?? '' })
    if (id === null) throw new AppError('SPACE_NOT_FOUND')
    const templates = await findPolicyNamesInSpace(tx, orgId, id)
    if (!(await remove(tx, orgId, id))) throw new AppError('SPACE_NOT_FOUND')
    const roles = await deleteScopes(tx, orgId, [
      { scopeType: 'space', scopeId: id },
      ...templates.map((name) => ({ scopeType: 'workflow_template', scopeId: name }) as const),
    ])
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'space.deleted',
      subjectId: id,
      actor: leafActorOf(actor),
      at: ctx.clock.now(),
      facts: { templates: templates.length, roles },
    })
  })
}
