/**
 * Compares the kernel with the naive engine on a great many cases: `npm run test:kernel -- --cases 1000000`.
 * Ends with one line that says how many agree, or with the smallest counterexample found and exit code 1.
 */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { BROKEN_NAMES } from './broken.ts'
import { largeCaseCount, smallCaseCount } from './exhaustive.ts'
import { type Plan, planOf } from './plan.ts'
import type { Report, Task } from './campaign-worker.ts'

const CHUNK = 1_000
const PROGRESS_EVERY_MS = 5_000

const HELP = `Compares the kernel with a naive second implementation, event by event.

  npm run test:kernel -- [options]

  --cases N     how many event sequences to compare (default 1000000)
  --seed S      of the random cases and of where the larger enumerated worlds start (default 1)
  --workers W   threads (default: one for each core)
  --broken NAME compare a deliberately broken kernel, which must be found out: ${BROKEN_NAMES.join(', ')}
  --help

There are ${smallCaseCount} cases in the smallest worlds, of which up to all are tried, and about ${Number(largeCaseCount).toPrecision(1)} in the
larger ones, of which an even spread is tried. The random cases have more people, more stages and more changes between votes.`

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    broken: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(HELP)
} else {
  const plan = planOf(wholeNumber('cases', values.cases), wholeNumber('seed', values.seed))
  const started = performance.now()
  const counterexample = await run(plan, Math.max(1, wholeNumber('workers', values.workers)), values.broken)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  if (counterexample === undefined) {
    const enumerated = plan.small + plan.large
    console.log(
      `${plan.cases} cases agree (exhaustive ${enumerated}, random ${plan.random}, seed ${plan.seed}) in ${seconds} s`,
    )
  } else {
    console.log(`\nThe engines disagree (seed ${plan.seed}, after ${seconds} s).\n\n${counterexample}`)
    process.exitCode = 1
  }
}

/**
 * Hands out the cases in chunks until one thread finds a counterexample. Of several the earliest is returned, and as all
 * chunks before it were handed out and looked through, the same seed shows the same one.
 */
async function run(plan: Plan, threads: number, broken: string | undefined): Promise<string | undefined> {
  let next = 0
  let compared = 0
  const found: Required<Report>[] = []
  const serve = async (worker: Worker): Promise<void> => {
    while (next < plan.cases && found.length === 0) {
      const from = next
      next = Math.min(plan.cases, from + CHUNK)
      worker.postMessage({ plan, from, to: next, broken } satisfies Task)
      const [report]: Report[] = await once(worker, 'message')
      compared += report?.compared ?? 0
      if (report?.counterexample !== undefined) found.push({ ...report, counterexample: report.counterexample })
    }
  }
  const progress = setInterval(() => console.log(`${compared} of ${plan.cases} cases`), PROGRESS_EVERY_MS)
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./campaign-worker.ts', import.meta.url)))
  try {
    await Promise.all(workers.map(serve))
  } finally {
    clearInterval(progress)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return found.toSorted((one, other) => one.from - other.from)[0]?.counterexample
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} takes a whole number, not ${text}`)
  return number
}
