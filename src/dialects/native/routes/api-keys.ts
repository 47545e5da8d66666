import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { createApiKey } from '../../../identity/api-keys/create.ts'
import { findApiKey, listApiKeys } from '../../../identity/api-keys/find.ts'
import { revokeApiKey } from '../../../identity/api-keys/revoke.ts'
import { rotateApiKey } from '../../../identity/api-keys/rotate.ts'
import {
  createApiKeySchema,
  getApiKeySchema,
  listApiKeysSchema,
  parseGraceSeconds,
  parseNewApiKey,
  parsePrincipalId,
  renderApiKey,
  renderShownApiKey,
  revokeApiKeySchema,
  rotateApiKeySchema,
} from '../wire/api-keys.ts'
import { uuidOf } from '../wire/ids.ts'
import { locationOf } from '../wire/location.ts'
import { cappedAt, parsePage, renderPagination, type Query } from '../wire/pages.ts'

interface KeyPath {
  readonly Params: { readonly keyId: string }
}

const path = '/v1/api-keys'

/** Keys for machine callers: an addition of ours. */
export function apiKeyRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post(path, { schema: createApiKeySchema }, async (request, reply) => {
    const shown = await createApiKey(ctx, request.caller, parseNewApiKey(request.body))
    reply
      .code(201)
      .header('location', locationOf(ctx, request, shown.key.id))
      .header('cache-control', 'no-store')
    return renderShownApiKey(shown)
  })

  app.get<{ Querystring: Query }>(path, { schema: listApiKeysSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const principalId = parsePrincipalId(request.query['principalId'])
    const page = parsePage(request.query, cappedAt(100))
    const { items, total } = await listApiKeys(ctx, actor, principalId, page)
    return { apiKeys: items.map(renderApiKey), pagination: renderPagination(page, total) }
  })

  app.get<KeyPath>(`${path}/:keyId`, { schema: getApiKeySchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderApiKey(await findApiKey(ctx, actor, uuidOf(request.params.keyId)))
  })

  app.post<KeyPath>(`${path}/:keyId/rotate`, { schema: rotateApiKeySchema }, async (request, reply) => {
    const graceSeconds = parseGraceSeconds(request.body)
    const shown = await rotateApiKey(ctx, request.caller, uuidOf(request.params.keyId), graceSeconds)
    reply.header('cache-control', 'no-store')
    return renderShownApiKey(shown)
  })

  app.delete<KeyPath>(`${path}/:keyId`, { schema: revokeApiKeySchema }, async (request, reply) => {
    await revokeApiKey(ctx, request.caller, uuidOf(request.params.keyId))
    return await reply.code(204).send()
  })
}
