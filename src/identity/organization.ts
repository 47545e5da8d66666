import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { defaultOrganizationId, insertOrganization } from '../store/organizations.ts'
import { transact } from '../store/unit-of-work.ts'

/** The one organization of the native API (contract §1.9). Quotas on the whole organization name it as their target. */
export const defaultOrganization = { id: defaultOrganizationId, name: 'default' } as const

/** Makes the default organization on an empty store. True when it was not there before. */
export async function ensureDefaultOrganization(ctx: Ctx): Promise<boolean> {
  const at = ctx.clock.now()
  return await transact(ctx, null, async (tx) => {
    const isNew = await insertOrganization(tx, { ...defaultOrganization, created_at: at })
    if (isNew) {
      const { id: orgId, name } = defaultOrganization
      await appendLeaf(ctx, tx, {
        orgId,
        kind: 'organization.created',
        subjectId: orgId,
        actor: { kind: 'system' },
        at,
        facts: {},
        privateText: { name },
      })
    }
    return isNew
  })
}
