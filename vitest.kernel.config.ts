import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The quick and telling ones first: a mutant is dropped at the first test that fails. */
const ORDER = [
  'cases',
  'expiry',
  'request',
  'quorum',
  'satisfiable',
  'accept',
  'matching',
  'finishing',
  'laws',
  'explain',
]

class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => ORDER.findIndex((name) => moduleId.endsWith(`${name}.test.ts`))
    return files.toSorted((a, b) => place(a) - place(b))
  }
}

/** The kernel's own tests alone: what the mutation run repeats for every mutant, each time with the same examples. */
export default defineConfig({
  test: {
    include: ['src/kernel/**/*.test.ts'],
    // What an explanation costs at the limits is too slow to ask a thousand times.
    exclude: ['src/kernel/explain-limits.test.ts'],
    setupFiles: ['test/kernel/fixed-seed.ts'],
    sequence: { sequencer: QuickFirst },
    maxWorkers: 1,
    isolate: false,
    testTimeout: 60_000,
  },
})
