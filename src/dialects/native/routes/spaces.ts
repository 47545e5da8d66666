import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { createSpace } from '../../../identity/create-space.ts'
import { deleteSpace } from '../../../identity/delete-space.ts'
import { findSpace } from '../../../identity/find-space.ts'
import { listSpaces } from '../../../identity/list-spaces.ts'
import { uuidOf } from '../wire/ids.ts'
import { locationOf } from '../wire/location.ts'
import { cappedAt, parsePage, parseSearch, renderPagination } from '../wire/pages.ts'
import {
  createSpaceSchema,
  deleteSpaceSchema,
  getSpaceSchema,
  listSpacesSchema,
  parseNewSpace,
  renderSpace,
} from '../wire/spaces.ts'

interface SpacePath {
  readonly Params: { readonly spaceId: string }
}

/** Spaces (contract §1.8). */
export function spaceRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post('/spaces', { schema: createSpaceSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const id = await createSpace(ctx, actor, parseNewSpace(request.body))
    return await reply
      .code(201)
      .header('location', locationOf(ctx, request, id))
      .send()
  })

  app.get('/spaces', { schema: listSpacesSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const page = parsePage(request.query, cappedAt(100))
    const { items, total } = await listSpaces(ctx, actor, parseSearch(request.query), page)
    return { data: items.map(renderSpace), pagination: renderPagination(page, total) }
  })

  app.get<SpacePath>('/spaces/:spaceId', { schema: getSpaceSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderSpace(await findSpace(ctx, actor, uuidOf(request.params.spaceId)))
  })

  app.delete<SpacePath>('/spaces/:spaceId', { schema: deleteSpaceSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    await deleteSpace(ctx, actor, uuidOf(request.params.spaceId))
    return await reply.code(204).send()
  })
}
