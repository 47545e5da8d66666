/** A slice of `npm run test:terms`, in the zones where days are longer and shorter than others. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { compareTerms } from './compare-terms.ts'

const script = fileURLToPath(new URL('./terms-campaign.ts', import.meta.url))

it('agrees with a naive calendar on 5,000 definitions, of which many are right', () => {
  const { accepted, refused, disagreements } = compareTerms(5, 5_000)
  expect(disagreements).toEqual([])
  expect(accepted).toBeGreaterThan(1_000)
  expect(refused).toBeGreaterThan(1_000)
})

it.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'])('agrees in a process of %s', async (TZ) => {
  const env = { ...process.env, TZ }
  const { stdout } = await promisify(execFile)(process.execPath, [script, '2000', '7'], { env })
  expect(stdout).toContain(`TZ ${TZ}): 0 disagreements`)
})
