import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { putStore } from '../helpers/embedded-store.ts'
import { runJobCrashes } from './job-crash-run.ts'

// Each moment once; `npm run test:crash -- --jobs` does it a hundred times, and on PostgreSQL too.
const kills = 4

it('what follows from a decision happens once in effect, however often the server is killed at it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-crash-'))
  await putStore(directory)
  const report = await runJobCrashes({ store: { QUORATE_DATA_DIR: directory }, kills, seed: 1 })
  expect(report).toMatchObject({ kills, faults: [], effects: 2 * report.decisions })
  expect(report.decisions).toBeGreaterThan(0)
  expect(report.repeated).toBeGreaterThan(0)
  expect(report.rolledBack).toBeGreaterThan(0)
  await rm(directory, { recursive: true, force: true })
}, 300_000)
