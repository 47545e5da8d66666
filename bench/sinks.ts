import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import type { Action } from '../src/approvals/actions.ts'
import { startPostgres } from '../test/helpers/postgres.ts'
import { decidingVotes, type DecidingVotes } from './deciding.ts'
import { prepareOurs, type OurGround } from './ground.ts'
import { median, runLoad } from './load.ts'
import { watchOwn } from './others.ts'
import { startSink, type Mood, type Protocol, type Sink } from './sink.ts'
import { middleP99, quietWindows, runSteadily, type SteadyLoad } from './steady.ts'

const help = `npm run bench:sinks -- [--sink http|smtp] [--rounds N] [--seconds N] [--slow-seconds N] [--every N] [--rate N]

Sixteen clients vote at a fixed rate while what their decisions call is healthy, down, slow (30 s), resets connections, and
is healthy again. Prints what votes take in each phase, how deep the queue gets, and what reaches a receiver that recovers.
  --sink           webhooks or e-mails (http)
  --rounds         rounds of all phases; the failures change places in each (3)
  --seconds        length of a phase (10)
  --slow-seconds   length of the slow one: longer than the time limit of an attempt (25)
  --every          one of so many votes decides (10)
  --rate           votes a second; 60 % of what the machine does, deliveries included, when left out
  --share          that share, in percent (60)
`

const { values } = parseArgs({
  options: {
    sink: { type: 'string', default: 'http' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    'slow-seconds': { type: 'string', default: '25' },
    every: { type: 'string', default: '10' },
    rate: { type: 'string' },
    share: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})

const clients = 16
const failures = ['down', 'slow', 'resetting'] as const
type PhaseName = 'normal' | (typeof failures)[number] | 'recovery'

interface Phase {
  readonly name: PhaseName
  readonly load: SteadyLoad
  readonly maxDepth: number
  /** How many processors server, PostgreSQL, load and sink kept busy. */
  readonly processors: number
  /** Calls that reached the sink, in each second. */
  readonly callsASecond: readonly number[]
  /** Of what was decided in this phase. */
  readonly deadLetters: number
  readonly deliveries: number
}

if (values.help) process.stdout.write(help)
else await main(values.sink === 'smtp' ? 'smtp' : 'http')

async function main(protocol: Protocol): Promise<void> {
  const postgres = await startPostgres()
  try {
    await using sink = await startSink(protocol)
    await using ground = await prepareOurs(postgres, settingsFor(protocol, sink))
    const votes = await decidingVotes(ground, Number(values.every), [actionFor(protocol, sink)])
    const rate = values.rate === undefined ? await sustainable(ground, votes) : Number(values.rate)
    print(`${protocol}: ${rate.toFixed(0)} votes a second, of which one in ${values.every} decides`)
    const rounds: Phase[][] = []
    for (let round = 0; round < Number(values.rounds); round++) {
      rounds.push(await runRound(ground, sink, votes, rate, round))
    }
    report(rounds)
    await reportEnds(ground)
  } finally {
    await postgres.stop()
  }
}

function settingsFor(protocol: Protocol, { port }: Sink): Record<string, string> {
  if (protocol === 'smtp') return { SMTP_URL: `smtp://127.0.0.1:${port}` }
  return { QUORATE_WEBHOOK_ALLOW: '127.0.0.1' }
}

function actionFor(protocol: Protocol, { port }: Sink): Action {
  if (protocol === 'smtp') return { type: 'EMAIL', recipients: ['ann@example.com'] }
  return { type: 'WEBHOOK', url: `http://127.0.0.1:${port}/in`, method: 'POST' }
}

/** A share of the rate at which votes can go on for ever: at which their deliveries keep up. */
async function sustainable(ground: OurGround, votes: DecidingVotes): Promise<number> {
  let rate = 0
  // The first time for nothing: until then much of the time goes into compiling.
  for (const seconds of [8, 10]) {
    await votes.add(20_000)
    const began = performance.now()
    const load = await runLoad({ origin: ground.ours.origin, clients, seconds, next: votes.next })
    await drained(ground)
    rate = (load.rate * seconds) / ((performance.now() - began) / 1000)
    print(`closed loop: ${load.rate.toFixed(0)} votes a second, ${rate.toFixed(0)} with their deliveries`)
  }
  return (rate * Number(values.share)) / 100
}

/** Waits until nothing is left to deliver. */
async function drained({ ctx }: OurGround): Promise<void> {
  while ((await depthOf(ctx)) > 0) await sleep(100)
}

async function depthOf(ctx: OurGround['ctx']): Promise<number> {
  const depths = await ctx.store.jobs.depths()
  return depths.filter(({ kind }) => kind === 'deliver').reduce((sum, { count }) => sum + count, 0)
}

async function runRound(
  ground: OurGround,
  sink: Sink,
  votes: DecidingVotes,
  rate: number,
  round: number,
): Promise<Phase[]> {
  // Each failure is once the one that the recovery follows.
  const order = failures.map((_, index) => failures[(index + round) % failures.length]!)
  const names: PhaseName[] = ['normal', ...order, 'recovery']
  const ran: { name: PhaseName; from: Date; to: Date; phase: Omit<Phase, 'deadLetters' | 'deliveries'> }[] = []
  const needed = names.reduce((sum, name) => sum + secondsOf(name) * (rate / Number(values.every)), 0)
  await votes.add(Math.max(0, Math.ceil(needed) + 100 - votes.left()))
  await drained(ground)
  for (const name of names) {
    const mood: Mood = name === 'normal' || name === 'recovery' ? 'healthy' : name
    await sink.become(mood)
    const from = new Date()
    ran.push({ name, from, phase: await runPhase(ground, sink, votes, rate, name), to: new Date() })
  }
  await drained(ground)
  const phases: Phase[] = []
  for (const { from, to, phase } of ran) phases.push({ ...phase, ...(await deliveriesBetween(ground, from, to)) })
  print(`round ${round + 1}: ${phases.map(lineOf).join('\n         ')}`)
  return phases
}

function secondsOf(name: PhaseName): number {
  return Number(name === 'slow' ? values['slow-seconds'] : values.seconds)
}

async function runPhase(
  ground: OurGround,
  sink: Sink,
  votes: DecidingVotes,
  rate: number,
  name: PhaseName,
): Promise<Omit<Phase, 'deadLetters' | 'deliveries'>> {
  const seconds = secondsOf(name)
  const before = sink.arrivals.length
  const began = performance.now()
  const processorsBusy = watchOwn()
  let maxDepth = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      maxDepth = Math.max(maxDepth, await depthOf(ground.ctx))
      await sleep(1_000)
    }
  })()
  const load = await runSteadily({ origin: ground.ours.origin, clients, rate, seconds, next: votes.next })
  const processors = processorsBusy()
  isOver = true
  await watching
  const callsASecond = Array.from({ length: seconds }, () => 0)
  for (const at of sink.arrivals.slice(before)) {
    const second = Math.floor((at - began) / 1000)
    if (second < seconds) callsASecond[second]! += 1
  }
  return { name, load, maxDepth, processors, callsASecond }
}

async function deliveriesBetween({ ctx }: OurGround, from: Date, to: Date) {
  const { rows } = await sql<{ deliveries: number; deadLetters: number }>`
    select count(*)::int as deliveries, count(*) filter (where status = 'error')::int as "deadLetters"
    from deliveries where occurred_at >= ${from} and occurred_at < ${to}`.execute(ctx.db)
  return rows[0]!
}

function lineOf({ name, load, maxDepth, processors, callsASecond, deadLetters, deliveries }: Phase): string {
  return (
    `${name.padEnd(10)} p50 ${load.p50.toFixed(2)} ms  p99 ${load.p99.toFixed(2)} ms  ${load.rate.toFixed(0)} /s  ` +
    `cpu ${processors.toFixed(2)}  queue ≤ ${maxDepth}  dead ${deadLetters} of ${deliveries}  calls/s ${callsASecond.join(' ')}`
  )
}

/** Medians over all rounds and their quiet windows, so that a moment of a shared machine does not decide. */
function report(rounds: readonly Phase[][]): void {
  const of = (name: PhaseName) => rounds.map((phases) => phases.find((phase) => phase.name === name)!)
  const loadsOf = (name: PhaseName) => of(name).map(({ load }) => load)
  const p99 = (name: PhaseName) => middleP99(loadsOf(name))
  for (const name of ['normal', ...failures, 'recovery'] as const) {
    const phases = of(name)
    const ratio = p99(name) / p99('normal')
    const wholes = rounds.map((_, round) => phases[round]!.load.p99 / of('normal')[round]!.load.p99)
    print(
      `SINKS ${name.padEnd(10)} p50=${median(phases.map(({ load }) => load.p50)).toFixed(2)} p99=${p99(name).toFixed(2)} ` +
        `p99-ratio=${ratio.toFixed(2)}${ratio > 1.2 ? ' (bar 1.2, MISSED)' : ''} of-whole-phases=${median(wholes).toFixed(2)} ` +
        `cpu=${median(phases.map(({ processors }) => processors)).toFixed(2)} quiet=${quietWindows(loadsOf(name))} max-queue=${Math.max(...phases.map(({ maxDepth }) => maxDepth))} ` +
        `dead=${phases.reduce((sum, { deadLetters }) => sum + deadLetters, 0)}`,
    )
  }
  const storms = rounds.map((phases) => {
    const normal = phases[0]!.callsASecond
    return Math.max(...phases.at(-1)!.callsASecond) / (normal.reduce((sum, calls) => sum + calls, 0) / normal.length)
  })
  const worst = Math.max(...storms)
  print(
    `SINKS calls in the busiest second of a recovery ${worst.toFixed(2)} × normal${worst > 2 ? ' (bar 2, MISSED)' : ''}`,
  )
}

/** Every delivery has ended, and those that failed are there to be listed. */
async function reportEnds({ ctx }: OurGround): Promise<void> {
  const rows = await ctx.db
    .selectFrom('deliveries')
    .select(['status', sql<number>`count(*)::int`.as('count'), sql<number>`max(attempts)`.as('attempts')])
    .groupBy('status')
    .execute()
  for (const { status, count, attempts } of rows) print(`deliveries ${status}: ${count}, at most ${attempts} attempts`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
