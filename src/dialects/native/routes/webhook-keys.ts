import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { listWebhookKeys, readWebhookKeySecret } from '../../../deliveries/read-webhook-keys.ts'
import { revokeWebhookKey } from '../../../deliveries/revoke-webhook-key.ts'
import { rotateWebhookKey } from '../../../deliveries/rotate-webhook-key.ts'
import { noStore } from '../../shared/no-store.ts'
import { uuidOf } from '../wire/ids.ts'
import { locationOf } from '../wire/location.ts'
import {
  listWebhookKeysSchema,
  parseOverlapHours,
  readWebhookKeySecretSchema,
  renderSecret,
  renderWebhookKey,
  revokeWebhookKeySchema,
  rotateWebhookKeySchema,
} from '../wire/webhook-keys.ts'

interface KeyPath {
  readonly Params: { readonly keyId: string }
}

const path = '/v1/webhook-keys'

/** The keys that sign webhooks: an addition of ours. */
export function webhookKeyRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get(path, { schema: listWebhookKeysSchema }, async (request) => {
    const keys = await listWebhookKeys(ctx, request.caller)
    return { webhookKeys: keys.map(renderWebhookKey) }
  })

  app.get<KeyPath>(
    `${path}/:keyId/secret`,
    { schema: readWebhookKeySecretSchema, onRequest: noStore },
    async (request) => renderSecret(await readWebhookKeySecret(ctx, request.caller, uuidOf(request.params.keyId))),
  )

  app.post(path, { schema: rotateWebhookKeySchema }, async (request, reply) => {
    const key = await rotateWebhookKey(ctx, request.caller, parseOverlapHours(request.body))
    reply.code(201).header('location', locationOf(ctx, request, key.id))
    return renderWebhookKey(key)
  })

  app.delete<KeyPath>(`${path}/:keyId`, { schema: revokeWebhookKeySchema }, async (request, reply) => {
    await revokeWebhookKey(ctx, request.caller, uuidOf(request.params.keyId))
    return await reply.code(204).send()
  })
}
