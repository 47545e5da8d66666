import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { roleCatalogue } from '../../../identity/roles.ts'
import { listRolesSchema, renderRole } from '../wire/roles.ts'

/** The catalogue of roles (contract §1.8, §4.2). */
export function roleRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/roles', { schema: listRolesSchema }, async (request) => {
    await loadActor(ctx.db, request.caller)
    return { roles: roleCatalogue.map(renderRole) }
  })
}
