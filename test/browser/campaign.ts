/** Security keys as a real browser speaks for them: `npm run test:browser`. */
import { parseArgs } from 'node:util'
import { approvalStatements } from './approving.ts'
import { startChromium } from './chromium.ts'
import { openPage } from './page.ts'
import { startScene, type Place } from './scene.ts'
import { signInStatements } from './sign-in.ts'

const help = `npm run test:browser

Has Chromium, with virtual security keys, register, sign in and approve at a server of its own, on this machine by http and
elsewhere by https, and tries what must be refused.

  --help  shows this text

Needs Chromium: the one that QUORATE_TEST_CHROMIUM names, or one on the path; where there is none, root on Debian installs it
with apt-get. Exits with 1 when anything does not hold.
`

const { values } = parseArgs({ options: { help: { type: 'boolean' } } })
if (values.help === true) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  await using chromium = await startChromium()
  process.stdout.write(`${chromium.version}\n`)
  const page = await openPage(chromium.tools)
  let [held, faults] = [0, 0]
  for (const place of ['localhost', 'approve.example'] as const satisfies readonly Place[]) {
    await using scene = await startScene(place, page)
    process.stdout.write(`${new URL(scene.own).origin}\n`)
    for (const { says, only = place, holds } of [...signInStatements, ...approvalStatements]) {
      if (only !== place) continue
      const fault = await holds(scene).then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      process.stdout.write(fault === null ? `  holds: ${says}\n` : `  DOES NOT HOLD: ${says}\n    ${fault}\n`)
      if (fault === null) held += 1
      else faults += 1
    }
  }
  process.stdout.write(`${held} statements hold, ${faults} do not\n`)
  if (faults > 0) process.exitCode = 1
}
