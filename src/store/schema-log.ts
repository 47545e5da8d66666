import type { ColumnType, Generated } from 'kysely'
import type { RowVersion } from './schema.ts'

/** The tables of the transparency log of each organization; its leaves are `audit_leaves`. */
export interface LogTables {
  log_entries: LogEntryTable
  log_nodes: LogNodeTable
  log_heads: LogHeadTable
  log_checkpoints: LogCheckpointTable
  log_cosignatures: LogCosignatureTable
}

/** A 64-bit number of the database; text on the way out. */
type Bigint = ColumnType<string, string | number, string | number>

interface LogEntryTable {
  org_id: string
  index: Bigint
  leaf_id: Bigint
  hash: Uint8Array
  /** As of the leaf. */
  subject_id: string
}

interface LogNodeTable {
  org_id: string
  level: number
  index: Bigint
  hash: Uint8Array
}

interface LogHeadTable {
  org_id: string
  origin: string
  size: RowVersion
  frontier: Generated<Uint8Array>
  settled_leaf_id: RowVersion
  mark_leaf_id: Bigint | null
  /** The number of a transaction. */
  mark_xid: string | null
}

interface LogCheckpointTable {
  org_id: string
  size: Bigint
  root: Uint8Array
  note: string
  created_at: Date
}

interface LogCosignatureTable {
  org_id: string
  size: Bigint
  name: string
  line: string
  created_at: Date
}
