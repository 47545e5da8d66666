import { parseArgs } from 'node:util'
import { runSplitViews } from './split-view-run.ts'

const help = `npm run test:witness [-- --attempts 100] [--seed 1]

Shows a witness two histories of a log, in many ways, and counts how often it cosigns both.

  --attempts   how many (100)
  --seed       of the sizes, orders and moments (the time)
  --help       shows this text

Exits with 1 when two histories of a log were cosigned.
`

const { values } = parseArgs({
  options: {
    attempts: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean' },
  },
})
const [count, seed] = [Number(values.attempts), Number(values.seed)]

if (values.help === true) process.stdout.write(help)
else if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  process.stderr.write(help)
  process.exitCode = 1
} else {
  const { attempts, cosignedTwice, empty, sent, cosigned } = await runSplitViews({ count, seed })
  process.stdout.write(`seed ${seed}: ${sent} checkpoints shown, ${cosigned} cosigned\n`)
  for (const kind of new Set(cosignedTwice)) process.stdout.write(`cosigned twice: ${kind}\n`)
  for (const kind of new Set(empty)) process.stdout.write(`shows nothing, since nothing was cosigned: ${kind}\n`)
  process.stdout.write(`${attempts} attempts, ${cosignedTwice.length} cosigned twice\n`)
  if (cosignedTwice.length + empty.length > 0) process.exitCode = 1
}
