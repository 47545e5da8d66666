import { expect, it } from 'vitest'
import { runSplitViews } from './split-view-run.ts'
import { attempts } from './split-views.ts'

it('cosigns one history of a log, in whatever way two are shown to it', async () => {
  const count = Object.keys(attempts).length
  const result = await runSplitViews({ count, seed: 1 })
  expect(result).toMatchObject({ attempts: count, cosignedTwice: [], empty: [] })
})
