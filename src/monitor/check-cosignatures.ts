import { keyIdOf, NoteError, parseSignatureLine } from '../proof/note.ts'
import type { Tx } from '../store/open.ts'
import type { Finder } from './finding.ts'
import { guarded } from './guarded.ts'
import { readRows } from './read-rows.ts'
import { keyOf } from './told-table.ts'

interface Cosignature {
  readonly size: string
  readonly name: string
  readonly line: string
  readonly hasCheckpoint: boolean
}

/**
 * Whether what is kept of witnesses are lines of cosignatures by the keys that are named beside, each under a checkpoint that
 * there is. Who the witnesses are the monitor does not know, and so not whether their signatures are right.
 */
export async function checkCosignatures(tx: Tx, org: string, find: Finder): Promise<void> {
  const rows = readRows<Cosignature>(
    tx,
    `select s.size::text as size, s.name, s.line, c.size is not null as "hasCheckpoint" from log_cosignatures s
      left join log_checkpoints c on c.org_id = s.org_id and c.size = s.size
      where s.org_id = ${org} order by s.size, s.name`,
  )
  for await (const { size, name, line, hasCheckpoint } of rows) {
    const key = keyOf(size, name)
    const expected = `a cosignature by ${name}`
    if (!hasCheckpoint) find('log_cosignatures', key, 'inserted')
    else {
      guarded(find, { table: 'log_cosignatures', key, column: 'line', expected }, () => {
        if (signerOf(line) !== name) find('log_cosignatures', key, 'edited', { column: 'line', expected, found: line })
      })
    }
  }
}

/** A timestamp, and an Ed25519 signature (C2SP tlog-cosignature). */
const cosignatureBytes = 8 + 64

function signerOf(line: string): string | null {
  try {
    const signed = parseSignatureLine(line)
    return signed.signature.length === cosignatureBytes ? keyIdOf(signed) : null
  } catch (error) {
    if (error instanceof NoteError) return null
    throw error
  }
}
