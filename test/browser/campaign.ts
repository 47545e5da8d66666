/** Security keys as a real browser speaks for them: `npm run test:browser`. */
import { parseArgs } from 'node:util'
import { startPostgres } from '../helpers/postgres.ts'
import { approvalStatements } from './approving.ts'
import { startChromium } from './chromium.ts'
import { openPage } from './page.ts'
import { startScene, type Scene } from './scene.ts'
import { signInStatements } from './sign-in.ts'

const help = `npm run test:browser [-- --says TEXT]

Has Chromium, with virtual security keys, register, sign in and approve at a server of its own, and tries what must be refused:
on this machine by http with the embedded store, and elsewhere by https with PostgreSQL.

  --says  only the statements that contain this
  --help  shows this text

Needs Chromium: the one that QUORATE_TEST_CHROMIUM names, or one on the path; where there is none, root on Debian installs it
with apt-get. Exits with 1 when anything does not hold.
`

const { values } = parseArgs({ options: { says: { type: 'string', default: '' }, help: { type: 'boolean' } } })
if (values.help === true) process.stdout.write(help)
else await main(values.says)

async function main(wanted: string): Promise<void> {
  await using chromium = await startChromium()
  process.stdout.write(`${chromium.version}\n`)
  const page = await openPage(chromium.tools)
  const postgres = await startPostgres()
  try {
    await using here = await startScene('localhost', page, { QUORATE_DATA_DIR: 'memory://' })
    const url = await postgres.createDatabase('browser')
    await using elsewhere = await startScene('approve.example', page, { DATABASE_URL: url })
    const tried = [...(await tryAll(here, wanted)), ...(await tryAll(elsewhere, wanted))]
    const held = tried.filter(Boolean).length
    process.stdout.write(`${held} statements hold, ${tried.length - held} do not\n`)
    if (held === 0 || held < tried.length) process.exitCode = 1
  } finally {
    await postgres.stop()
  }
}

/** @returns of each statement whether it holds */
async function tryAll(scene: Scene, wanted: string): Promise<boolean[]> {
  process.stdout.write(`${new URL(scene.own).origin}\n`)
  const results: boolean[] = []
  for (const { says, only = scene.place, holds } of [...signInStatements, ...approvalStatements]) {
    if (only !== scene.place || !says.includes(wanted)) continue
    const fault = await holds(scene).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    process.stdout.write(fault === null ? `  holds: ${says}\n` : `  DOES NOT HOLD: ${says}\n    ${fault}\n`)
    results.push(fault === null)
  }
  for (const line of scene.faults()) process.stdout.write(`  the server logged: ${line}\n`)
  return results
}
