import type { Tx } from '../store/open.ts'
import { parseLeaf } from './leaf-content.ts'
import type { IsOwnLeaf, MarkedLeaf } from './leaf-marks.ts'
import { literal, readRows } from './read-rows.ts'

interface ErasingLeaf extends MarkedLeaf {
  readonly id: string
  readonly is_sealed: boolean
  readonly is_ahead: boolean
}

/** What the `text.erased` leaves of one organization tell: which texts may be gone. */
export class Erasures {
  /** By subject, of a vote by its request and number: names of columns, each with the last leaf that says it was erased. */
  readonly #fields = new Map<string, Map<string, bigint>>()

  /**
   * Those of the whole log: an erasure comes after what it erases, and covers nothing of what comes after it.
   * @param isOwnLeaf which of those that are not sealed the server wrote; null where it cannot be told
   */
  static async read(tx: Tx, orgId: string, isOwnLeaf: IsOwnLeaf | null): Promise<Erasures> {
    const erasures = new Erasures()
    const org = literal(orgId)
    const query = `select l.id, l.org_id, l.subject_id, l.content, l.mark, exists (
        select from log_entries e where e.org_id = l.org_id and e.leaf_id = l.id) as is_sealed,
        l.id > (select last_value from audit_leaves_order) as is_ahead
      from audit_leaves l where l.org_id = ${org} and l.kind = 'text.erased'`
    for await (const leaf of readRows<ErasingLeaf>(tx, query)) {
      const isBelieved = leaf.is_sealed || (!leaf.is_ahead && isOwnLeaf?.(leaf) !== false)
      if (isBelieved) erasures.#add(leaf.id, leaf.content)
    }
    return erasures
  }

  #add(id: string, content: string): void {
    const leaf = parseLeaf(content)
    // What is no such leaf is told of where the log is checked.
    if (leaf?.kind !== 'text.erased') return
    const { fields, seq } = leaf.facts
    if (!Array.isArray(fields)) return
    const key = keyOf(leaf.subject, typeof seq === 'number' ? seq : undefined)
    const known = this.#fields.get(key) ?? new Map<string, bigint>()
    for (const field of fields) known.set(String(field), larger(known.get(String(field)), BigInt(id)))
    this.#fields.set(key, known)
  }

  /** Whether a column of a row was erased. @param seq of the vote, when `subject` is its request */
  covers(subject: string, column: string, seq?: number): boolean {
    return this.#fields.get(keyOf(subject, seq))?.has(column) === true
  }

  /** Whether a text that a leaf commits to may be gone. @param leafId of that leaf: who is named anew after an erasure has a name */
  coversText(subject: string, name: string, leafId: string): boolean {
    const [fields, column] = [this.#fields.get(subject), columnOf(name)]
    const erasing = column === null ? [...(fields?.values() ?? [])] : [fields?.get(column)]
    return erasing.some((id) => id !== undefined && id > BigInt(leafId))
  }
}

function larger(known: bigint | undefined, id: bigint): bigint {
  return known !== undefined && known > id ? known : id
}

function keyOf(subject: string, seq: number | undefined): string {
  return seq === undefined ? subject : `${subject}/${seq}`
}

/** The column that holds a text as well; null for one that stands with its leaf alone, and goes with all others of the subject. */
function columnOf(name: string): string | null {
  if (name === 'displayName') return 'name'
  if (/^stages\[\d+\]\.name$/.test(name)) return 'stages'
  return ['name', 'email', 'description', 'metadata'].includes(name) ? name : null
}
