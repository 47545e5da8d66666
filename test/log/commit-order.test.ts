import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { sealAll } from '../../src/jobs/sealing.ts'
import { insertLeaf } from '../../src/store/audit-leaves.ts'
import { findUnsealed } from '../../src/store/log.ts'
import type { Db, Tx } from '../../src/store/open.ts'
import { dice } from '../helpers/dice.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { addLeaves, checkpointsOf, faultsOfLog, leafRow, logOf } from '../helpers/log.ts'
import { countWaiting, untilWaiting } from '../helpers/lock-waits.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld, type World } from '../helpers/world.ts'

/** A transaction that is ended from outside. */
interface Held {
  readonly tx: Tx
  readonly commit: () => Promise<void>
  readonly rollback: () => Promise<void>
}

async function begin(db: Db): Promise<Held> {
  const transaction = await db.startTransaction().execute()
  // PostgreSQL gives a number to a transaction when it first writes; here it has one from the start.
  await sql`select pg_current_xact_id()`.execute(transaction)
  return {
    tx: transaction as unknown as Tx,
    commit: () => transaction.commit().execute(),
    rollback: () => transaction.rollback().execute(),
  }
}

describe('the order of the log', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ engine: 'postgres' })
    await sealNow(world.ctx, orgId)
  })
  afterAll(() => world.close())

  const lastContents = async (count: number) => (await logOf(world.ctx.db)).slice(-count).map(({ content }) => content)
  const settled = async () => {
    const head = world.ctx.db.selectFrom('log_heads').select('settled_leaf_id')
    return Number((await head.executeTakeFirstOrThrow()).settled_leaf_id)
  }

  it('is that of commits: who commits late is sealed late, and is sealed', async () => {
    const { db } = world.ctx
    const late = await begin(db)
    await addLeaves(world.ctx, ['the smaller id'], late.tx)
    await addLeaves(world.ctx, ['committed first'])
    expect(await sealNow(world.ctx, orgId)).toBe(1)
    // However often one looks meanwhile.
    for (let round = 0; round < 5; round++) await sealAll(world.ctx)
    await late.commit()
    expect(await sealNow(world.ctx, orgId)).toBe(1)
    expect(await lastContents(2)).toEqual(['committed first', 'the smaller id'])
    const [first, second] = (await logOf(db)).slice(-2)
    expect(first?.leafId).toBeGreaterThan(second?.leafId as number)
  })

  it('loses nobody whose transaction has a larger number than one that ended, and a smaller id', async () => {
    const { db } = world.ctx
    // In this order: the number of the one that ends, the number of the one that lasts; then its id, then the other's.
    const ending = await begin(db)
    const lasting = await begin(db)
    await addLeaves(world.ctx, ['smaller id, larger number'], lasting.tx)
    await addLeaves(world.ctx, ['larger id, smaller number'], ending.tx)
    await ending.commit()
    for (let round = 0; round < 5; round++) await sealAll(world.ctx)
    // Everything but the one transaction has long ended when another one comes.
    await addLeaves(world.ctx, ['another'])
    for (let round = 0; round < 5; round++) await sealAll(world.ctx)
    await lasting.commit()
    expect(await sealNow(world.ctx, orgId)).toBe(1)
    expect(await lastContents(3)).toEqual(['larger id, smaller number', 'another', 'smaller id, larger number'])
  })

  it('waits for no transaction, and looks less far back once it has ended', async () => {
    const { db } = world.ctx
    const [newest] = (await logOf(db)).map(({ leafId }) => leafId).toSorted((a, b) => b - a)
    const long = await begin(db)
    for (let round = 0; round < 4; round++) {
      await addLeaves(world.ctx, [`beside it ${round}`])
      expect(await sealNow(world.ctx, orgId)).toBe(1)
    }
    expect(await settled()).toBeLessThanOrEqual(newest as number)
    await long.rollback()
    await expect
      .poll(async () => {
        await sealAll(world.ctx)
        return await findUnsealed(db)
      })
      .toEqual([])
    expect(await settled()).toBeGreaterThan(newest as number)
  })

  it('has nothing of what was rolled back', async () => {
    const undone = await begin(world.ctx.db)
    await addLeaves(world.ctx, ['never'], undone.tx)
    await addLeaves(world.ctx, ['always'])
    await undone.rollback()
    expect(await sealNow(world.ctx, orgId)).toBe(1)
    expect(await lastContents(1)).toEqual(['always'])
  })

  it('rests on this: a transaction has its number before the first leaf of it has an id', async () => {
    const { db } = world.ctx
    // Nobody can draw a number from a sequence that another is altering.
    const altering = await begin(db)
    await sql`alter sequence audit_leaves_order increment by 1`.execute(altering.tx)
    const writing = db.transaction().execute((tx) => insertLeaf(tx, leafRow(world.ctx, 'waits for its id')))
    await untilWaiting(db)
    const { rows } = await sql`select backend_xid from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
    expect(rows).toEqual([{ backend_xid: expect.stringMatching(/^\d+$/) }])
    await altering.commit()
    await writing
    expect(await countWaiting(db)).toBe(0)
  })

  it('is carried on by one at a time, and by none that waits', async () => {
    const { db } = world.ctx
    await sealNow(world.ctx, orgId)
    const other = await begin(db)
    await sql`select from log_heads for update`.execute(other.tx)
    await addLeaves(world.ctx, ['for whoever holds the head'])
    const before = await logOf(db)
    expect(await sealAll(world.ctx)).toBeGreaterThan(0)
    expect(await logOf(db)).toEqual(before)
    // Who needs it sealed waits.
    const sealed = sealNow(world.ctx, orgId)
    await untilWaiting(db)
    await other.rollback()
    expect(await sealed).toBe(1)
  })
})

it('seals every committed leaf once and in order, whoever writes beside it and however many seal', async () => {
  const databaseUrl = await freshDatabase()
  await using world = await startWorld({ databaseUrl })
  await using other = await startWorld({ databaseUrl })
  const { db } = world.ctx
  await sealNow(world.ctx, orgId)
  const start = (await logOf(db)).length

  // A clock that tells what was before what: a change is before another when it had ended before that one began.
  let tick = 0
  const written = new Map<string, { readonly began: number; readonly ended: number }>()
  const undone = new Set<string>()
  let isWriting = true

  const write = async (writer: number) => {
    const chance = dice(writer)
    for (let change = 0; change < 40; change++) {
      const began = tick++
      const ids = Array.from({ length: 1 + chance.roll(4) }, () => world.ctx.newId())
      const { tx, commit, rollback } = await begin(db)
      for (const id of ids) {
        await insertLeaf(tx, leafRow(world.ctx, id, id))
        if (chance.roll(3) === 0) await sleep(chance.roll(writer < 2 ? 120 : 12))
      }
      if (chance.roll(5) === 0) {
        await rollback()
        for (const id of ids) undone.add(id)
      } else {
        await commit()
        const ended = tick++
        for (const id of ids) written.set(id, { began, ended })
      }
    }
  }
  const seal = async (one: World) => {
    while (isWriting) {
      await sealAll(one.ctx)
      await sleep(2)
    }
  }
  const sealers = [seal(world), seal(other), seal(other)]
  await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer))).finally(() => (isWriting = false))
  await Promise.all(sealers)
  await sealNow(world.ctx, orgId)

  const log = (await logOf(db)).slice(start)
  expect(await faultsOfLog(world.ctx)).toEqual([])
  expect((await checkpointsOf(world.ctx)).length).toBeGreaterThan(20)
  expect(undone.size).toBeGreaterThan(20)
  expect(log.map(({ subjectId }) => subjectId).toSorted()).toEqual([...written.keys()].toSorted())
  // Whatever comes later must not have ended before this one began.
  let latestBeginning = -1
  for (const { subjectId } of log) {
    const { began, ended } = written.get(subjectId) as { began: number; ended: number }
    expect(ended).toBeGreaterThan(latestBeginning)
    latestBeginning = Math.max(latestBeginning, began)
  }
  // It was not for want of trying: some committed later than leaves with larger ids.
  expect(log.some(({ leafId }, place) => place > 0 && leafId < (log[place - 1]?.leafId ?? 0))).toBe(true)
})
