/** Nothing was erased; the message tells an operator why. */
export class ErasureRefused extends Error {
  override readonly name = 'ErasureRefused'
}

/** Columns of a row that were erased, by their names in the order of the alphabet. */
export interface ErasedColumns {
  readonly id: string
  readonly fields: readonly string[]
  /** Whose log tells of it, where that is another organization's than it was asked of. */
  readonly orgId?: string
}

/** What was erased of rows. */
export interface Gone {
  /** Those whose texts go with it; what was asked for among them. */
  readonly subjects: readonly ErasedColumns[]
  /** Rows that held something else than what an erasure leaves. */
  readonly changed: number
  /** Other leaves that had a text of it beside them. */
  readonly leaves: number
}

export const nothingGone: Gone = { subjects: [], changed: 0, leaves: 0 }

export const ofOne = (id: string, changed: number, fields: readonly string[], orgId?: string): Gone => ({
  subjects: [{ id, fields, ...(orgId !== undefined && { orgId }) }],
  changed,
  leaves: 0,
})

/** All of it; of a subject that several tell of all columns. */
export function together(parts: readonly Gone[]): Gone {
  const subjects: ErasedColumns[] = []
  for (const { id, orgId, fields } of parts.flatMap((part) => part.subjects)) {
    const at = subjects.findIndex((one) => one.id === id && one.orgId === orgId)
    const known = subjects[at]?.fields ?? []
    const all = { id, fields: [...new Set([...known, ...fields])].toSorted(), ...(orgId !== undefined && { orgId }) }
    if (at === -1) subjects.push(all)
    else subjects[at] = all
  }
  const sumOf = (name: 'changed' | 'leaves') => parts.reduce((sum, part) => sum + part[name], 0)
  return { subjects, changed: sumOf('changed'), leaves: sumOf('leaves') }
}
