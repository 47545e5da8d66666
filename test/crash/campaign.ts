import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../helpers/postgres.ts'
import { runCrashes, type CrashOptions } from './crash-run.ts'
import { runJobCrashes } from './job-crash-run.ts'
import { runOperationCrashes } from './operation-crash-run.ts'
import type { Fault } from './job-faults.ts'
import type { OperationFault } from './operation-faults.ts'

const help = `npm run test:crash [-- --jobs|--operations] [--kills 100] [--engine pglite|postgres] [--seed 1]

Kills a voting server with SIGKILL, again and again, and checks after each restart that every acknowledged vote is there
exactly once and that the state is what the votes make it.

  --jobs     kills a server that sends what follows from decisions, between an effect and the note that it is done and
             between a commit and its jobs; checks that each approval has had its effects, once in effect, and nothing
             else any
  --operations
             kills a server that signs once a quorum has approved, around the approval that completes it; checks that each
             approved request has used the key once, and no other has
  --kills    kills per engine (100, with --jobs 400)
  --engine   pglite or postgres; both when left out
  --seed     of the random moments and votes (the time)
  --help     shows this text

Exits with 1 when anything was lost or doubled or otherwise wrong.
`

const { values } = parseArgs({
  options: {
    jobs: { type: 'boolean', default: false },
    operations: { type: 'boolean', default: false },
    kills: { type: 'string' },
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
  const kills = Number(values.kills ?? (values.jobs ? 400 : 100))
  const seed = Number(values.seed)
  const wanted = Object.keys(engines).filter((engine) => values.engine === undefined || values.engine === engine)
  if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed) || wanted.length === 0) {
    process.stderr.write(help)
    process.exit(2)
  }
  const campaign = values.operations ? campaignOfOperations : values.jobs ? campaignOfJobs : campaignOfVotes
  for (const engine of wanted) await engines[engine]?.((store) => inTime(engine, { store, kills, seed }, campaign))
}

type Campaign = (engine: string, options: CrashOptions) => Promise<readonly string[]>

/** Runs a campaign and prints what it found wrong. */
async function inTime(engine: string, options: CrashOptions, campaign: Campaign): Promise<void> {
  const started = performance.now()
  process.stdout.write(`${engine}: ${options.kills} kills, seed ${options.seed}\n`)
  const faults = await campaign(engine, options)
  for (const fault of faults.slice(0, 20)) process.stdout.write(`  ${fault}\n`)
  process.stdout.write(`  ${Math.round((performance.now() - started) / 1000)} s\n`)
  if (faults.length > 0) {
    process.stdout.write(`${engine}: ${faults.length} faults\n`)
    process.exitCode = 1
  }
}

function progress(what: string): (round: number, count: number) => void {
  return (round, count) => {
    if (round % 10 === 0) process.stdout.write(`  ${round} kills, ${count} ${what}\n`)
  }
}

async function campaignOfVotes(engine: string, options: CrashOptions): Promise<readonly string[]> {
  const report = await runCrashes({ ...options, onRound: progress('acknowledged votes') })
  process.stdout.write(
    `  beside them ${report.killsAtStart} kills while starting, ${report.repeated} calls made again, ${report.checkpoints} checkpoints seen, each the beginning of the next\n` +
      `${engine}: ${report.kills} kills, ${report.acknowledged} acknowledged votes, ${report.lost} lost, ` +
      `${report.doubled} doubled, restart median ${report.restartMilliseconds} ms\n`,
  )
  return report.faults
}

async function campaignOfJobs(engine: string, options: CrashOptions): Promise<readonly string[]> {
  const { faults, ...report } = await runJobCrashes({ ...options, onRound: progress('effects') })
  const count = (kind: Fault['kind']) => faults.filter((fault) => fault.kind === kind).length
  process.stdout.write(
    `  beside them ${report.killsBeside} kills while deciding or starting; ${report.rolledBack} decisions rolled back\n` +
      `${engine} jobs: ${report.kills} kills, ${report.decisions} decisions, ${report.effects} effects, ` +
      `${report.repeated} repeated with the same key, ${count('lost')} lost, ${count('doubled')} doubled, ` +
      `${count('rolled back')} for decisions that were rolled back\n`,
  )
  return faults.map(({ kind, text }) => `${kind}: ${text}`)
}

async function campaignOfOperations(engine: string, options: CrashOptions): Promise<readonly string[]> {
  const { faults, ...report } = await runOperationCrashes({ ...options, onRound: progress('decisions answered') })
  const count = (kind: OperationFault['kind']) => faults.filter((fault) => fault.kind === kind).length
  process.stdout.write(
    `  beside them ${report.killsAtStart} kills while starting; ${report.leftDue} operations were decided and not done when ` +
      `the server was killed, ${report.unanswered} decisions unanswered\n` +
      `${engine} operations: ${report.kills} kills, ${report.requests} requests, ${report.acknowledged} acknowledged decisions, ` +
      `${report.approvals} approved, ${report.denials} denied, ${report.uses} executions counted at the key, ` +
      `${count('lost')} lost, ${count('doubled')} doubled\n`,
  )
  return faults.map(({ kind, text }) => `${kind}: ${text}`)
}
