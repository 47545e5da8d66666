import { leafHash, type Hash } from '../proof/merkle.ts'
import type { Tx } from '../store/open.ts'
import type { Head } from './log-head.ts'
import { isSame } from './trees.ts'
import { literal, readRows } from './read-rows.ts'

export interface Orphan {
  readonly id: string
  readonly hash: Hash
  readonly content: string
  readonly private: unknown
}

/** Leaves that no entry names although every leaf up to their ids is sealed. */
export class Orphans {
  readonly #leaves: Orphan[]

  private constructor(leaves: Orphan[]) {
    this.#leaves = leaves
  }

  static async read(tx: Tx, org: string, head: Head): Promise<Orphans> {
    const found: Orphan[] = []
    const query = `select l.id, l.content, l.private from audit_leaves l
      where l.org_id = ${org} and l.id <= ${literal(head.settled)}::bigint
        and not exists (select from log_entries e where e.org_id = l.org_id and e.leaf_id = l.id)
      order by l.id limit ${mostOrphans}`
    for await (const row of readRows<Omit<Orphan, 'hash'>>(tx, query)) {
      found.push({ ...row, hash: leafHash(Buffer.from(row.content)) })
    }
    return new Orphans(found)
  }

  /** One that has this hash. */
  takeOf(hash: Hash): Orphan | undefined {
    const place = this.#leaves.findIndex((orphan) => isSame(orphan.hash, hash))
    return place === -1 ? undefined : this.#leaves.splice(place, 1)[0]
  }

  /** The first of those between two ids. */
  takeBetween(after: number, before: number): Orphan | undefined {
    const place = this.#leaves.findIndex(({ id }) => Number(id) > after && Number(id) < before)
    return place === -1 ? undefined : this.#leaves.splice(place, 1)[0]
  }

  rest(): readonly Orphan[] {
    return this.#leaves
  }
}

const mostOrphans = 10_000
