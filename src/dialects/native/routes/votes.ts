import type { FastifyInstance } from 'fastify'
import { castVote } from '../../../approvals/cast-vote.ts'
import { votingPosition } from '../../../approvals/may-vote.ts'
import type { Ctx } from '../../../context.ts'
import { idOrName } from '../wire/ids.ts'
import { canVoteSchema, castVoteSchema, parseVote, renderCanVote, workflowStatus } from '../wire/votes.ts'

interface WorkflowPath {
  readonly Params: { readonly workflowId: string }
}

/** Voting on a workflow, and asking whether one may (contract §1.4). */
export function voteRoutes(app: FastifyInstance, ctx: Ctx): void {
  const voting = { schema: castVoteSchema, config: { stepUp: true } }
  app.post<WorkflowPath>('/workflows/:workflowId/vote', voting, async (request) => {
    const stop = ctx.metrics.voteSeconds.startTimer()
    try {
      const result = await castVote(ctx, request.caller, idOrName(request.params.workflowId), parseVote(request.body))
      stop({ outcome: result.status })
      return { workflowStatus: workflowStatus[result.status] }
    } catch (error) {
      stop({ outcome: 'refused' })
      throw error
    }
  })

  app.get<WorkflowPath>('/workflows/:workflowId/canVote', { schema: canVoteSchema }, async (request) =>
    renderCanVote(await votingPosition(ctx, request.caller, idOrName(request.params.workflowId))),
  )
}
