import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { StoreEnv } from '../crash/store.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { runRestarts } from './restart-run.ts'

const help = `npm run test:grants [-- --restarts 50] [--engine pglite|postgres] [--longest 60] [--seed 1]

Gives roles for a while and uses them, by hand and by request, while the server is killed with SIGKILL and started again, and
holds everything that is shown over HTTP against what was given: no role in force before its start or after its end, none
still there a minute after its end, none lost, ended twice or come back.

  --restarts  kills, each with a restart (50)
  --engine    pglite or postgres; both when left out
  --longest   seconds within which a role that is given for a while begins and ends (60)
  --seed      of the random moments and terms (the time)
  --help      shows this text

Exits with 1 when anything was wrong.
`

const { values } = parseArgs({
  options: {
    restarts: { type: 'string', default: '50' },
    engine: { type: 'string' },
    longest: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean' },
  },
})

const engines: Record<string, (run: (store: StoreEnv) => Promise<void>) => Promise<void>> = {
  async pglite(run) {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-grants-'))
    await run({ QUORATE_DATA_DIR: directory })
    rmSync(directory, { recursive: true, force: true })
  },
  async postgres(run) {
    const server = await startPostgres()
    try {
      await run({ DATABASE_URL: await server.createDatabase('grants') })
    } finally {
      await server.stop()
    }
  },
}

if (values.help === true) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const [restarts, longest, seed] = [Number(values.restarts), Number(values.longest), Number(values.seed)]
  const wanted = Object.keys(engines).filter((engine) => values.engine === undefined || values.engine === engine)
  const areCounts = [restarts, longest].every((count) => Number.isInteger(count) && count > 0)
  if (!areCounts || !Number.isInteger(seed) || wanted.length === 0) {
    process.stderr.write(help)
    process.exit(2)
  }
  for (const engine of wanted) {
    await engines[engine]?.((store) =>
      run(engine, { store, restarts, people: 6, roles: 60, longestMilliseconds: longest * 1_000, seed }),
    )
  }
}

/** Runs the campaign on one engine and prints what came of it. */
async function run(engine: string, options: Parameters<typeof runRestarts>[0]): Promise<void> {
  process.stdout.write(`${engine}: ${options.restarts} restarts, seed ${options.seed}\n`)
  const onRound = (round: number, grants: number) => {
    if (round % 10 === 0) process.stdout.write(`  ${round} restarts, ${grants} grants\n`)
  }
  const report = await runRestarts({ ...options, onRound })
  const { worst, faults } = report
  for (const fault of faults.slice(0, 20)) process.stdout.write(`  ${fault}\n`)
  process.stdout.write(
    `${engine}: ${report.restarts} restarts and ${report.killsAtStart} kills while starting, ${report.grants} grants ` +
      `(${report.byRequest} by request, ${report.used} uses), ${report.ended} ended, ${report.unanswered} calls unanswered, ` +
      `${report.reads} reads; after the end at most: shown ${worst.read} ms, membership ${worst.membership} ms, ` +
      `leaf ${worst.leaf} ms; ${faults.length} faults\n`,
  )
  if (faults.length > 0) process.exitCode = 1
}
