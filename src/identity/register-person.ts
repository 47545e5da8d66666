import { appendLeaf } from '../audit/append.ts'
import type { LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { findOrInsertPerson, insertOrganizationAdmin, insertPrincipal } from '../store/people.ts'
import type { Tx } from '../store/open.ts'

export interface NewPerson {
  readonly orgId: string
  readonly email: string
  readonly displayName: string
  readonly isAdmin: boolean
}

/**
 * Makes a person a member of an organization: by an admin's hand, at their first sign-in, or as a demo person.
 * @returns the new principal's id
 * @throws the unique violation that stands for USER_ALREADY_EXISTS
 */
export async function registerPerson(ctx: Ctx, tx: Tx, actor: LeafActor, person: NewPerson): Promise<string> {
  const { orgId, email, displayName, isAdmin } = person
  const at = ctx.clock.now()
  const personId = await findOrInsertPerson(tx, { id: ctx.newId(), email, created_at: at })
  const id = ctx.newId()
  await insertPrincipal(tx, {
    org_id: orgId,
    id,
    kind: 'human',
    person_id: personId,
    name: displayName,
    email,
    created_at: at,
  })
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'user.created',
    subjectId: id,
    actor,
    at,
    facts: { person: personId, admin: isAdmin },
    privateText: { email, displayName },
  })
  if (isAdmin) await makeAdmin(ctx, tx, actor, { orgId, principalId: id, email })
  return id
}

/** Gives every permission of the organization but voting (contract §4.1). @throws the unique violation when they have it */
export async function makeAdmin(
  ctx: Ctx,
  tx: Tx,
  actor: LeafActor,
  admin: { orgId: string; principalId: string; email: string },
): Promise<string> {
  const at = ctx.clock.now()
  const id = ctx.newId()
  const { orgId, principalId, email } = admin
  await insertOrganizationAdmin(tx, { org_id: orgId, id, principal_id: principalId, email, created_at: at })
  await appendLeaf(ctx, tx, { orgId, kind: 'admin.added', subjectId: principalId, actor, at, facts: { admin: id } })
  return id
}
