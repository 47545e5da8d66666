import type { FastifyInstance, FastifyReply } from 'fastify'
import { findPolicy } from '../../../approvals/find-policy.ts'
import type { Ctx } from '../../../context.ts'
import { awaitChange } from '../../../watching/await-change.ts'
import { watchRequest } from '../../../watching/watch-request.ts'
import type { WatchedState } from '../../../watching/watcher.ts'
import { openEventStream, type EventStream } from '../event-stream.ts'
import { idOrName } from '../wire/ids.ts'
import type { JsonObject } from '../wire/read.ts'
import { renderTemplate } from '../wire/templates.ts'
import { workflowStatus } from '../wire/votes.ts'
import { awaitSchema, eventsSchema, parseWait, renderState, statusOf } from '../wire/watching.ts'
import { parseInclude, renderWorkflow } from '../wire/workflows.ts'

interface WorkflowPath {
  readonly Params: { readonly workflowId: string }
  readonly Querystring: JsonObject
}

/** Waiting for the outcome of a workflow (ours, under `/v1`). */
export function watchingRoutes(app: FastifyInstance, ctx: Ctx): void {
  // Before the server waits for the requests in hand: these would not end by themselves.
  let isStopping = false
  app.addHook('preClose', async () => {
    isStopping = true
    ctx.notices.dismiss()
  })

  app.get<WorkflowPath>('/v1/workflows/:workflowId', { schema: awaitSchema }, async (request, reply) => {
    const includeTemplate = parseInclude(request.query, 'REQUEST_INVALID_INCLUDE')
    const wait = { ...parseWait(request.query), gone: goneSignal(reply) }
    const row = await awaitChange(ctx, request.caller, idOrName(request.params.workflowId), wait)
    // Or the server would wait for the next call on this connection.
    if (isStopping) reply.header('connection', 'close')
    const policy = includeTemplate ? await findPolicy(ctx, row.org_id, { id: row.policy_id }) : undefined
    return renderWorkflow(row, ctx.clock.now(), policy === undefined ? null : renderTemplate(policy))
  })

  // A HEAD would be told nothing and would not end.
  const events = { schema: eventsSchema, exposeHeadRoute: false }
  app.get<WorkflowPath>('/v1/workflows/:workflowId/events', events, async (request, reply) => {
    let stream: EventStream | undefined
    const tell = (state: WatchedState) => {
      const event = ['status', workflowStatus[state.status], renderState(state)] as const
      if (state.isSettled) stream?.sendLast(...event)
      else stream?.send(...event)
    }
    // Nothing is told before this call is through, and the stream is open by then.
    const watcher = { tell, beat: () => stream?.comment(), end: () => stream?.end() }
    const { first, stop } = await watchRequest(ctx, request.caller, idOrName(request.params.workflowId), watcher)
    const isKnown = statusOf(request.headers['last-event-id']) === first.status
    // To browsers this is the one answer that does not mean "connect again".
    if (isKnown && first.isSettled) return await reply.code(204).send()
    stream = openEventStream(reply, stop)
    if (isKnown) stream.comment()
    else tell(first)
    return reply
  })
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  if (reply.raw.destroyed) gone.abort()
  return gone.signal
}
