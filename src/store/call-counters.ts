import type { Db } from './open.ts'
import { statement } from './statement.ts'

const addStatement = statement<{ calls: number }>(`
  insert into call_counters (caller, window_start, calls) values ($1, $2, $3)
  on conflict (caller, window_start) do update set calls = call_counters.calls + excluded.calls
  returning calls`)

/** Counts so many more calls of a caller in a window: how many that makes, over all processes. */
export async function addCalls(db: Db, caller: string, windowStart: Date, calls: number): Promise<number> {
  const [row] = await addStatement(db, [caller, windowStart, calls])
  return row?.calls ?? calls
}
