import type { Ctx } from '../context.ts'
import type { Db } from '../store/open.ts'
import { findHeldRoles, type HeldRole } from '../store/roles.ts'
import type { Actor } from './actor.ts'
import { mayAccess, requireAccess, type AccessPermission } from './authorize.ts'

/** What somebody may do in the dialect whose roles carry permissions, and through which roles. */
export interface Access {
  /** In force now. */
  readonly roles: readonly HeldRole[]
  may(permission: AccessPermission): boolean
  /** @throws AppError REQUESTOR_NOT_AUTHORIZED */
  require(permission: AccessPermission): void
}

/** Reads the roles that the actor holds at this moment, in one query. */
export async function loadAccess({ clock }: Pick<Ctx, 'clock'>, db: Db, actor: Actor): Promise<Access> {
  const roles = await findHeldRoles(db, actor.orgId, actor.principalId, clock.now())
  const held = new Set(roles.flatMap(({ permissions }) => permissions))
  return {
    roles,
    may: (permission) => mayAccess(actor, held, permission),
    require: (permission) => requireAccess(actor, held, permission),
  }
}
