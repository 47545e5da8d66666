import { Type } from 'typebox'
import type { AttemptOutcome } from '../../../deliveries/attempt.ts'
import type { ActionSource } from '../../../deliveries/test-action.ts'
import { parseFreeAction } from './actions.ts'
import { renderResponse, responseSchema } from './deliveries.ts'
import { isUuidV7 } from './ids.ts'
import { asObject, refuse } from './read.ts'
import { answers, uuidSchema } from './schemas.ts'
import { actionSchema } from './template-schemas.ts'

/**
 * Reads the body of `POST /v1/actions/test`: an action, or the template and the place where it stands.
 * @throws AppError MALFORMED_REQUEST unless it names exactly one, the WORKFLOW_ACTION_* codes, WORKFLOW_TEMPLATE_ID_NOT_STRING,
 * WORKFLOW_WORKFLOW_TEMPLATE_ID_INVALID_UUID, ACTION_INDEX_INVALID
 */
export function parseActionTest(value: unknown): ActionSource {
  const body = asObject(value)
  const { action, workflowTemplateId, templateName, index } = body
  const named = sources.filter((source) => body[source] !== undefined)
  if (named.length !== 1) refuse('MALFORMED_REQUEST', named[1] ?? 'action')
  if (action !== undefined) return { action: parseFreeAction(action, 'action') }
  const policy = templateName === undefined ? { id: idOf(workflowTemplateId) } : { name: nameOf(templateName) }
  const isPlace = Number.isSafeInteger(index) && Number(index) >= 0
  return { policy, place: isPlace ? Number(index) : refuse('ACTION_INDEX_INVALID', 'index') }
}

const sources = ['action', 'workflowTemplateId', 'templateName'] as const

function idOf(value: unknown): string {
  if (typeof value !== 'string') return refuse('WORKFLOW_TEMPLATE_ID_NOT_STRING', 'workflowTemplateId')
  if (!isUuidV7(value)) return refuse('WORKFLOW_WORKFLOW_TEMPLATE_ID_INVALID_UUID', 'workflowTemplateId')
  return value.toLowerCase()
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? value : refuse('MALFORMED_REQUEST', 'templateName')
}

export function renderActionTest(outcome: AttemptOutcome): object {
  return {
    status: outcome.kind === 'sent' ? 'COMPLETED' : 'ERROR',
    ...(outcome.kind === 'failed' && { reason: outcome.reason }),
    ...(outcome.response !== null && { response: renderResponse(outcome.response) }),
  }
}

export const testActionSchema = {
  summary: 'Send a sample of an action now, marked as a test: one attempt, kept nowhere',
  tags: ['deliveries'],
  body: Type.Object({
    action: Type.Optional(actionSchema),
    workflowTemplateId: Type.Optional(uuidSchema),
    templateName: Type.Optional(Type.String({ description: 'The newest version of this name.' })),
    index: Type.Optional(Type.Integer({ minimum: 0, description: 'The place of the action in the template, from 0.' })),
  }),
  response: answers({
    200: Type.Object({
      status: Type.Enum(['COMPLETED', 'ERROR']),
      reason: Type.Optional(Type.String()),
      response: Type.Optional(responseSchema),
    }),
  }),
}
