import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../helpers/postgres.ts'
import { runLogCampaign } from './campaign-run.ts'

const help = `npm run test:log [-- --leaves 1000000] [--inclusion 10000] [--consistency 1000] [--seconds 20] [--clients 4]
                 [--seed 1] [--python python3]

Seals a great many leaves on PostgreSQL, takes proofs over HTTP from a server beside, and has them checked by an
implementation that shares no code with ours (test/log/check_proofs.py, standard library alone), which also builds the tree
naively. Before that it measures how long a vote's leaf waits for a signed checkpoint that covers it.

  --leaves       leaves in the log (1000000)
  --inclusion    random proofs of inclusion, half in the newest tree and half in trees of random sizes (10000)
  --consistency  random proofs of consistency (1000)
  --seconds      of votes over HTTP for the latencies, on top of the leaves; 0 for none (20)
  --clients      that vote at once (4)
  --seed         of what is random (the time)
  --python       the interpreter (python3)
  --help         shows this text

Exits with 1 when a proof is refused or the roots differ.
`

const { values } = parseArgs({
  options: {
    leaves: { type: 'string', default: '1000000' },
    inclusion: { type: 'string', default: '10000' },
    consistency: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    clients: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    python: { type: 'string', default: 'python3' },
    help: { type: 'boolean' },
  },
})

if (values.help === true) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const counts = { ...counted('leaves', 1), ...counted('clients', 1), ...counted('seconds', 0), ...counted('seed', 0) }
  const proofs = { ...counted('inclusion', 0), ...counted('consistency', 0) }
  const directory = mkdtempSync(join(tmpdir(), 'quorate-log-campaign-'))
  const server = await startPostgres()
  try {
    const store = { DATABASE_URL: await server.createDatabase('log') }
    const say = (line: string) => void process.stdout.write(`${line}\n`)
    const options = { ...counts, ...proofs, python: values.python, store, directory, say }
    if (!(await runLogCampaign(options))) process.exitCode = 1
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One of the options that are numbers. */
function counted<K extends Exclude<keyof typeof values, 'python' | 'help'>>(name: K, least: number): Record<K, number> {
  const value = Number(values[name])
  if (!Number.isSafeInteger(value) || value < least) {
    process.stderr.write(help)
    process.exit(2)
  }
  return { [name]: value } as Record<K, number>
}
