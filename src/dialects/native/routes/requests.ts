import type { FastifyInstance } from 'fastify'
import { readAnyRequest } from '../../../approvals/read-any-request.ts'
import { readInbox } from '../../../approvals/read-inbox.ts'
import { showRequest } from '../../../approvals/show-request.ts'
import type { Ctx } from '../../../context.ts'
import { readReceiptOf } from '../../../receipts/read-receipt.ts'
import { uuidOf } from '../wire/ids.ts'
import { inboxSchema, parseInboxQuery, renderInboxPage } from '../wire/inbox.ts'
import { answerReceipt } from '../wire/receipts.ts'
import { receiptOfRequestSchema, renderShownRequest, showRequestSchema } from '../wire/requests.ts'

interface RequestPath {
  readonly Params: { readonly requestId: string }
}

/** Requests of every API in one place: ours, beside the contract. */
export function requestRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/v1/inbox', { schema: inboxSchema }, async (request) =>
    renderInboxPage(await readInbox(ctx, request.caller, parseInboxQuery(request.query))),
  )

  app.get<RequestPath>('/v1/requests/:requestId', { schema: showRequestSchema }, async (request) =>
    renderShownRequest(await showRequest(ctx, request.caller, uuidOf(request.params.requestId))),
  )

  app.get<RequestPath>(
    '/v1/requests/:requestId/receipt',
    { schema: receiptOfRequestSchema },
    async (request, reply) => {
      const row = await readAnyRequest(ctx, request.caller, uuidOf(request.params.requestId))
      return answerReceipt(reply, await readReceiptOf(ctx, row))
    },
  )
}
