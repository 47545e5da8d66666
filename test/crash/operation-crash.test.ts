import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { putStore } from '../helpers/embedded-store.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { runOperationCrashes, type OperationCrashReport } from './operation-crash-run.ts'

// `npm run test:crash -- --operations` does it a hundred times.
function expectOnce(report: OperationCrashReport, kills: number): void {
  expect(report).toMatchObject({ kills, faults: [], uses: report.approvals })
  expect(report.acknowledged).toBeGreaterThan(0)
  expect(report.approvals).toBeGreaterThan(0)
}

it('does an approved operation once when it is killed around the last approval, on PGlite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-crash-'))
  await putStore(directory)
  const kills = 2
  expectOnce(await runOperationCrashes({ store: { QUORATE_DATA_DIR: directory }, kills, seed: 1 }), kills)
  await rm(directory, { recursive: true, force: true })
}, 300_000)

it('does an approved operation once when it is killed around the last approval, on PostgreSQL', async () => {
  // Each moment.
  const kills = 4
  const report = await runOperationCrashes({ store: { DATABASE_URL: await freshDatabase() }, kills, seed: 1 })
  expectOnce(report, kills)
  expect(report.leftDue).toBeGreaterThan(0)
}, 300_000)
