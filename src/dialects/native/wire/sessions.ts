import { Type } from 'typebox'
import type { Session } from '../../../identity/list-sessions.ts'
import { pageQuery, paginationSchema } from './pages.ts'
import { answers, noBody, timestampSchema, uuidSchema } from './schemas.ts'

/** Renders one sign-in; `current` marks the one that the call was made with. */
export function renderSession(session: Session, currentId: string | null): object {
  const { id, channel, user_agent, created_at, last_used_at } = session
  return {
    id,
    channel,
    ...(user_agent !== null && { userAgent: user_agent }),
    createdAt: created_at.toISOString(),
    lastUsedAt: last_used_at.toISOString(),
    current: id === currentId,
  }
}

const tags = ['sessions']

export const listSessionsSchema = {
  tags,
  summary: 'Your own sign-ins, newest first',
  querystring: Type.Object(pageQuery),
  response: answers({
    200: Type.Object({
      sessions: Type.Array(
        Type.Object({
          id: uuidSchema,
          channel: Type.Enum(['cli', 'web', 'agent']),
          userAgent: Type.Optional(Type.String()),
          createdAt: timestampSchema,
          lastUsedAt: timestampSchema,
          current: Type.Boolean(),
        }),
      ),
      pagination: paginationSchema,
    }),
  }),
}

export const endSessionSchema = { tags, summary: 'End one of your sign-ins', response: answers({ 204: noBody }) }

export const endAllSessionsSchema = { tags, summary: 'End all your sign-ins', response: answers({ 204: noBody }) }
