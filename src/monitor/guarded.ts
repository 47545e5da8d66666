import type { Finder } from './finding.ts'

/** The row that is looked at. */
interface Looked {
  readonly table: string
  readonly key: string | number
  /** What of it, when it is known. */
  readonly column?: string
  readonly expected?: unknown
}

/**
 * Looks at one row, which whoever altered it may have made to hold anything: what cannot be gone through was not written by a
 * server. It is told of, and ends nothing.
 * @param look reads nothing more from the store, so that whatever it throws came of the row
 */
export function guarded<T>(find: Finder, { table, key, ...details }: Looked, look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    find(table, key, 'edited', { ...details, found: `what cannot be read: ${(error as Error).message}` })
    return undefined
  }
}
