import type { KeyRing } from '../config/secrets.ts'
import { readDataKeys } from './data-keys.ts'
import type { Db } from './open.ts'
import { resealColumn, sealedColumns } from './reseal.ts'

interface Ground {
  readonly db: Db
  readonly config: { readonly masterKeys: KeyRing | null }
  readonly keys: { readonly atRest: KeyRing }
  readonly clock: { now(): Date }
  readonly log: Readonly<Record<'info' | 'error', (facts: object, message: string) => void>>
}

/**
 * Takes up the data keys that were made since the last time and, once another one seals, seals anew what is under earlier
 * ones. A process looks through the tables once for each key that comes to seal.
 */
export async function keepDataKeys({ db, config, keys, clock, log }: Ground): Promise<void> {
  const ring = keys.atRest
  ring.held = await readDataKeys(db, config.masterKeys, clock.now())
  const { sealing } = ring.held
  if (lookedThrough.get(ring) === sealing) return
  for (const column of sealedColumns) {
    const { resealed, unreadable } = await resealColumn(db, ring, column)
    if (resealed > 0) log.info({ ...column, dataKey: sealing, resealed }, 'sealed anew')
    if (unreadable > 0) log.error({ ...column, unreadable }, 'some sealed values cannot be opened')
  }
  lookedThrough.set(ring, sealing)
}

/** Under which key a process has sealed anew whatever it found. */
const lookedThrough = new WeakMap<KeyRing, number>()
