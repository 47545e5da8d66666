import { Type } from 'typebox'
import type { ErrorCode } from '../../../errors.ts'
import { refuse, type JsonObject } from './read.ts'

export interface Page {
  readonly page: number
  readonly limit: number
}

export interface PageRules {
  readonly defaultLimit?: number
  readonly maxLimit: number
  /** Above the maximum: taken as the maximum and answered so, or refused. */
  readonly overMaximum: 'cap' | 'refuse'
  readonly codes: { readonly page: ErrorCode; readonly limit: ErrorCode }
}

const usual: PageRules = {
  maxLimit: 1000,
  overMaximum: 'cap',
  codes: { page: 'INVALID_PAGE', limit: 'INVALID_LIMIT' },
}

/** Reads `page` (from 1, default 1) and `limit` (from 1, default 20) of a list (contract §1, §2.10). */
export function readPage(query: JsonObject, rules: Partial<PageRules> = {}): Page {
  const { defaultLimit = 20, maxLimit, overMaximum, codes } = { ...usual, ...rules }
  const page = readCount(query['page'], 1) ?? refuse(codes.page, 'page')
  const limit = readCount(query['limit'], defaultLimit) ?? refuse(codes.limit, 'limit')
  if (limit > maxLimit && overMaximum === 'refuse') refuse(codes.limit, 'limit')
  return { page, limit: Math.min(limit, maxLimit) }
}

// Up to fifteen digits: exact as a number, and an offset far past any end is an empty page.
function readCount(value: unknown, fallback: number): number | null {
  if (value === undefined) return fallback
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value)) return null
  const count = Number(value)
  return count >= 1 ? count : null
}

export function offsetOf({ page, limit }: Page): number {
  return (page - 1) * limit
}

export const PaginationSchema = Type.Object({ total: Type.Integer(), page: Type.Integer(), limit: Type.Integer() })
