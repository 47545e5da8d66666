import { Type } from 'typebox'
import { parsePage } from './pages.ts'
import { refuse, type JsonObject } from './read.ts'

/** Where a page of a list ends that is told by cursors: the time and the id of its last item. */
export interface Place {
  readonly at: Date
  readonly id: string
}

/** Base64 of `{createdAt}_{id}` (contract §2.10). */
export function renderPlace({ at, id }: Place): string {
  return Buffer.from(`${at.toISOString()}_${id}`).toString('base64')
}

/** @throws AppError INVALID_CURSOR for everything but what `renderPlace` gives */
export function parsePlace(value: unknown): Place {
  const text = typeof value === 'string' ? Buffer.from(value, 'base64').toString('latin1') : ''
  const [, time = '', id = ''] = form.exec(text) ?? []
  const at = new Date(time)
  // No item is so old, and no two stores read the year 0 alike.
  if (!(at.getTime() >= 0)) refuse('INVALID_CURSOR', 'cursor')
  return renderPlace({ at, id }) === value ? { at, id } : refuse('INVALID_CURSOR', 'cursor')
}

const form = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** Reads `limit` of such a list: 20 when absent. @throws AppError INVALID_AUDIT_LIMIT */
export function parseCursorLimit({ limit }: JsonObject): number {
  return parsePage({ limit }, pageRules).limit
}

const pageRules = {
  page: 'INVALID_PAGE',
  limit: 'INVALID_AUDIT_LIMIT',
  maxLimit: 100,
  overMax: 'refused',
} as const

/** The member `pagination` of an answer. */
export function renderCursorPagination(nextCursor: string | null): object {
  return nextCursor === null ? { hasMore: false } : { hasMore: true, nextCursor }
}

export const cursorQuery = {
  cursor: Type.Optional(Type.String({ description: 'nextCursor of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
}

export const cursorPaginationSchema = Type.Object({
  hasMore: Type.Boolean(),
  nextCursor: Type.Optional(Type.String()),
})
