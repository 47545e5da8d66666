import { Type } from 'typebox'
import type { ErrorCode } from '../../../errors.ts'
import type { LoggedType, LogFilter, LogPage, LogQuery } from '../../../identity/list-audit-log.ts'
import { auditTypes, renderLogEntry, targetTypes, typesAbout } from './audit-log-entry.ts'
import { cursorPaginationSchema, cursorQuery, parseCursorLimit, renderCursorPagination } from './cursor.ts'
import { uuidOf } from './ids.ts'
import { parseCursor, renderCursor } from './log-cursor.ts'
import { chosenParameters, listParameter } from './query.ts'
import { refuse, type JsonObject } from './read.ts'
import { answers, timestampSchema, uuidSchema } from './schemas.ts'

/**
 * Reads the query of `GET /audit-logs`.
 * @throws AppError INVALID_CURSOR, INVALID_LIMIT, INVALID_TARGETS, INVALID_ACTORS, INVALID_AUDIT_TYPES
 */
export function parseLogQuery(value: unknown): LogQuery {
  const query = value as JsonObject
  const { filter, ...page } = parseOwnLogQuery(query)
  return {
    ...page,
    filter: { ...filter, actors: orNull(namedIds(query, 'actors', actorKinds, 'INVALID_ACTORS', byKind)) },
  }
}

/** Reads the query of `GET /audit-logs/me`, which has no `actors`. @throws AppError the other codes of `parseLogQuery` */
export function parseOwnLogQuery(value: unknown): LogQuery {
  const query = value as JsonObject
  const place = query['cursor'] === undefined ? null : parseCursor(query['cursor'])
  const limit = parseCursorLimit(query)
  const targets = namedIds(query, 'targets', typesAbout, 'INVALID_TARGETS', (types, id) =>
    types.map((type) => ({ ...type, id })),
  )
  const types: readonly LoggedType[] = chosenParameters(query, 'auditTypes', auditTypes, 'INVALID_AUDIT_TYPES')
  const filter: LogFilter = { types: orNull(types), targets: orNull(targets), actors: null }
  return { filter, place, limit }
}

/** Renders a page of the log (contract §1.11, §2.10). */
export function renderLogPage({ entries, next }: LogPage): object {
  return {
    auditLogs: entries.map(renderLogEntry),
    pagination: renderCursorPagination(next === null ? null : renderCursor(next)),
  }
}

const actorKinds = { user: 'human', agent: 'agent' } as const
const byKind = (kind: 'human' | 'agent', id: string) => [{ kind, id }]

/** A repeatable parameter of items `{word}:{uuid}`, each turned into what `make` says. @throws AppError `code` */
function namedIds<W, T>(
  query: JsonObject,
  name: string,
  words: Readonly<Record<string, W>>,
  code: ErrorCode,
  make: (word: W, id: string) => readonly T[],
): T[] {
  if (query[name] === '') refuse(code, name)
  return listParameter(query, name).flatMap((item) => {
    const [word = '', ...rest] = item.split(':')
    const id = uuidOf(rest.join(':'))
    return id !== null && Object.hasOwn(words, word) ? make(words[word] as W, id) : refuse(code, name)
  })
}

/** No value of a filter means no filter. */
function orNull<T>(values: readonly T[]): readonly T[] | null {
  return values.length === 0 ? null : values
}

const repeated = (description: string) => Type.Optional(Type.Array(Type.String(), { description }))

const ownLogQuery = {
  ...cursorQuery,
  targets: repeated('SPACE, GROUP, USER or AGENT, a colon and a UUID; any of them.'),
  auditTypes: repeated('Any of these types.'),
}

const answer = answers({
  200: Type.Object({
    auditLogs: Type.Array(
      Type.Object({
        id: uuidSchema,
        auditType: Type.Enum(Object.keys(auditTypes)),
        target: Type.Object({ type: Type.Enum([...targetTypes]), id: uuidSchema }),
        actor: Type.Object({ id: uuidSchema, type: Type.Enum(Object.keys(actorKinds)) }),
        createdAt: timestampSchema,
        payload: Type.Unknown({ description: 'What the type says: names, members or roles.' }),
      }),
    ),
    pagination: cursorPaginationSchema,
  }),
})

const tags = ['audit-logs']

export const listAuditLogSchema = {
  summary: 'What was done in the last seven days, newest first',
  tags,
  querystring: Type.Object({ ...ownLogQuery, actors: repeated('user or agent, a colon and a UUID; any of them.') }),
  response: answer,
}

export const listOwnAuditLogSchema = {
  summary: 'What the caller did in the last seven days, newest first',
  tags,
  querystring: Type.Object(ownLogQuery),
  response: answer,
}
