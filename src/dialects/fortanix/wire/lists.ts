import { parseId } from './ids.ts'
import { AppError } from '../../../errors.ts'

/** Which part of a list is asked for, in the order of ids. */
export interface IdSlice {
  readonly groupId: string | null
  readonly after: string | null
  readonly isDescending: boolean
  readonly limit: number
  readonly offset: number
}

const maxLimit = 1000

/** `group_id`, `sort`, `start`, `limit` and `offset`, as the clients send them. @throws AppError INVALID_MEMBER */
export function parseSlice(query: unknown): IdSlice {
  const { group_id: groupId, sort, start } = query as Readonly<Record<string, unknown>>
  return {
    groupId: groupId === undefined ? null : parseId('group_id', groupId),
    after: start === undefined ? null : parseId('start', start),
    // One client writes `user_id:desc`, the other `user_iddesc`.
    isDescending: typeof sort === 'string' && /desc(?:ending)?$/i.test(sort),
    ...parseRange(query),
  }
}

/** `limit`, of which there is a most, and `offset`. @throws AppError INVALID_MEMBER */
export function parseRange(query: unknown): { readonly limit: number; readonly offset: number } {
  const { limit, offset } = query as Readonly<Record<string, unknown>>
  return {
    limit: Math.min(parseNumber('limit', limit) ?? maxLimit, maxLimit),
    offset: parseNumber('offset', offset) ?? 0,
  }
}

function parseNumber(name: string, value: unknown): number | null {
  if (value === undefined) return null
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value)) {
    throw new AppError('INVALID_MEMBER', `${name} must be a whole number.`, { field: name })
  }
  return Number(value)
}
