import { Type } from 'typebox'
import type { DeliveryPage, DeliveryQuery } from '../../../deliveries/list-deliveries.ts'
import type { Requeue } from '../../../deliveries/requeue-deliveries.ts'
import type { ShownDelivery } from '../../../deliveries/shown-delivery.ts'
import { workflowStatus } from '../../../deliveries/status-words.ts'
import {
  cursorPaginationSchema,
  cursorQuery,
  parseCursorLimit,
  parsePlace,
  renderCursorPagination,
  renderPlace,
} from './cursor.ts'
import { uuidOf } from './ids.ts'
import { chosenParameters } from './query.ts'
import { asObject, refuse, type JsonObject } from './read.ts'
import { answers, timestampSchema, uuidSchema } from './schemas.ts'

const statuses = { PENDING: 'pending', COMPLETED: 'completed', ERROR: 'error' } as const
const kinds = { EMAIL: 'EMAIL', WEBHOOK: 'WEBHOOK', SLACK: 'SLACK' } as const
const maxRequeued = 1000
const defaultRequeued = 100

/**
 * Reads the query of `GET /v1/deliveries`.
 * @throws AppError INVALID_CURSOR, INVALID_LIMIT, INVALID_DELIVERY_STATUS, INVALID_DELIVERY_TYPE, INVALID_WORKFLOW_ID
 */
export function parseDeliveryQuery(value: unknown): DeliveryQuery {
  const query = value as JsonObject
  return {
    place: query['cursor'] === undefined ? null : parsePlace(query['cursor']),
    limit: parseCursorLimit(query),
    filter: {
      statuses: orNull(chosenParameters(query, 'status', statuses, 'INVALID_DELIVERY_STATUS')),
      kinds: orNull(chosenParameters(query, 'type', kinds, 'INVALID_DELIVERY_TYPE')),
      requestId: parseWorkflowId(query),
    },
  }
}

/**
 * Reads the body of `POST /v1/deliveries/requeue`, which may be absent.
 * @throws AppError INVALID_DELIVERY_TYPE, INVALID_WORKFLOW_ID, INVALID_REQUEUE_LIMIT
 */
export function parseRequeue(value: unknown): Requeue {
  const body: JsonObject = value === undefined ? {} : asObject(value)
  const { type, limit = defaultRequeued } = body
  const isLimit = Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= maxRequeued
  return {
    kinds: type === undefined ? null : [kindOf(type)],
    requestId: parseWorkflowId(body),
    limit: isLimit ? Number(limit) : refuse('INVALID_REQUEUE_LIMIT', 'limit'),
  }
}

function kindOf(value: unknown): keyof typeof kinds {
  const isKind = typeof value === 'string' && Object.hasOwn(kinds, value)
  return isKind ? (value as keyof typeof kinds) : refuse('INVALID_DELIVERY_TYPE', 'type')
}

function parseWorkflowId({ workflowId }: JsonObject): string | null {
  return workflowId === undefined ? null : (uuidOf(workflowId) ?? refuse('INVALID_WORKFLOW_ID', 'workflowId'))
}

function orNull<T>(values: readonly T[]): readonly T[] | null {
  return values.length === 0 ? null : values
}

export function renderDeliveryPage({ deliveries, next }: DeliveryPage): object {
  return {
    deliveries: deliveries.map(renderDelivery),
    pagination: renderCursorPagination(next === null ? null : renderPlace(next)),
  }
}

export function renderDelivery(delivery: ShownDelivery): object {
  return {
    id: delivery.id,
    workflowId: delivery.request_id,
    workflowName: delivery.request_name,
    type: delivery.kind,
    status: statusWords[delivery.status],
    from: workflowStatus[delivery.from_status],
    to: workflowStatus[delivery.to_status],
    occurredAt: delivery.occurred_at.toISOString(),
    attempts: delivery.attempts,
    ...(delivery.reason !== null && { reason: delivery.reason }),
    action: delivery.action,
    ...(delivery.response !== null && { response: renderResponse(delivery.response) }),
    ...(delivery.locked_by !== null && { lockedBy: delivery.locked_by }),
    createdAt: delivery.created_at.toISOString(),
    updatedAt: delivery.updated_at.toISOString(),
  }
}

const statusWords = { pending: 'PENDING', completed: 'COMPLETED', error: 'ERROR' } as const

/** What a receiver answered. */
export function renderResponse({ status, body, bodyState }: NonNullable<ShownDelivery['response']>): object {
  return { status, ...(body !== null && { body }), bodyState }
}

export const responseSchema = Type.Object(
  {
    status: Type.Integer({ description: "The receiver's HTTP status, or the mail server's reply code." }),
    body: Type.Optional(Type.String({ description: 'Its first 10,000 characters, if it is text.' })),
    bodyState: Type.Enum(['OK', 'TRUNCATED', 'MISSING', 'BINARY_DATA', 'PROCESSING_FAILED']),
  },
  { description: 'What the receiver answered last.' },
)

const workflowWord = Type.Enum(Object.values(workflowStatus))
const deliverySchema = Type.Object({
  id: uuidSchema,
  workflowId: uuidSchema,
  workflowName: Type.String(),
  type: Type.Enum(Object.keys(kinds)),
  status: Type.Enum(Object.keys(statuses)),
  from: workflowWord,
  to: workflowWord,
  occurredAt: timestampSchema,
  attempts: Type.Integer({ minimum: 0, description: 'Attempts that have ended.' }),
  reason: Type.Optional(Type.String({ description: 'Why the last attempt failed.' })),
  action: Type.Unknown({ description: 'The action as it stood when the status changed, with secrets as ***.' }),
  response: Type.Optional(responseSchema),
  lockedBy: Type.Optional(Type.String({ description: 'The worker that has it in hand.' })),
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
})

const tags = ['deliveries']
const some = (words: object) =>
  Type.Optional(Type.Array(Type.Enum(Object.keys(words)), { description: 'Any of these; a single one is as good.' }))

export const listDeliveriesSchema = {
  summary: 'What was sent after decisions or is still to be, newest first',
  tags,
  querystring: Type.Object({
    ...cursorQuery,
    status: some(statuses),
    type: some(kinds),
    workflowId: Type.Optional(uuidSchema),
  }),
  response: answers({
    200: Type.Object({ deliveries: Type.Array(deliverySchema), pagination: cursorPaginationSchema }),
  }),
}

export const getDeliverySchema = { summary: 'One delivery', tags, response: answers({ 200: deliverySchema }) }

export const requeueDeliverySchema = {
  summary: 'Send a failed delivery again, with all its attempts',
  tags,
  response: answers({ 200: deliverySchema }),
}

export const requeueDeliveriesSchema = {
  summary: 'Send the oldest failed deliveries again, ten a second to each destination',
  tags,
  body: Type.Object({
    type: Type.Optional(Type.Enum(Object.keys(kinds))),
    workflowId: Type.Optional(uuidSchema),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxRequeued, default: defaultRequeued })),
  }),
  response: answers({ 200: Type.Object({ requeued: Type.Integer({ minimum: 0 }) }) }),
}
