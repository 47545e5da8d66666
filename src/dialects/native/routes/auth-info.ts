import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { findOwnProfile } from '../../../identity/find-profile.ts'
import { authInfoSchema, renderAuthInfo } from '../wire/auth-info.ts'

/** Who is calling (contract §1.3). */
export function authInfoRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/auth/info', { schema: authInfoSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderAuthInfo(await findOwnProfile(ctx, actor))
  })
}
