import { sql } from 'kysely'
import type { Finding } from '../../src/monitor/finding.ts'
import { monitor } from '../../src/monitor/monitor.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import { snapshotOf } from '../../src/store/open-for-reading.ts'
import type { Tx } from '../../src/store/open.ts'
import type { World } from '../helpers/world.ts'

/** What the monitor finds, on a snapshot or in a transaction, and what it would remember. */
export async function findingsOf(
  world: Pick<World, 'ctx'>,
  seen: SeenLogs,
  tx?: Tx,
): Promise<{ found: Finding[]; seen: SeenLogs; unsealed: number; erased: number }> {
  const found: Finding[] = []
  const { config, db, clock } = world.ctx
  const report = (finding: Finding) => void found.push(finding)
  const check = (one: Tx) => monitor(one, { config, seen, pinned: [], now: clock.now(), report })
  const done = await (tx === undefined ? snapshotOf(db, check) : check(tx))
  const [checked] = done.checked
  return { found, seen: done.seen, unsealed: checked?.unsealed ?? 0, erased: checked?.erased ?? 0 }
}

export interface Tried<T> {
  readonly done: T
  readonly found: readonly Finding[]
  readonly erased: number
}

/**
 * Does something to the store as its owner, with every trigger and foreign key off, runs the monitor over it, and undoes it.
 * @returns null when `work` found nothing to do, which it says with null
 */
export async function tried<T>(
  world: Pick<World, 'ctx'>,
  seen: SeenLogs,
  work: (tx: Tx) => Promise<T | null>,
): Promise<Tried<T> | null> {
  let result: Tried<T> | null = null
  try {
    await world.ctx.db.transaction().execute(async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx)
      const done = await work(tx)
      if (done !== null) {
        const { found, erased } = await findingsOf(world, seen, tx)
        result = { done, found, erased }
      }
      throw new Undone()
    })
  } catch (error) {
    if (!(error instanceof Undone)) throw error
  }
  return result
}

class Undone extends Error {}
