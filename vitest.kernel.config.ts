import { defineConfig } from 'vitest/config'

/** The kernel's own tests alone: what the mutation run repeats for every mutant. */
export default defineConfig({ test: { include: ['src/kernel/**/*.test.ts'], maxWorkers: 1 } })
