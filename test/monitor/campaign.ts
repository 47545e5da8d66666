import { parseArgs } from 'node:util'
import { startPostgres } from '../helpers/postgres.ts'
import { startWorld } from '../helpers/world.ts'
import { custodyTricks } from './custody-tricks.ts'
import { allTricks, makeWatched, runErasures, runTamperings } from './tamper-run.ts'

const help = `npm run test:tamper [-- --count 600] [--seed 1] [--engine postgres|pglite]

Tampers with a store directly in its database, as the owner with triggers and foreign keys off: edits, deletes, reorders,
inserts, truncates, in every watched table and in the log, and what would blind the monitor. After each it runs the monitor, which
must name the row. Then it erases texts lawfully, one by one, of which the monitor must find nothing.

  --count   tamperings (600, so that every trick is tried); a tenth as many erasures
  --seed    of the random choices (the time)
  --engine  postgres (default) or pglite
  --help    shows this text

Exits with 1 when any was missed, an erasure was found, or tricks were not played that should have been.
`

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    engine: { type: 'string', default: 'postgres' },
    help: { type: 'boolean' },
  },
})

if (values.help === true) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const [count, seed] = [Number(values.count), Number(values.seed)]
  const isKnown = values.engine === 'postgres' || values.engine === 'pglite'
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed) || !isKnown) {
    process.stderr.write(help)
    process.exit(2)
  }
  process.stdout.write(`${values.engine}: ${count} tamperings, seed ${seed}\n`)
  const server = values.engine === 'postgres' ? await startPostgres() : null
  try {
    await using world = await startWorld(
      server === null ? { engine: 'pglite' } : { databaseUrl: await server.createDatabase('tampered') },
    )
    const seen = await makeWatched(world)
    const started = performance.now()
    const report = await runTamperings(world, seen, {
      count,
      seed,
      onPlayed: (played) => played % 50 === 0 && process.stdout.write(`  ${played}\n`),
    })
    for (const missed of report.missed) process.stdout.write(`  missed: ${missed}\n`)
    const kinds = new Set([...report.byTrick.keys()].map((name) => name.split(' ', 1)[0]))
    process.stdout.write(
      `  ${report.byTrick.size} tricks (${[...kinds].join(', ')}), ${Math.round((performance.now() - started) / 1000)} s\n` +
        `${report.played} tamperings, ${report.named} named\n`,
    )
    const neglected = count < allTricks.length ? [] : neglectedTricks(report.byTrick)
    for (const name of neglected) process.stdout.write(`  never played: ${name}\n`)
    const erasures = Math.ceil(count / 10)
    const lawful = await runErasures(world, seen, { count: erasures, seed })
    for (const line of lawful.found) process.stdout.write(`  found: ${line}\n`)
    process.stdout.write(
      `${erasures} lawful erasures and the rest at once, ${lawful.erased} texts, ${lawful.found.length} found\n`,
    )
    if (report.missed.length + lawful.found.length + neglected.length > 0) process.exitCode = 1
  } finally {
    await server?.stop()
  }
}

/** A few are refused by the database on the row that they pick, and others are played twice in their place: none of the custody's. */
function neglectedTricks(byTrick: ReadonlyMap<string, number>): string[] {
  const unplayed = (tricks: typeof allTricks) => tricks.map(({ name }) => name).filter((name) => !byTrick.has(name))
  const all = unplayed(allTricks)
  return all.length < 20 ? unplayed(custodyTricks) : all
}
