import { Type } from 'typebox'
import type { ErrorCode } from '../../../errors.ts'
import { refuse } from './read.ts'

export type Query = Readonly<Record<string, unknown>>

export interface Page {
  readonly page: number
  readonly limit: number
}

/** How a list reads `page` and `limit`: its codes, and what becomes of a limit that is too large. */
export interface PageRules {
  readonly page: ErrorCode
  readonly limit: ErrorCode
  /** The code for what is no number at all, where the list has one of its own. */
  readonly notNumber?: ErrorCode
  readonly maxLimit: number
  readonly overMax: 'capped' | 'refused'
}

/** Most lists: a limit over `maxLimit` becomes `maxLimit`, and the answer shows so (contract §1). */
export function cappedAt(maxLimit: number): PageRules {
  return { page: 'INVALID_PAGE', limit: 'INVALID_LIMIT', maxLimit, overMax: 'capped' }
}

const defaultLimit = 20

/** Reads `page` and `limit` of a list. @throws AppError the codes of `rules` */
export function parsePage(query: unknown, rules: PageRules): Page {
  const { page, limit } = query as Query
  return {
    page: page === undefined ? 1 : parsePageNumber(page, rules),
    limit: limit === undefined ? defaultLimit : parseLimit(limit, rules),
  }
}

function parsePageNumber(value: unknown, rules: PageRules): number {
  const page = countingNumber(value, 'page', rules.page, rules)
  // Past 2^53 no list has a page, and the number could not be shown as it was sent.
  return Number.isSafeInteger(page) ? page : refuse(rules.page, 'page')
}

function parseLimit(value: unknown, rules: PageRules): number {
  const limit = countingNumber(value, 'limit', rules.limit, rules)
  if (limit > rules.maxLimit && rules.overMax === 'refused') refuse(rules.limit, 'limit')
  return Math.min(limit, rules.maxLimit)
}

function countingNumber(value: unknown, field: string, code: ErrorCode, { notNumber = code }: PageRules): number {
  const isNumber = typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))
  if (!isNumber) refuse(notNumber, field)
  return /^\d+$/.test(value) && Number(value) >= 1 ? Number(value) : refuse(code, field)
}

/** An optional search text of a list. @throws AppError INVALID_SEARCH when it is repeated or longer than any name */
export function parseSearch(query: unknown): string | null {
  const { search } = query as Query
  if (search === undefined) return null
  if (typeof search !== 'string' || search.length > 512) refuse('INVALID_SEARCH', 'search')
  return search
}

export function renderPagination(page: Page, total: number): object {
  return { total, page: page.page, limit: page.limit }
}

export const paginationSchema = Type.Object({
  total: Type.Integer({ minimum: 0 }),
  page: Type.Integer({ minimum: 1 }),
  limit: Type.Integer({ minimum: 1 }),
})

export const pageQuery = {
  page: Type.Optional(Type.Integer({ minimum: 1, default: 1 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, default: defaultLimit })),
}
