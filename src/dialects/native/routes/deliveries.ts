import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { findDelivery, listDeliveries } from '../../../deliveries/list-deliveries.ts'
import { requeueDeliveries, requeueDelivery } from '../../../deliveries/requeue-deliveries.ts'
import { loadActor } from '../../../identity/actor.ts'
import {
  getDeliverySchema,
  listDeliveriesSchema,
  parseDeliveryQuery,
  parseRequeue,
  renderDelivery,
  renderDeliveryPage,
  requeueDeliveriesSchema,
  requeueDeliverySchema,
} from '../wire/deliveries.ts'
import { uuidOf } from '../wire/ids.ts'

interface DeliveryPath {
  readonly Params: { readonly deliveryId: string }
}

const path = '/v1/deliveries'

/** What is sent after decisions, for administrators: an addition of ours. */
export function deliveryRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get(path, { schema: listDeliveriesSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderDeliveryPage(await listDeliveries(ctx, actor, parseDeliveryQuery(request.query)))
  })

  app.get<DeliveryPath>(`${path}/:deliveryId`, { schema: getDeliverySchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderDelivery(await findDelivery(ctx, actor, uuidOf(request.params.deliveryId)))
  })

  app.post<DeliveryPath>(`${path}/:deliveryId/requeue`, { schema: requeueDeliverySchema }, async (request) =>
    renderDelivery(await requeueDelivery(ctx, request.caller, uuidOf(request.params.deliveryId))),
  )

  app.post(`${path}/requeue`, { schema: requeueDeliveriesSchema }, async (request) => ({
    requeued: await requeueDeliveries(ctx, request.caller, parseRequeue(request.body)),
  }))
}
