import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../helpers/postgres.ts'
import { runCrashes, type CrashOptions } from './crash-run.ts'

const help = `npm run test:crash [-- --kills 100] [--engine pglite|postgres] [--seed 1]

Kills a voting server with SIGKILL, again and again, and checks after each restart that every acknowledged vote is there
exactly once and that the state is what the votes make it.

  --kills    kills per engine (100)
  --engine   pglite or postgres; both when left out
  --seed     of the random moments and votes (the time)
  --help     shows this text

Exits with 1 when a vote was lost or doubled or anything else was wrong.
`

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    engine: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean' },
  },
})

const engines: Record<string, (run: (store: CrashOptions['store']) => Promise<void>) => Promise<void>> = {
  async pglite(run) {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-crash-'))
    await run({ QUORATE_DATA_DIR: directory })
    rmSync(directory, { recursive: true, force: true })
  },
  async postgres(run) {
    const server = await startPostgres()
    try {
      await run({ DATABASE_URL: await server.createDatabase('crash') })
    } finally {
      await server.stop()
    }
  },
}

if (values.help === true) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const kills = Number(values.kills)
  const seed = Number(values.seed)
  const wanted = Object.keys(engines).filter((engine) => values.engine === undefined || values.engine === engine)
  if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed) || wanted.length === 0) {
    process.stderr.write(help)
    process.exit(2)
  }
  for (const engine of wanted) await engines[engine]?.((store) => campaign(engine, store, kills, seed))
}

async function campaign(engine: string, store: CrashOptions['store'], kills: number, seed: number): Promise<void> {
  process.stdout.write(`${engine}: ${kills} kills, seed ${seed}\n`)
  const started = performance.now()
  const onRound = (round: number, acknowledged: number) => {
    if (round % 10 === 0) process.stdout.write(`  ${round} kills, ${acknowledged} acknowledged votes\n`)
  }
  const report = await runCrashes({ store, kills, seed, onRound })
  for (const fault of report.faults.slice(0, 20)) process.stdout.write(`  ${fault}\n`)
  const seconds = Math.round((performance.now() - started) / 1000)
  process.stdout.write(
    `  beside them ${report.killsAtStart} kills while starting, ${report.repeated} calls made again; ${seconds} s\n` +
      `${engine}: ${report.kills} kills, ${report.acknowledged} acknowledged votes, ${report.lost} lost, ` +
      `${report.doubled} doubled, restart median ${report.restartMilliseconds} ms\n`,
  )
  if (report.faults.length > 0) {
    process.stdout.write(`${engine}: ${report.faults.length} faults\n`)
    process.exitCode = 1
  }
}
