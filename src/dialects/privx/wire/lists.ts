import { invalidMember } from '../../../errors.ts'

/** Which part of a list is asked for, and in which order (contract privx §3). */
export interface ListQuery<Key extends string> {
  readonly offset: number
  readonly limit: number
  readonly sortKey: Key
  readonly isDescending: boolean
}

interface ListRules<Key extends string> {
  readonly sortKeys: readonly [Key, ...Key[]]
  readonly byDefault: { readonly sortKey: Key; readonly isDescending: boolean }
  readonly maxLimit?: number
}

const defaultLimit = 50

/** Lists of people and machines. */
export const byName = {
  sortKeys: ['id', 'name', 'created'],
  byDefault: { sortKey: 'name', isDescending: false },
  maxLimit: 1000,
} as const

/**
 * Whoever names a key and no direction gets it ascending.
 * @throws AppError INVALID_MEMBER naming offset, limit, sortkey or sortdir
 */
export function parseListQuery<Key extends string>(query: unknown, rules: ListRules<Key>): ListQuery<Key> {
  const { sortKeys, byDefault, maxLimit = 100 } = rules
  const asked = (query ?? {}) as Readonly<Record<string, unknown>>
  const name = queryText(asked, 'sortkey')
  const sortKey = name === null ? byDefault.sortKey : sortKeys.find((key) => key === name)
  if (sortKey === undefined) throw invalidMember('sortkey', `must be one of ${sortKeys.join(', ')}`)
  const direction = queryText(asked, 'sortdir')?.toUpperCase() ?? null
  if (direction !== null && direction !== 'ASC' && direction !== 'DESC')
    throw invalidMember('sortdir', 'must be ASC or DESC')
  return {
    offset: wholeNumber(asked, 'offset', 0, Number.MAX_SAFE_INTEGER),
    limit: wholeNumber(asked, 'limit', Math.min(defaultLimit, maxLimit), maxLimit),
    sortKey,
    isDescending: direction === null ? name === null && byDefault.isDescending : direction === 'DESC',
  }
}

/** A member of the query; null when it is absent or empty. @throws AppError INVALID_MEMBER when it is there twice */
export function queryText(query: unknown, name: string): string | null {
  const value = ((query ?? {}) as Readonly<Record<string, unknown>>)[name]
  if (value === undefined || value === '') return null
  if (typeof value !== 'string') throw invalidMember(name, 'must be given once')
  return value
}

function wholeNumber(query: Readonly<Record<string, unknown>>, name: string, fallback: number, max: number): number {
  const text = queryText(query, name)
  if (text === null) return fallback
  const value = Number(text)
  if (!/^\d{1,16}$/.test(text) || value > max) throw invalidMember(name, `must be a whole number from 0 to ${max}`)
  return value
}

/** `count` is how many there are before paging (contract privx §1). */
export function renderList(items: readonly object[], count: number): object {
  return { count, items }
}
