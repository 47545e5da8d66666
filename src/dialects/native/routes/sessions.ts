import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { endAllSessions, endSession } from '../../../identity/end-sessions.ts'
import { listSessions } from '../../../identity/list-sessions.ts'
import { uuidOf } from '../wire/ids.ts'
import { cappedAt, parsePage, renderPagination } from '../wire/pages.ts'
import { endAllSessionsSchema, endSessionSchema, listSessionsSchema, renderSession } from '../wire/sessions.ts'

interface SessionPath {
  readonly Params: { readonly sessionId: string }
}

/** One's own sign-ins: ours, beside the contract. */
export function sessionRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/v1/sessions', { schema: listSessionsSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const page = parsePage(request.query, cappedAt(1000))
    const { items, total } = await listSessions(ctx, actor, page)
    const sessions = items.map((session) => renderSession(session, actor.sessionId))
    return { sessions, pagination: renderPagination(page, total) }
  })

  app.delete<SessionPath>('/v1/sessions/:sessionId', { schema: endSessionSchema }, async (request, reply) => {
    await endSession(ctx, request.caller, uuidOf(request.params.sessionId))
    return await reply.code(204).send()
  })

  app.delete('/v1/sessions', { schema: endAllSessionsSchema }, async (request, reply) => {
    await endAllSessions(ctx, request.caller)
    return await reply.code(204).send()
  })
}
