import { expect, it } from 'vitest'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { runRestarts } from './restart-run.ts'

// `npm run test:grants` does this for fifty restarts and for a minute, and on PGlite.
it('keeps every role for its time and no longer when the server is killed', async () => {
  const store = { DATABASE_URL: await freshDatabase() }
  const report = await runRestarts({ store, restarts: 1, people: 2, roles: 10, longestMilliseconds: 2_500, seed: 1 })
  expect(report.faults).toEqual([])
  expect(report.ended).toBeGreaterThan(0)
  expect(report.byRequest).toBeGreaterThan(0)
})
