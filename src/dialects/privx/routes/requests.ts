import type { FastifyInstance } from 'fastify'
import { askForRole } from '../../../access/ask-for-role.ts'
import { decideRequest, requireUndecided } from '../../../access/decide-request.ts'
import { deleteAccessRequest, revokeRole } from '../../../access/end-request.ts'
import { loadMember } from '../../../access/member.ts'
import {
  readAccessRequest,
  readAccessRequests,
  requireQueue,
  type RequestSearch,
} from '../../../access/read-requests.ts'
import type { Ctx } from '../../../context.ts'
import type { Caller } from '../../../identity/actor.ts'
import type { IdPath } from '../../shared/ids.ts'
import { answerCreated } from '../wire/created.ts'
import { idInPath } from '../wire/paths.ts'
import { renderList } from '../wire/lists.ts'
import { parseQueue, parseRequestListQuery, parseSearch } from '../wire/request-lists.ts'
import { parseDecision, parseQuestion, renderRequest } from '../wire/requests.ts'

/** Requests for roles: asking, deciding, taking back (contract privx §3, rows 8 to 14). */
export function requestRoutes(app: FastifyInstance, ctx: Ctx): void {
  async function list(caller: Caller, query: unknown, parse: () => RequestSearch): Promise<object> {
    const member = await loadMember(ctx, caller)
    // Whoever may not see all learns nothing of the rest that they sent.
    const search = parse()
    requireQueue(member, search.queue)
    const { order, range } = parseRequestListQuery(query)
    const { items, total } = await readAccessRequests(ctx, member, search, order, range)
    return renderList(items.map(renderRequest), total)
  }

  app.get('/requests', async ({ caller, query }) => await list(caller, query, () => parseQueue(query)))

  app.post('/requests/search', { config: { reads: true } }, async ({ caller, query, body }) => {
    return await list(caller, query, () => parseSearch(query, body))
  })

  app.post('/requests', async (request, reply) => {
    const member = await loadMember(ctx, request.caller)
    const { id } = await askForRole(ctx, member, parseQuestion(request.body))
    return answerCreated(request, reply, id)
  })

  app.get<IdPath>('/requests/:id', async (request) => {
    const member = await loadMember(ctx, request.caller)
    return renderRequest(await readAccessRequest(ctx, member, idInPath(request.params.id)))
  })

  app.delete<IdPath>('/requests/:id', async (request) => {
    await deleteAccessRequest(ctx, await loadMember(ctx, request.caller), idInPath(request.params.id))
    return {}
  })

  app.post<IdPath>('/requests/:id/decision', async (request) => {
    const member = await loadMember(ctx, request.caller)
    const row = await requireUndecided(ctx, member, idInPath(request.params.id))
    await decideRequest(ctx, member, row, parseDecision(request.body))
    return {}
  })

  app.post<IdPath>('/requests/:id/role/revoke', async (request) => {
    await revokeRole(ctx, await loadMember(ctx, request.caller), idInPath(request.params.id))
    return {}
  })
}
