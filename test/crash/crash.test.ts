import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { putStore } from '../helpers/embedded-store.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { runCrashes } from './crash-run.ts'

// `npm run test:crash` does this a hundred times.
const kills = 2

it('loses and doubles nothing when it is killed, on PGlite', { timeout: 300_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-crash-'))
  await putStore(directory)
  const report = await runCrashes({ store: { QUORATE_DATA_DIR: directory }, kills, seed: 1 })
  expect(report).toMatchObject({ kills, lost: 0, doubled: 0, faults: [] })
  expect(report.acknowledged).toBeGreaterThan(0)
  expect(report.checkpoints).toBeGreaterThan(0)
  await rm(directory, { recursive: true, force: true })
})

it('loses and doubles nothing when it is killed, on PostgreSQL', { timeout: 300_000 }, async () => {
  const report = await runCrashes({ store: { DATABASE_URL: await freshDatabase() }, kills, seed: 1 })
  expect(report).toMatchObject({ kills, lost: 0, doubled: 0, faults: [] })
  expect(report.acknowledged).toBeGreaterThan(0)
  expect(report.checkpoints).toBeGreaterThan(0)
})
