import { addLogKey, overlapMilliseconds } from '../../src/audit/log-key.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf } from '../../src/monitor/finding.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import type { Tx } from '../../src/store/open.ts'
import { makeBusy } from '../helpers/busy.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { orgId } from '../helpers/quorum.ts'
import type { World } from '../helpers/world.ts'
import { blindings } from './blinding.ts'
import { custodyTricks } from './custody-tricks.ts'
import { forgeries } from './forging.ts'
import { erasable, erasableRows, eraseEverything, eraseRow } from './erasing.ts'
import { keyTricks } from './key-tricks.ts'
import { rewrites } from './rewriting.ts'
import { isNamed, isRefused, tricks, type Tampering, type Trick } from './tampering.ts'
import { findingsOf, tried, type Tried } from './tried.ts'

export interface TamperReport {
  readonly played: number
  readonly named: number
  /** How often each trick was played. */
  readonly byTrick: ReadonlyMap<string, number>
  readonly missed: readonly string[]
}

export const allTricks: readonly Trick[] = [
  ...tricks,
  ...rewrites,
  ...blindings,
  ...forgeries,
  ...keyTricks,
  ...custodyTricks,
]

/**
 * More leaves than one block of the tree has, sealed in several batches, the last of them under a second key alone, and what runs
 * over them saw.
 */
export async function makeWatched(world: World): Promise<SeenLogs> {
  await makeBusy(world)
  await sealNow(world.ctx, orgId)
  let seen: SeenLogs = new Map()
  for (let batch = 0; batch < 4; batch++) {
    for (let one = 0; one < 45; one++) await world.person(`Extra${batch}-${one}`)
    await sealNow(world.ctx, orgId)
    seen = (await findingsOf(world, seen)).seen
    if (batch === 0) await addLogKey(world.ctx)
    if (batch === 2) world.clock.advance(overlapMilliseconds + 1_000)
  }
  // What is sealed is known to be settled a round later.
  for (let round = 0; round < 2; round++) await sealNow(world.ctx, orgId)
  const last = await findingsOf(world, seen)
  const lines = last.found.map(lineOf)
  if (lines.length > 0) throw new Error(`found before anything was done:\n${lines.join('\n')}`)
  return last.seen
}

/**
 * Tampers with the store, one trick at a time, as its owner: with every trigger and foreign key off. Each is followed by a run
 * of the monitor, which must name the row, and undone.
 */
export async function runTamperings(
  world: World,
  seen: SeenLogs,
  { count, seed, onPlayed = () => {} }: { count: number; seed: number; onPlayed?: (played: number) => void },
): Promise<TamperReport> {
  const random = dice(seed)
  const byTrick = new Map<string, number>()
  const missed: string[] = []
  let [played, deck] = [0, [] as readonly Trick[]]
  while (played < count) {
    // Each trick once before any is played again.
    if (deck.length === 0) deck = random.shuffled(allTricks)
    const [trick, ...rest] = deck as [Trick, ...Trick[]]
    deck = rest
    const isRemembered = trick.needsMemory || random.roll(2) === 0
    const done = await playOne(world, isRemembered ? seen : new Map(), trick, random)
    if (done === null) continue
    played += 1
    byTrick.set(trick.name, (byTrick.get(trick.name) ?? 0) + 1)
    if (!isNamed(done.done, done.found)) missed.push(missedLine(trick, isRemembered, done))
    onPlayed(played)
  }
  return { played, named: played - missed.length, byTrick, missed }
}

export interface ErasureReport {
  /** Texts that the last run counted. */
  readonly erased: number
  readonly found: readonly string[]
}

/**
 * Erases texts as one may: `count` rows one by one, in any order and sealed now and then, each followed by a run of the monitor,
 * which must find nothing; then the rest of them.
 */
export async function runErasures(
  world: World,
  seen: SeenLogs,
  { count, seed }: { count: number; seed: number },
): Promise<ErasureReport> {
  const random = dice(seed)
  const found: string[] = []
  let last = { seen, erased: 0 }
  const change = async (work: (tx: Tx) => Promise<void>, isSealed: boolean) => {
    await world.ctx.db.transaction().execute(work)
    if (isSealed) await sealNow(world.ctx, orgId)
    const { found: more, ...after } = await findingsOf(world, last.seen)
    found.push(...more.map(lineOf))
    last = after
  }
  for (let one = 0; one < count; one++) {
    const table = random.pick(erasable)
    const work = async (tx: Tx) => {
      const rows = await erasableRows(tx, table)
      if (rows.length === 0) return
      const { id, seq } = random.pick(rows)
      await eraseRow(tx, world.ctx, table, id, seq)
    }
    await change(work, random.roll(3) === 0)
  }
  await change((tx) => eraseEverything(tx, world.ctx), true)
  return { erased: last.erased, found }
}

type Played = Tried<Tampering>

async function playOne(world: World, seen: SeenLogs, trick: Trick, random: Dice): Promise<Played | null> {
  try {
    return await tried(world, seen, (tx) => trick.play(tx, random, world.ctx))
  } catch (error) {
    if (isRefused(error)) return null
    throw new Error(`${trick.name}: ${(error as Error).message}`, { cause: error })
  }
}

function missedLine({ name }: Trick, isRemembered: boolean, { done: tampering, found }: Played): string {
  const meant = tampering.rows.map(({ table, row }) => `${table} ${row}`).join(' or ')
  const said = found.slice(0, 5).map((finding) => `\n      ${lineOf(finding)}`)
  return `${name}${isRemembered ? '' : ' (first run)'}: ${tampering.what}; not named: ${meant}${said.join('') || ', nothing found'}`
}
