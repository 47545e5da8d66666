import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import {
  countAdmins,
  isOrganizationNamed,
  listAdmins as findAdmins,
  type AdminRow,
} from '../store/organization-admins.ts'
import type { Listed, Page } from '../store/page.ts'
import type { Actor } from './actor.ts'
import { requireAdmin } from './authorize.ts'

export type Admin = AdminRow

/**
 * Admins of the organization, oldest first.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, ORGANIZATION_NOT_FOUND
 */
export async function listAdmins(ctx: Ctx, actor: Actor, organization: string, page: Page): Promise<Listed<Admin>> {
  requireAdmin(actor)
  if (!(await isOrganizationNamed(ctx.db, actor.orgId, organization))) throw new AppError('ORGANIZATION_NOT_FOUND')
  const items = await findAdmins(ctx.db, actor.orgId, page)
  return { items, total: await countAdmins(ctx.db, actor.orgId) }
}
