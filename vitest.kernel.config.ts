import { defineConfig } from 'vitest/config'

/** The kernel's own tests alone: what the mutation run repeats for every mutant, each time with the same examples. */
export default defineConfig({
  test: {
    include: ['src/kernel/**/*.test.ts'],
    setupFiles: ['test/kernel/fixed-seed.ts'],
    maxWorkers: 1,
    isolate: false,
    testTimeout: 60_000,
  },
})
