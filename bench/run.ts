import { parseArgs } from 'node:util'
import { startPostgres } from '../test/helpers/postgres.ts'
import { prepareGround } from './ground.ts'
import { benchmarks } from './benchmarks.ts'
import { printRow } from './report.ts'

const help = `npm run bench -- [--quick] [--only NAME[,NAME]] [--rounds N] [--seconds N]

Measures Quorate beside its floor in the same run, on a PostgreSQL of its own: alternating rounds, medians, and their ratio.
  --quick      fewer and shorter rounds, at most 5 minutes
  --only       the benchmarks to run: ${Object.keys(benchmarks).join(', ')}
  --rounds     rounds of each benchmark (default 5, quick 3)
  --seconds    length of each round (default 5, quick 2)
`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}

const names = values.only?.split(',') ?? Object.keys(benchmarks)
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name))
if (unknown.length > 0) {
  process.stderr.write(`bench: no benchmark named ${unknown.join(', ')}\n\n${help}`)
  process.exit(2)
}

const rounds = Number(values.rounds ?? (values.quick ? 3 : 5))
const seconds = Number(values.seconds ?? (values.quick ? 2 : 5))
const warmUp = values.quick ? 5 : 15
const postgres = await startPostgres()
try {
  await using ground = await prepareGround(postgres)
  for (const name of names) {
    const rows = await benchmarks[name]!(ground, { rounds, seconds, warmUp })
    for (const row of rows) printRow(row)
  }
} finally {
  await postgres.stop()
}
