import { Type } from 'typebox'
import type { ListRequestsInput } from '../../../approvals/list-requests.ts'
import { currentStatus } from '../../../approvals/read-request.ts'
import type { SubmitRequestInput } from '../../../approvals/submit-request.ts'
import type { RequestOrder } from '../../../store/request-list.ts'
import type { RequestRow } from '../../../store/requests.ts'
import type { VotePage, VoteRow } from '../../../store/votes.ts'
import { idOrName, isUuidV7 } from './ids.ts'
import { cappedAt, paginationSchema, parsePage } from './pages.ts'
import { booleanParameter, listParameter, textParameter } from './query.ts'
import { asObject, optionalText, refuse, requireModest, type JsonObject } from './read.ts'
import { workflowStatus } from './votes.ts'

/** Most that a page of workflows or votes holds (contract §1). */
const maxLimit = 1000

/** Reads the body of `POST /workflows`. @throws AppError with the codes of contract §1.4, in its order */
export function parseNewWorkflow(value: unknown): SubmitRequestInput {
  const body = asObject(value)
  const { name, workflowTemplateId: policyId } = body
  if (name === undefined || name === null) refuse('NAME_MISSING', 'name')
  if (typeof name !== 'string') refuse('NAME_NOT_STRING', 'name')
  const codes = { type: 'DESCRIPTION_NOT_STRING', tooLong: 'WORKFLOW_DESCRIPTION_TOO_LONG' } as const
  if (body['description'] !== undefined && body['description'] !== null && typeof body['description'] !== 'string') {
    refuse('DESCRIPTION_NOT_STRING', 'description')
  }
  const metadata = parseMetadata(body['metadata'])
  if (policyId === undefined || policyId === null) refuse('WORKFLOW_TEMPLATE_ID_MISSING', 'workflowTemplateId')
  if (typeof policyId !== 'string') refuse('WORKFLOW_TEMPLATE_ID_NOT_STRING', 'workflowTemplateId')
  if (name.trim() === '') refuse('WORKFLOW_NAME_EMPTY', 'name')
  if (name.length > 512) refuse('WORKFLOW_NAME_TOO_LONG', 'name')
  if (!/^[a-zA-Z0-9_-]+$/.test(name)) refuse('WORKFLOW_NAME_INVALID_CHARACTERS', 'name')
  const description = optionalText(body, 'description', codes, 2048)
  if (!isUuidV7(policyId)) refuse('WORKFLOW_WORKFLOW_TEMPLATE_ID_INVALID_UUID', 'workflowTemplateId')
  return { name, description, metadata, policyId: policyId.toLowerCase() }
}

function parseMetadata(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {}
  const metadata = asObject(value, 'METADATA_MALFORMED', 'metadata')
  for (const [name, text] of Object.entries(metadata)) {
    if (typeof text !== 'string') refuse('METADATA_MALFORMED', `metadata.${name}`)
  }
  requireModest(metadata, 'METADATA_MALFORMED', 'metadata')
  return metadata as Record<string, string>
}

export interface WorkflowListQuery extends ListRequestsInput {
  readonly includeTemplate: boolean
}

const orderFields: Readonly<Record<string, RequestOrder['field']>> = {
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
}

/** Reads the query of `GET /workflows`. @throws AppError with the codes of contract §1.4 */
export function parseWorkflowList(query: JsonObject): WorkflowListQuery {
  const page = parsePage(query, cappedAt(maxLimit))
  const includeTemplate = parseInclude(query, 'INVALID_INCLUDE')
  const openNames = ['includeOnlyNonTerminalState', 'include-only-non-terminal-state']
  const onlyOpen = booleanParameter(query, openNames, 'INVALID_INCLUDE_ONLY_NON_TERMINAL_STATE')
  const identifier = textParameter(query, 'workflowTemplateIdentifier', 'INVALID_WORKFLOW_TEMPLATE_IDENTIFIER')
  const groupIds = listParameter(query, 'includeGroups').map((id) => id.toLowerCase())
  if (!groupIds.every(isUuidV7) || groupIds.length > 100) refuse('INVALID_INCLUDE_GROUPS', 'includeGroups')
  const template = identifier === null ? null : idOrName(identifier)
  return { ...page, includeTemplate, onlyOpen, template, groupIds, order: parseOrder(query) }
}

/** Whether `include` asks for the template. @throws AppError `code` when it asks for anything else */
export function parseInclude(query: JsonObject, code: 'INVALID_INCLUDE' | 'REQUEST_INVALID_INCLUDE'): boolean {
  const included = listParameter(query, 'include')
  if (query['include'] === '' || included.some((name) => name !== 'workflow-template')) refuse(code, 'include')
  return included.length > 0
}

function parseOrder(query: JsonObject): RequestOrder[] {
  const items = listParameter(query, 'orderBy')
  if (items.length > 3) refuse('TOO_MANY_ORDER_BY_ITEMS', 'orderBy')
  const order = items.map((item): RequestOrder => {
    const [name = '', direction = '', ...rest] = item.split(':')
    const field = Object.hasOwn(orderFields, name) ? orderFields[name] : undefined
    if (field === undefined || !['ASC', 'DESC'].includes(direction) || rest.length > 0)
      refuse('INVALID_ORDER_BY', 'orderBy')
    return { field, direction: direction === 'ASC' ? 'asc' : 'desc' }
  })
  if (new Set(order.map(({ field }) => field)).size < order.length) refuse('DUPLICATE_ORDER_BY_FIELDS', 'orderBy')
  return order.length > 0 ? order : [{ field: 'updated_at', direction: 'desc' }]
}

/** Reads the page of `GET /workflows/{id}/votes`; null when none is asked for: then every vote, oldest first (contract §9 row 25). */
export function parseVotePage(query: JsonObject): VotePage | null {
  const isAsked = ['page', 'limit', 'orderBy'].some((name) => query[name] !== undefined)
  if (!isAsked) return null
  const page = parsePage(query, cappedAt(maxLimit))
  const [order = 'TIMESTAMP:DESC', ...rest] = listParameter(query, 'orderBy')
  if (!['TIMESTAMP:ASC', 'TIMESTAMP:DESC'].includes(order) || rest.length > 0) refuse('INVALID_ORDER_BY', 'orderBy')
  return { ...page, newestFirst: order === 'TIMESTAMP:DESC' }
}

/** Renders a Workflow (contract §2.5). `template` goes into `ref` when it was asked for. */
export function renderWorkflow(row: RequestRow, now: Date, template: object | null): object {
  return {
    id: row.id,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    status: workflowStatus[currentStatus(row, now)],
    workflowTemplateId: row.policy_id,
    metadata: row.metadata,
    ref: template === null ? {} : { workflowTemplate: template },
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  }
}

/** Renders a WorkflowVote (contract §2.6). */
export function renderVote(vote: VoteRow): object {
  return {
    voterId: vote.principal_id,
    voterType: vote.kind,
    voteType: vote.stance.toUpperCase(),
    ...(vote.reason !== null && { reason: vote.reason }),
    timestamp: vote.cast_at.toISOString(),
    ...(vote.stance === 'approve' && { votedForGroups: vote.seats }),
  }
}

/** Shown as it is: its members are those of the digested form. */
export const ContentSchema = Type.Object({
  organizationId: Type.String(),
  workflowId: Type.String(),
  digest: Type.String({ description: 'SHA-256, in hex, of the RFC 8785 form of content' }),
  stage: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'The stage, from 0 on, that a vote is cast in now; absent when none is any more',
    }),
  ),
  content: Type.Object({}, { additionalProperties: true }),
})

export const WorkflowSchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  status: Type.String(),
  workflowTemplateId: Type.String(),
  metadata: Type.Object({}, { additionalProperties: true }),
  ref: Type.Object({}, { additionalProperties: true }),
  createdAt: Type.String(),
  updatedAt: Type.String(),
  expiresAt: Type.String(),
})

export const WorkflowListSchema = Type.Object({ data: Type.Array(WorkflowSchema), pagination: paginationSchema })

export const VoteListSchema = Type.Object({
  votes: Type.Array(
    Type.Object({
      voterId: Type.String(),
      voterType: Type.String(),
      voteType: Type.String(),
      reason: Type.Optional(Type.String()),
      timestamp: Type.String(),
      votedForGroups: Type.Optional(Type.Array(Type.String())),
    }),
  ),
})

/** What a client may send to open a workflow: for the reader of the API description. */
export const NewWorkflowSchema = Type.Object({
  name: Type.String({ pattern: '^[a-zA-Z0-9_-]+$', maxLength: 512 }),
  description: Type.Optional(Type.String({ maxLength: 2048 })),
  metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
  workflowTemplateId: Type.String({ format: 'uuid' }),
})

export const ClosedStageSchema = Type.Object({ workflowStatus: Type.String(), stage: Type.Integer() })
