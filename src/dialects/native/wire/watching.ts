import { Type } from 'typebox'
import { AppError } from '../../../errors.ts'
import type { Status } from '../../../kernel/request.ts'
import type { WatchedState } from '../../../watching/watcher.ts'
import type { JsonObject } from './read.ts'
import { answers } from './schemas.ts'
import { workflowStatus } from './votes.ts'
import { WorkflowSchema } from './workflows.ts'

const longestWaitSeconds = 60
const statuses = new Map(Object.entries(workflowStatus).map(([status, word]) => [word, status as Status]))

/** What a status is called on the wire; undefined for any other text. */
export function statusOf(word: unknown): Status | undefined {
  return statuses.get(word as string)
}

/** Reads the query of `GET /v1/workflows/{id}`. @throws AppError MALFORMED_REQUEST */
export function parseWait(query: JsonObject): { waitSeconds: number; since: Status } {
  const { wait = '0', since = workflowStatus.open } = query
  const waitSeconds = typeof wait === 'string' && /^\d{1,2}$/.test(wait) ? Number(wait) : Infinity
  if (waitSeconds > longestWaitSeconds) {
    throw malformed('wait', `must be a whole number of seconds from 0 to ${longestWaitSeconds}`)
  }
  const status = statusOf(since)
  if (status === undefined) throw malformed('since', `must be one of ${[...statuses.keys()].join(', ')}`)
  return { waitSeconds, since: status }
}

function malformed(field: string, problem: string): AppError {
  return new AppError('MALFORMED_REQUEST', `${field} ${problem}.`, { field })
}

/** Renders the data of an event `status`. */
export function renderState({ id, status, updatedAt, expiresAt }: WatchedState): object {
  return {
    workflowId: id,
    status: workflowStatus[status],
    updatedAt: updatedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  }
}

const tags = ['Workflows']
const statusSchema = Type.Union(Object.values(workflowStatus).map((word) => Type.Literal(word)))

export const awaitSchema = {
  tags,
  summary: 'Read a workflow, once it is decided',
  description:
    'Answers as soon as the workflow has another status than `since` or nothing can change it any more, and as it is ' +
    'when `wait` seconds are over. Who has seen REJECTED, which a withdrawn veto may undo, asks for the next change ' +
    'with `since=REJECTED`.',
  querystring: Type.Object({
    wait: Type.Optional(Type.Integer({ minimum: 0, maximum: longestWaitSeconds, default: 0 })),
    since: Type.Optional(statusSchema),
    include: Type.Optional(Type.String({ description: 'workflow-template' })),
  }),
  response: answers({ 200: WorkflowSchema }),
}

export const eventsSchema = {
  tags,
  summary: 'Watch a workflow by server-sent events',
  description:
    'An event `status` at once and one for every change after it; the id of an event is the status it tells. Ends after ' +
    'a status that nothing can change, when the access token expires, and when the server stops: connect again. With ' +
    'Last-Event-ID the first event is left out if it would tell that status again; 204 if nothing can change it any more.',
  headers: Type.Object({ 'last-event-id': Type.Optional(statusSchema) }),
  response: {
    ...answers({}),
    200: {
      description: 'A stream of events. data: {"workflowId", "status", "updatedAt", "expiresAt"}',
      content: { 'text/event-stream': { schema: Type.String() } },
    },
  },
}
