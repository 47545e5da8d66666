/** Which part of a list is asked for; pages count from 1. */
export interface Page {
  readonly page: number
  readonly limit: number
}

/** Which part of a list is asked for, by how many are left out before it. */
export interface Range {
  readonly offset: number
  readonly limit: number
}

/** One page, and how many there are in all. */
export interface Listed<T> {
  readonly items: readonly T[]
  readonly total: number
}

export function offsetOf({ page, limit }: Page): number {
  return (page - 1) * limit
}

/** A LIKE pattern for "contains this text", none of whose characters has a meaning of its own. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, String.raw`\$&`)}%`
}
