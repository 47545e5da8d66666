import { appendLeaf } from '../audit/append.ts'
import type { Leaf } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import type { Tx } from '../store/open.ts'
import { findHumansOf } from '../store/person-passwords.ts'
import { defaultOrganization } from './organization.ts'

type Told = Pick<Leaf, 'kind' | 'facts' | 'privateText'>

/**
 * Tells of a change of what a person proves themselves with, as done by themselves: the log of people, by the person, and each
 * organization that they belong to, by their principal there.
 * @param at when it was changed, as it is stored
 */
export async function tellOrganizations(ctx: Ctx, tx: Tx, personId: string, at: Date, leaf: Told): Promise<void> {
  await tellPeople(ctx, tx, personId, at, leaf)
  for (const { org_id: orgId, id } of await findHumansOf(tx, personId)) {
    await appendLeaf(ctx, tx, { ...leaf, orgId, subjectId: id, actor: { kind: 'human', id }, at })
  }
}

/** Tells the log of people alone, which is that of the default organization. */
export async function tellPeople(ctx: Ctx, tx: Tx, personId: string, at: Date, leaf: Told): Promise<void> {
  const [orgId, actor] = [defaultOrganization.id, { kind: 'person', id: personId } as const]
  await appendLeaf(ctx, tx, { ...leaf, orgId, subjectId: personId, actor, at })
}
