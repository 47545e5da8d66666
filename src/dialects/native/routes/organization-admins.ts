import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { addAdmin } from '../../../identity/add-admin.ts'
import { listAdmins } from '../../../identity/list-admins.ts'
import { removeAdmin } from '../../../identity/remove-admin.ts'
import { locationOf } from '../wire/location.ts'
import {
  addAdminSchema,
  adminPages,
  listAdminsSchema,
  parseAdminEmail,
  parseAdminKey,
  removeAdminSchema,
  renderAdmin,
} from '../wire/organization-admins.ts'
import { parsePage, renderPagination } from '../wire/pages.ts'

interface OrganizationPath {
  readonly Params: { readonly organization: string }
}

const path = '/organization/:organization/admins'

/** Who administers the organization (contract §1.9). */
export function organizationAdminRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post<OrganizationPath>(path, { schema: addAdminSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const id = await addAdmin(ctx, actor, request.params.organization, parseAdminEmail(request.body))
    return await reply
      .code(201)
      .header('location', locationOf(ctx, request, id))
      .send()
  })

  app.get<OrganizationPath>(path, { schema: listAdminsSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const page = parsePage(request.query, adminPages)
    const { items, total } = await listAdmins(ctx, actor, request.params.organization, page)
    return { data: items.map(renderAdmin), pagination: renderPagination(page, total) }
  })

  app.delete<OrganizationPath>(path, { schema: removeAdminSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    await removeAdmin(ctx, actor, request.params.organization, parseAdminKey(request.body))
    return await reply.code(204).send()
  })
}
