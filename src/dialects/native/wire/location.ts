import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Ctx } from '../../../context.ts'

/** Answers 201 with the `Location` of what was made and no body (contract §0). */
export function answerCreated(ctx: Ctx, request: FastifyRequest, reply: FastifyReply, id: string): FastifyReply {
  return reply
    .code(201)
    .header('Location', locationOf(ctx, request, id))
    .send()
}

/** The Location of what a call has made: `{scheme}://{host}{path}/{id}` (contract §0). */
export function locationOf(ctx: Ctx, request: FastifyRequest, id: string, path: string = pathOf(request)): string {
  const origin = ctx.config.publicUrl ?? (request.host ? `${request.protocol}://${request.host}` : ctx.publicUrl)
  return `${origin}${path}/${encodeURIComponent(id)}`
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}
