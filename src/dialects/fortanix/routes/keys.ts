import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { createKey, takeKey } from '../../../custody/keys/create-key.ts'
import { listKeys, readKey, verifyWithKey } from '../../../custody/keys/read-keys.ts'
import type { IdPath } from '../../shared/ids.ts'
import { parseVerify, renderVerified } from '../wire/crypto.ts'
import { parseId } from '../wire/ids.ts'
import { parseKeyName, parseKeySlice, parseNewKey, parseTakenKey, renderKey } from '../wire/keys.ts'

/** Contract fortanix §6, §7. */
export function keyRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/keys', async ({ custodian, query }) => {
    const keys = await listKeys(ctx, custodian, parseKeySlice(query))
    return keys.map(renderKey)
  })

  app.post('/keys', async ({ custodian, body }, reply) => {
    const { key, shape } = parseNewKey(body)
    return reply.code(201).send(renderKey(await createKey(ctx, custodian, key, shape)))
  })

  app.put('/keys', async ({ custodian, body }, reply) => {
    const { key, kind, value } = parseTakenKey(body)
    return reply.code(201).send(renderKey(await takeKey(ctx, custodian, key, kind, value)))
  })

  app.post('/keys/info', { config: { reads: true } }, async ({ custodian, body }) =>
    renderKey(await readKey(ctx, custodian, parseKeyName(body))),
  )

  app.get<IdPath>('/keys/:id', async ({ custodian, params }) =>
    renderKey(await readKey(ctx, custodian, { id: parseId('key_id', params.id) })),
  )

  app.post('/verify', { config: { reads: true } }, async ({ custodian, body }) =>
    renderVerified(await verifyWithKey(ctx, custodian, parseVerify(body))),
  )
}
