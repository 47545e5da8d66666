import type { Row } from '../store/schema.ts'
import { compareRow } from './compare-rows.ts'
import type { Finder } from './finding.ts'
import { guarded } from './guarded.ts'
import type { KeptSecrets } from './kept-secrets.ts'
import type { Peekable } from './read-rows.ts'
import type { ToldRequest } from './replay-requests.ts'
import { replayOperation, type ToldOperation } from './replay-operation.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { keyOf, type ToldRow } from './told-table.ts'
import { watchedTables } from './watched-tables.ts'

export type OperationRow = Row<'fortanix_requests'>
export type ContributionRow = Row<'fortanix_approvals'>

export interface OperationStreams {
  readonly find: Finder
  readonly secrets: KeptSecrets | null
  readonly tables: { deleted(table: string, key: string): void }
  readonly operations: Peekable<OperationRow>
  readonly contributions: Peekable<ContributionRow>
}

/** What of a request the rest of it is compared with. */
interface AskedFor {
  readonly told: ToldRequest | null
  /** Of its row; undefined where that is missing. */
  readonly metadata: unknown
  readonly isErased: boolean
}

/** The operation that a request of the dialect fortanix is for, and what came with its approvals, against the leaves of the request. */
export class OperationCheck {
  readonly #streams: OperationStreams
  readonly #id: string
  #told: ToldOperation | null = null

  constructor(streams: OperationStreams, id: string) {
    this.#streams = streams
    this.#id = id
  }

  take(leaf: ToldLeaf, request: ToldRequest): void {
    this.#told = replayOperation(this.#told, leaf, request)
  }

  async end({ told, metadata, isErased }: AskedFor): Promise<void> {
    // A request that the leaves do not tell of has no operation either.
    const operation = told === null ? null : this.#told
    await this.#endOperation(operation, metadata, isErased)
    await this.#endContributions(isErased ? new Map() : (operation?.contributions ?? new Map()))
  }

  async #endOperation(operation: ToldOperation | null, metadata: unknown, isErased: boolean): Promise<void> {
    const { find, operations, tables } = this.#streams
    const row = (await operations.peek())?.request_id === this.#id ? await operations.next() : undefined
    if (operation === null) {
      if (row !== undefined) find('fortanix_requests', this.#id, 'inserted')
      return
    }
    if (row === undefined) return tables.deleted('fortanix_requests', this.#id)
    guarded(find, { table: 'fortanix_requests', key: this.#id }, () => {
      const expected = isErased ? bareOf(operation) : { ...operation.row, ...askedIn(metadata) }
      const found = comparable(row, expected, this.#streams.secrets)
      compareRow(find, 'fortanix_requests', this.#id, expected, found, watchedTables.fortanix_requests.columns)
    })
  }

  async #endContributions(told: ReadonlyMap<string, ToldRow>): Promise<void> {
    const { find, secrets, tables, contributions } = this.#streams
    const missing = new Set(told.keys())
    while ((await contributions.peek())?.request_id === this.#id) {
      const row = (await contributions.next()) as ContributionRow
      const key = keyOf(this.#id, row.principal_id)
      const expected = told.get(row.principal_id)
      if (expected === undefined || !missing.delete(row.principal_id)) {
        find('fortanix_approvals', key, 'inserted')
        continue
      }
      const found = { body: digestOf(row.body, expected['body'], secrets?.digestOfSealed) }
      compareRow(find, 'fortanix_approvals', key, expected, found, watchedTables.fortanix_approvals.columns)
    }
    for (const principal of missing) tables.deleted('fortanix_approvals', keyOf(this.#id, principal))
  }
}

/** The path and what is sent with it stand in the request's own content, which its digest vouches for. */
function askedIn(metadata: unknown): ToldRow {
  if (metadata === undefined) return { operation: undefined, body: undefined }
  const { operation, body = null } = (metadata ?? {}) as { readonly operation?: unknown; readonly body?: unknown }
  return { operation, body }
}

/** What an erasure leaves: the path, which has ids alone. */
function bareOf({ row, path }: ToldOperation): ToldRow {
  return { ...row, operation: path, body: null, result: null }
}

function comparable(row: OperationRow, expected: ToldRow, secrets: KeptSecrets | null): ToldRow {
  return {
    ...row,
    body: digestOf(row.body, expected['body'], secrets?.digestOfSealedJson),
    result: digestOf(row.result, expected['result'], secrets?.digestOfSealed),
  }
}

/** @param digest undefined when nothing sealed can be opened, so that it is taken for what it should be if it should be there */
function digestOf(
  sealed: Uint8Array | null,
  expected: unknown,
  digest: ((sealed: Uint8Array) => string | null) | undefined,
): unknown {
  if (sealed === null) return null
  return digest === undefined ? (expected ?? 'something sealed') : (digest(sealed) ?? 'nothing that opens')
}
