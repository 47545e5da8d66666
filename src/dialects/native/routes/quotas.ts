import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { changeQuota } from '../../../identity/change-quota.ts'
import { createQuota } from '../../../identity/create-quota.ts'
import { deleteQuota } from '../../../identity/delete-quota.ts'
import { findQuota } from '../../../identity/find-quota.ts'
import { listQuotas } from '../../../identity/list-quotas.ts'
import { uuidOf } from '../wire/ids.ts'
import { cappedAt, parsePage, renderPagination } from '../wire/pages.ts'
import {
  changeQuotaSchema,
  createQuotaSchema,
  deleteQuotaSchema,
  getQuotaSchema,
  listQuotasSchema,
  parseNewQuota,
  parseQuotaChange,
  parseQuotaFilter,
  renderQuota,
} from '../wire/quotas.ts'

interface QuotaPath {
  readonly Params: { readonly quotaId: string }
}

/** Quotas (contract §1.10). */
export function quotaRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/quotas', { schema: listQuotasSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const page = parsePage(request.query, cappedAt(1000))
    const { items, total } = await listQuotas(ctx, actor, parseQuotaFilter(request.query), page)
    return { data: items.map(renderQuota), pagination: renderPagination(page, total) }
  })

  app.post('/quotas', { schema: createQuotaSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const quota = await createQuota(ctx, actor, parseNewQuota(request.body))
    return await reply.code(201).send(renderQuota(quota))
  })

  app.get<QuotaPath>('/quotas/:quotaId', { schema: getQuotaSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderQuota(await findQuota(ctx, actor, uuidOf(request.params.quotaId)))
  })

  app.patch<QuotaPath>('/quotas/:quotaId', { schema: changeQuotaSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const limit = parseQuotaChange(request.body)
    return renderQuota(await changeQuota(ctx, actor, uuidOf(request.params.quotaId), limit))
  })

  app.delete<QuotaPath>('/quotas/:quotaId', { schema: deleteQuotaSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    await deleteQuota(ctx, actor, uuidOf(request.params.quotaId))
    return await reply.code(204).send()
  })
}
