import type { Row } from '../store/schema.ts'
import { compareRow } from './compare-rows.ts'
import { withNamesAs } from './comparable-policy.ts'
import { ErasedText } from './erased-text.ts'
import type { Finder } from './finding.ts'
import { guarded } from './guarded.ts'
import type { ToldRow } from './told-table.ts'
import type { WorkflowOfPolicy } from './replay-workflows.ts'
import { watchedTables } from './watched-tables.ts'

export type AccessRow = Row<'privx_requests'>

const table = 'privx_requests'

/**
 * Compares what the dialect privx shows of a request beside the engine's record: its steps are those that its workflow had when it
 * was made, and the rest stands in the request's own content, which its digest vouches for.
 */
export function checkAccessRequest(
  find: Finder,
  { workflow, steps: told }: WorkflowOfPolicy,
  row: AccessRow,
  { metadata, isErased }: { readonly metadata: unknown; readonly isErased: boolean },
): void {
  // Names may be erased with the request or with its workflow: of either nothing can be told of them any more.
  const namesAre = isErased || told.namesAre !== undefined ? 'lost' : undefined
  const expected: ToldRow = {
    workflow_id: workflow,
    steps: withNamesAs(namesAre, told.steps),
    comment: isErased ? new ErasedText([row.request_id]) : commentIn(metadata),
  }
  guarded(find, { table, key: row.request_id }, () => {
    const found = { ...row, steps: withNamesAs(namesAre, row.steps) }
    compareRow(find, table, row.request_id, expected, found, watchedTables[table].columns)
  })
}

function commentIn(metadata: unknown): unknown {
  const { comment = '' } = (metadata ?? {}) as { readonly comment?: unknown }
  return comment
}
