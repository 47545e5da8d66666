import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { askForApproval } from '../../../custody/requests/ask.ts'
import { approveOperation, denyOperation, openApprovalChallenge } from '../../../custody/requests/decide.ts'
import { listForApproval, readOperation } from '../../../custody/requests/read.ts'
import { deleteOperation } from '../../../custody/requests/remove.ts'
import { readResult } from '../../../custody/requests/result.ts'
import type { IdPath } from '../../shared/ids.ts'
import { noStore } from '../../shared/no-store.ts'
import { deferredOperations } from '../deferred-operations.ts'
import {
  parseApproval,
  parseDenial,
  parseOperationSearch,
  parseQuestion,
  renderOperation,
  renderVoteRequest,
} from '../wire/approval-requests.ts'
import { parseProtocol } from '../wire/devices.ts'
import { parseId } from '../wire/ids.ts'
import { nothing } from '../wire/nothing.ts'

const idIn = ({ id }: IdPath['Params']): string => parseId('req_id', id)

/** Contract fortanix §3. */
export function approvalRequestRoutes(app: FastifyInstance, ctx: Ctx): void {
  const one = '/approval_requests/:id'

  app.get('/approval_requests', async ({ custodian, query }) =>
    (await listForApproval(ctx, custodian, parseOperationSearch(query))).map(renderOperation),
  )

  app.post('/approval_requests', async ({ custodian, body }, reply) => {
    const id = await askForApproval(ctx, deferredOperations, custodian, parseQuestion(body))
    return reply.code(201).send(renderOperation(await readOperation(ctx, custodian, id)))
  })

  app.get<IdPath>(one, async ({ custodian, params }) =>
    renderOperation(await readOperation(ctx, custodian, idIn(params))),
  )

  app.delete<IdPath>(one, async ({ custodian, params }, reply) => {
    await deleteOperation(ctx, custodian, idIn(params))
    return nothing(reply)
  })

  app.post<IdPath>(`${one}/approve`, async ({ custodian, params, body }) => {
    const id = idIn(params)
    await approveOperation(ctx, deferredOperations, custodian, id, parseApproval(body))
    return renderOperation(await readOperation(ctx, custodian, id))
  })

  app.post<IdPath>(`${one}/deny`, async ({ custodian, params, body }) => {
    const id = idIn(params)
    await denyOperation(ctx, custodian, id, parseDenial(body))
    return renderOperation(await readOperation(ctx, custodian, id))
  })

  app.post<IdPath>(`${one}/challenge`, { onSend: noStore }, async ({ custodian, params, query }) =>
    renderVoteRequest(await openApprovalChallenge(ctx, custodian, idIn(params), parseProtocol(query))),
  )

  app.post<IdPath>(`${one}/result`, { onSend: noStore }, async ({ custodian, params }) =>
    readResult(ctx, deferredOperations, custodian, idIn(params)),
  )
}
