import { sql } from 'kysely'
import type { Ctx } from '../../src/context.ts'

/**
 * Where a decision is rolled back: when its leaf is written, when its delivery is, when the job is, and at the commit, when
 * everything was.
 */
export const rollbacks = ['leaf', 'delivery', 'job', 'commit'] as const
export type Rollback = (typeof rollbacks)[number]

/** Makes the database refuse to decide requests whose name begins with one of `rollbacks`; they can be opened and read. */
export async function refuseDecisions({ db }: Ctx): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const refuse = (when: Rollback) => `for each row execute function refuse_decision('${when}')`

const statements = [
  // It stands behind tables of different columns, so it reads them by name.
  `create function refuse_decision() returns trigger language plpgsql as $$
    declare
      written jsonb := to_jsonb(new);
      about text := coalesce(
        written->>'request_name',
        (select name from requests where id = (written->>'subject_id')::uuid),
        (select request_name from deliveries where id = (written->'data'->>'id')::uuid));
    begin
      if written->>'kind' is distinct from 'request.created' then
        if about like tg_argv[0] || '-%' then raise exception 'rolled back on purpose: %', about; end if;
      end if;
      return null;
    end
  $$`,
  `create trigger refuse_leaf after insert on audit_leaves ${refuse('leaf')}`,
  `create trigger refuse_delivery after insert on deliveries ${refuse('delivery')}`,
  `create trigger refuse_job after insert on jobs.job ${refuse('job')}`,
  `create constraint trigger refuse_commit after insert on deliveries deferrable initially deferred ${refuse('commit')}`,
]
