import { Type } from 'typebox'
import type { InboxPage, InboxQuery } from '../../../approvals/read-inbox.ts'
import {
  cursorPaginationSchema,
  cursorQuery,
  parseCursorLimit,
  parsePlace,
  renderCursorPagination,
  renderPlace,
} from './cursor.ts'
import type { JsonObject } from './read.ts'
import { renderRequest, requestSchema } from './requests.ts'
import { answers } from './schemas.ts'

/** Reads the query of `GET /v1/inbox`. @throws AppError INVALID_CURSOR, INVALID_AUDIT_LIMIT */
export function parseInboxQuery(value: unknown): InboxQuery {
  const query = value as JsonObject
  return {
    place: query['cursor'] === undefined ? null : parsePlace(query['cursor']),
    limit: parseCursorLimit(query),
  }
}

export function renderInboxPage({ items, next }: InboxPage): object {
  return {
    requests: items.map(renderRequest),
    pagination: renderCursorPagination(next === null ? null : renderPlace(next)),
  }
}

export const inboxSchema = {
  tags: ['requests'],
  summary: 'Open requests of every API that wait for your vote, oldest first',
  description: 'A page may hold fewer than were asked for and not be the last: `hasMore` tells.',
  querystring: Type.Object(cursorQuery),
  response: answers({
    200: Type.Object({ requests: Type.Array(requestSchema), pagination: cursorPaginationSchema }),
  }),
}
