import { sql } from 'kysely'
import { fromKysely, PgBoss } from 'pg-boss'
import type { Db } from './open.ts'

/** What is done after a change and beside it. */
export const jobKinds = ['deliver', 'cancel-requests', 'execute-operation'] as const
export type JobKind = (typeof jobKinds)[number]

/** Seconds that a worker has for one job. One that died is noticed after them, and its job given to another. */
export type Leases = Readonly<Record<JobKind, number>>
export const defaultLeases: Leases = { deliver: 20, 'cancel-requests': 5, 'execute-operation': 10 }

/** So many losses of workers, or failures of our own, and a delivery is given up. The others never are. */
const maxLosses: Readonly<Record<JobKind, number>> = {
  deliver: 50,
  'cancel-requests': 1_000_000,
  'execute-operation': 1_000_000,
}

export interface NewJob {
  readonly data: object
  /** Jobs of one group can be left waiting together. */
  readonly group?: string
  readonly delaySeconds?: number
  /** Of what is due the higher ones are taken first; 0 when left out. */
  readonly priority?: number
}

export interface TakenJob {
  readonly id: string
  readonly data: unknown
  readonly group: string | null
  readonly priority: number
  /** How often a worker was lost with it; with the id it names the one time that it was taken. */
  readonly retryCount: number
}

const jobStates = ['waiting', 'delayed', 'running', 'lost'] as const
type JobState = (typeof jobStates)[number]

/** How many jobs of a kind wait or run, and for how long the oldest that is due has waited. */
export interface QueueDepth {
  readonly kind: JobKind
  readonly state: JobState
  readonly count: number
  readonly oldestSeconds: number
}

/** pg-boss on the store's own connections: a job exists exactly when the change does that asked for it. */
export interface JobQueue {
  readonly leaseSeconds: Leases
  /** In the transaction of `db`, if it is one. */
  enqueue(db: Db, kind: JobKind, jobs: readonly NewJob[]): Promise<void>
  /** The next jobs that are due, for this worker alone until their lease ends. */
  take(kind: JobKind, limit: number, exceptGroups?: readonly string[]): Promise<TakenJob[]>
  /** Ends a job, in the transaction of `db`. @returns false when its lease had ended and somebody else may have it */
  finish(db: Db, kind: JobKind, job: TakenJob): Promise<boolean>
  /** Ends jobs, in the transaction of `db`; those whose lease had ended are left alone. */
  finishAll(db: Db, kind: JobKind, jobs: readonly TakenJob[]): Promise<void>
  /** Gives a job back, to be taken again after the delay of a lost one. */
  giveBack(kind: JobKind, job: TakenJob): Promise<void>
  /** Hands on the jobs of workers that died. Any number of processes may call it; one in a few seconds does it. */
  reclaim(): Promise<void>
  /** Gives back every job that is in anybody's hands: only right when nobody else can have the store open. */
  giveBackAll(): Promise<void>
  /** Removes the jobs that were given up, in the transaction of `db`. @returns their data */
  takeLost(db: Db, kind: JobKind): Promise<unknown[]>
  /** One for each kind and state. */
  depths(): Promise<QueueDepth[]>
  close(): Promise<void>
}

const schema = 'jobs'
const noJob = '00000000-0000-0000-0000-000000000000'

/**
 * Opens the queue and makes its schema, or brings it up to date.
 * @param runScript runs several statements at once, with nothing else between them
 * @param leaseSeconds of the jobs that this process enqueues
 */
export async function openJobQueue(
  db: Db,
  runScript: (script: string) => Promise<unknown>,
  leaseSeconds: Leases,
): Promise<JobQueue> {
  const statements = fromKysely(db)
  const boss = new PgBoss({
    db: {
      // What makes the schema comes as one text of many statements.
      async executeSql(text, values) {
        if (values !== undefined && values.length > 0) return await statements.executeSql(text, values)
        if (!isScript.test(text)) return await statements.executeSql(text)
        await runScript(text)
        return { rows: [] }
      },
    },
    schema,
    supervise: false,
    schedule: false,
    reindex: false,
    monitorIntervalSeconds: 5,
    bamIntervalSeconds: 3_600,
  })
  // What fails is told to whoever asked for it; this one is for its timers, which have nothing to do here.
  boss.on('error', () => {})
  await boss.start()
  const queues = new Set((await boss.getQueues()).map(({ name }) => name))
  for (const kind of jobKinds) {
    if (queues.has(kind)) continue
    await boss.createQueue(kind, {
      expireInSeconds: leaseSeconds[kind],
      retryLimit: maxLosses[kind],
      retryDelay: 1,
      retryBackoff: true,
      retryDelayMax: 15,
      retentionSeconds: 365 * 86_400,
      deleteAfterSeconds: 30 * 86_400,
    })
    // It looks a queue up the first time, on a connection of its own: never while a transaction has the only one.
    await boss.findJobs(kind, { id: noJob })
  }
  return {
    leaseSeconds,
    async enqueue(tx, kind, jobs) {
      if (jobs.length === 0) return
      const rows = jobs.map(({ data, group, delaySeconds = 0, priority = 0 }) => ({
        data,
        priority,
        ...(group !== undefined && { group: { id: group } }),
        // Seconds of the database's clock: no clock of ours has a say in when a job is due.
        startAfter: `${delaySeconds} seconds`,
        expireInSeconds: leaseSeconds[kind],
      }))
      await boss.insert(kind, rows, { db: fromKysely(tx) })
    },
    async take(kind, limit, exceptGroups = []) {
      const found = await boss.fetch<unknown>(kind, {
        batchSize: limit,
        includeMetadata: true,
        ...(exceptGroups.length > 0 && { ignoreGroups: [...exceptGroups] }),
      })
      const jobs = found.map(({ id, data, groupId, priority, retryCount }) => {
        return { id, data, group: groupId ?? null, priority, retryCount }
      })
      // The statement that takes them gives them in any order.
      return jobs.toSorted((a, b) => b.priority - a.priority)
    },
    async finish(tx, kind, { id, retryCount }) {
      const deleted = await boss.deleteJob(kind, { id, retryCount }, { db: fromKysely(tx) })
      // In its documentation and its answer, missing from its types.
      return (deleted as { readonly affected: number }).affected > 0
    },
    async finishAll(tx, kind, jobs) {
      const attempts = jobs.map(({ id, retryCount }) => ({ id, retryCount }))
      await boss.deleteJob(kind, attempts, { db: fromKysely(tx) })
    },
    async giveBack(kind, { id, retryCount }) {
      await boss.fail(kind, { id, retryCount })
    },
    reclaim: () => boss.supervise(),
    async giveBackAll() {
      const { rows } = await sql<{ kind: JobKind; id: string }>`
        select name as kind, id from ${sql.table(`${schema}.job`)} where state = 'active'`.execute(db)
      for (const [kind, jobs] of Map.groupBy(rows, (row) => row.kind)) {
        await boss.fail(
          kind,
          jobs.map(({ id }) => id),
        )
      }
    },
    takeLost: async (tx, kind) => {
      const { rows } = await sql<{ data: unknown }>`
        delete from ${sql.table(`${schema}.job`)} where name = ${kind} and state = 'failed' returning data`.execute(tx)
      return rows.map(({ data }) => data)
    },
    depths: () => findDepths(db),
    close: () => boss.stop({ graceful: false, close: false }),
  }
}

const isScript = /^\s*begin\b/i

const findDepths = async (db: Db): Promise<QueueDepth[]> => {
  const { rows } = await sql<QueueDepth>`
    select name as kind, case when state in ('created', 'retry') and start_after > now() then 'delayed'
        when state in ('created', 'retry') then 'waiting' when state = 'active' then 'running' else 'lost' end as state,
      count(*)::integer as count,
      greatest(0, extract(epoch from now() - min(greatest(created_on, start_after))))::float8 as "oldestSeconds"
    from ${sql.table(`${schema}.job`)} where name in (${sql.join(jobKinds)}) group by 1, 2`.execute(db)
  const found = (kind: JobKind, state: JobState) => rows.find((row) => row.kind === kind && row.state === state)
  return jobKinds.flatMap((kind) =>
    jobStates.map((state) => found(kind, state) ?? { kind, state, count: 0, oldestSeconds: 0 }),
  )
}
