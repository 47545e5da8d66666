import type { FastifyInstance } from 'fastify'
import { cancelRequest, closeStage } from '../../../approvals/command-request.ts'
import { findPolicies, findPolicy } from '../../../approvals/find-policy.ts'
import type { OpenPolicy } from '../../../approvals/policy.ts'
import { explainRequest } from '../../../approvals/explain-request.ts'
import { listRequestPage } from '../../../approvals/list-requests.ts'
import { listRequestVotes } from '../../../approvals/list-votes.ts'
import { readRequest } from '../../../approvals/read-request.ts'
import { readRequestContent } from '../../../approvals/request-content.ts'
import { submitRequest } from '../../../approvals/submit-request.ts'
import type { Ctx } from '../../../context.ts'
import { readReceipt } from '../../../receipts/read-receipt.ts'
import { ExplanationSchema, renderExplanation } from '../wire/explanation.ts'
import { idOrName } from '../wire/ids.ts'
import { answerReceipt, ReceiptSchema } from '../wire/receipts.ts'
import { answerCreated } from '../wire/location.ts'
import type { JsonObject } from '../wire/read.ts'
import { answers, createdNoBody } from '../wire/schemas.ts'
import { renderTemplate } from '../wire/templates.ts'
import { OutcomeSchema, workflowStatus } from '../wire/votes.ts'
import {
  ClosedStageSchema,
  ContentSchema,
  NewWorkflowSchema,
  parseInclude,
  parseNewWorkflow,
  parseVotePage,
  parseWorkflowList,
  renderVote,
  renderWorkflow,
  VoteListSchema,
  WorkflowListSchema,
  WorkflowSchema,
} from '../wire/workflows.ts'

interface WorkflowPath {
  readonly Params: { readonly workflowId: string }
  readonly Querystring: JsonObject
}

const tags = ['Workflows']

/** Opening, reading and commanding workflows (contract §1.4, and ours under `/v1`). */
export function workflowRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post(
    '/workflows',
    {
      schema: {
        tags,
        summary: 'Open a workflow under an active template',
        body: NewWorkflowSchema,
        response: answers({ 201: createdNoBody }),
      },
      config: { lever: 'disable_workflow_creation' },
    },
    async (request, reply) => {
      const { id } = await submitRequest(ctx, request.caller, parseNewWorkflow(request.body))
      return answerCreated(ctx, request, reply, id)
    },
  )

  app.get<WorkflowPath>(
    '/workflows',
    { schema: { tags, summary: 'List workflows', response: answers({ 200: WorkflowListSchema }) } },
    async (request) => {
      const query = parseWorkflowList(request.query)
      const { rows, total } = await listRequestPage(ctx, request.caller, query)
      const now = ctx.clock.now()
      const ids = query.includeTemplate ? rows.map((row) => row.policy_id) : []
      const templates = ids.length === 0 ? null : await findPolicies(ctx, request.caller.orgId, ids)
      const data = rows.map((row) => renderWorkflow(row, now, included(templates?.get(row.policy_id))))
      return { data, pagination: { total, page: query.page, limit: query.limit } }
    },
  )

  app.get<WorkflowPath>(
    '/workflows/:workflowId',
    { schema: { tags, summary: 'Read a workflow by id or name', response: answers({ 200: WorkflowSchema }) } },
    async (request) => {
      const includeTemplate = parseInclude(request.query, 'REQUEST_INVALID_INCLUDE')
      const row = await readRequest(ctx, request.caller, idOrName(request.params.workflowId))
      const policy = includeTemplate ? await findPolicy(ctx, row.org_id, { id: row.policy_id }) : undefined
      return renderWorkflow(row, ctx.clock.now(), included(policy))
    },
  )

  app.get<WorkflowPath>(
    '/workflows/:workflowId/votes',
    { schema: { tags, summary: 'List the votes of a workflow', response: answers({ 200: VoteListSchema }) } },
    async (request) => {
      const page = parseVotePage(request.query)
      const votes = await listRequestVotes(ctx, request.caller, idOrName(request.params.workflowId), page)
      return { votes: votes.map(renderVote) }
    },
  )

  app.get<WorkflowPath>(
    '/v1/workflows/:workflowId/content',
    {
      schema: { tags, summary: 'What a vote is cast on, with its digest', response: answers({ 200: ContentSchema }) },
    },
    async (request) => {
      const read = await readRequestContent(ctx, request.caller, idOrName(request.params.workflowId))
      const { orgId: organizationId, id: workflowId, digest, stage, content } = read
      return { organizationId, workflowId, digest, ...(stage !== null && { stage }), content }
    },
  )

  app.get<WorkflowPath>(
    '/v1/workflows/:workflowId/explain',
    {
      schema: {
        tags,
        summary: 'What is missing, and who could finish it',
        response: answers({ 200: ExplanationSchema }),
      },
    },
    async (request) =>
      renderExplanation(await explainRequest(ctx, request.caller, idOrName(request.params.workflowId))),
  )

  app.get<WorkflowPath>(
    '/v1/workflows/:workflowId/receipt',
    {
      schema: {
        tags,
        summary: 'The receipt of a decided workflow, to be checked without us',
        response: answers({ 200: ReceiptSchema }),
      },
    },
    async (request, reply) =>
      answerReceipt(reply, await readReceipt(ctx, request.caller, idOrName(request.params.workflowId))),
  )

  app.post<WorkflowPath>(
    '/v1/workflows/:workflowId/close-stage',
    { schema: { tags, summary: 'Close the open advisory stage', response: answers({ 200: ClosedStageSchema }) } },
    async (request) => {
      const { status, stage } = await closeStage(ctx, request.caller, idOrName(request.params.workflowId))
      return { workflowStatus: workflowStatus[status], stage }
    },
  )

  app.post<WorkflowPath>(
    '/v1/workflows/:workflowId/cancel',
    { schema: { tags, summary: 'Cancel a workflow that is not decided', response: answers({ 200: OutcomeSchema }) } },
    async (request) => {
      const { status } = await cancelRequest(ctx, request.caller, idOrName(request.params.workflowId))
      return { workflowStatus: workflowStatus[status] }
    },
  )
}

/** The template for `ref`, secrets hidden; null when it was not asked for. */
function included(policy: OpenPolicy | undefined): object | null {
  return policy === undefined ? null : renderTemplate(policy)
}
