import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { pathOf } from '../../shared/paths.ts'

/** Answers 201 with the `Location` of what was made and no body (contract §0). */
export function answerCreated(ctx: Ctx, request: FastifyRequest, reply: FastifyReply, id: string): FastifyReply {
  return reply
    .code(201)
    .header('Location', locationOf(ctx, request, id))
    .send()
}

/** The Location of what a call has made: `{scheme}://{host}{path}/{id}` (contract §0). */
export function locationOf(ctx: Ctx, request: FastifyRequest, id: string, path: string = pathOf(request)): string {
  return `${originOf(ctx, request)}${path}/${encodeURIComponent(id)}`
}

/** The address of a call as clients reach it, without its query: what the proof of a call must name (RFC 9449 section 4.2). */
export function addressOf(ctx: Ctx, request: FastifyRequest): string {
  return `${originOf(ctx, request)}${pathOf(request)}`
}

/** A public URL that is configured stands whatever the Host header says. */
function originOf(ctx: Ctx, request: FastifyRequest): string {
  return ctx.config.publicUrl ?? (request.host ? `${request.protocol}://${request.host}` : ctx.publicUrl)
}
