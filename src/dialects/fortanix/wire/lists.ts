import { invalidMember } from '../../../errors.ts'
import { parseId } from './ids.ts'

/** Which part of a list is asked for, in the order of ids. */
export interface IdSlice {
  readonly groupId: string | null
  readonly after: string | null
  readonly isDescending: boolean
  readonly limit: number
  readonly offset: number
}

/** The same of a list that may be in the order of names, after one of which it then begins. */
export type NamedSlice = IdSlice & { readonly sortKey: 'id' | 'name' }

type Query = Readonly<Record<string, unknown>>

const maxLimit = 1000
/** For a list that one client cannot ask for in parts. */
const everything = 1_000_000

/** `group_id`, `sort`, `start`, `limit` and `offset`, as the clients send them. @throws AppError INVALID_MEMBER */
export function parseSlice(query: unknown): IdSlice {
  const { group_id: groupId, sort, start } = query as Query
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
  const { limit, offset } = query as Query
  return {
    limit: Math.min(parseNumber('limit', limit) ?? maxLimit, maxLimit),
    offset: parseNumber('offset', offset) ?? 0,
  }
}

/** As `parseSlice`, of what has a name too: `sort` is `name…` or ends in it before the order. @throws AppError INVALID_MEMBER */
export function parseNamedSlice(query: unknown): NamedSlice {
  const { sort, start, ...rest } = query as Query
  if (!isByName(sort)) return { ...parseSlice(query), sortKey: 'id' }
  if (start !== undefined && typeof start !== 'string') throw invalidMember('start', 'must be given once')
  return { ...parseSlice({ ...rest, sort }), sortKey: 'name', after: start ?? null }
}

/**
 * `sort_by` with `previous_id` or `previous_sort_value`, as some lists have `sort` and `start`; by name where nothing is said.
 * All of it without `limit`. @throws AppError INVALID_MEMBER
 */
export function parsePreviousSlice(query: unknown): NamedSlice {
  const { sort_by: sort, previous_id: id, previous_sort_value: name, limit, offset } = query as Query
  if (name !== undefined && typeof name !== 'string') throw invalidMember('previous_sort_value', 'must be given once')
  const isSaid = sort !== undefined || id !== undefined
  const start = isByName(sort) ? name : parsePrevious(id)
  const slice = parseNamedSlice({ sort: isSaid ? sort : 'name', start, limit, offset })
  return limit === undefined ? { ...slice, limit: everything } : slice
}

/** The same of what has no order but that of ids. @throws AppError INVALID_MEMBER */
export function parsePreviousIdSlice(query: unknown): IdSlice {
  const { sort_by: sort, previous_id: id, limit, offset } = query as Query
  return parseSlice({ sort, start: parsePrevious(id), limit, offset })
}

const parsePrevious = (id: unknown): string | undefined => (id === undefined ? undefined : parseId('previous_id', id))

const isByName = (sort: unknown): boolean => typeof sort === 'string' && /^(?:[a-z]+_)?name/.test(sort)

function parseNumber(name: string, value: unknown): number | null {
  if (value === undefined) return null
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value)) throw invalidMember(name, 'must be a whole number')
  return Number(value)
}
