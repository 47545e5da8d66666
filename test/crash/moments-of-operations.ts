import { sql } from 'kysely'
import { Client } from 'pg'
import type { Ctx } from '../../src/context.ts'

/** What a transaction that is told of is about to do, or has done once its commit is heard of. */
export type Told = 'decided' | 'executed'

/** So long each of the three places takes that a kill is to fall into. */
const lingerMilliseconds = 20

/**
 * Makes the database take its time where a kill would do harm: when an approval is decided and all but committed, when a key is
 * used, and when that is all but committed. PostgreSQL also says so to who listens, at the commit.
 */
export async function slowDown({ db }: Ctx): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

// PGlite has nothing to sleep by.
const statements = [
  `create function linger() returns trigger language plpgsql as $$
    declare
      until timestamptz := clock_timestamp() + interval '${lingerMilliseconds} milliseconds';
    begin
      while clock_timestamp() < until loop null; end loop;
      if tg_argv[0] <> '' then perform pg_notify('operations', tg_argv[0]); end if;
      return null;
    end
  $$`,
  `create trigger linger_decided after insert on audit_leaves for each row
    when (new.kind = 'operation.due') execute function linger('decided')`,
  `create trigger linger_used after update on fortanix_keys for each row
    when (new.used <> old.used) execute function linger('')`,
  `create trigger linger_executed after insert on audit_leaves for each row
    when (new.kind = 'operation.executed') execute function linger('executed')`,
]

/** Hears of commits on PostgreSQL. */
export interface Ear extends AsyncDisposable {
  /** Until the `count`th of these commits from now on. */
  hear(told: Told, count: number): Promise<void>
}

export async function listen(databaseUrl: string): Promise<Ear> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('listen operations')
  return {
    async hear(told, count) {
      let heard = 0
      await new Promise<void>((resolve) => {
        const listener = ({ payload }: { readonly payload?: string | undefined }) => {
          if (payload !== told || ++heard < count) return
          client.off('notification', listener)
          resolve()
        }
        client.on('notification', listener)
      })
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}
