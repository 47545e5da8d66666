import { defineConfig } from 'vitest/config'

/** They replace a module or something of the process: each has one to itself. */
const alone = [
  'test/demo/**',
  'test/deliveries/lost-workers.test.ts',
  'test/health.test.ts',
  'test/identity/development-provider.test.ts',
  'test/outgoing/**',
  'test/receipts/command.test.ts',
  'test/store.pglite.test.ts',
]
const patience = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } } }

export default defineConfig({
  test: {
    globalSetup: ['test/helpers/global-setup.ts'],
    // Tests wait for databases, programs and clocks: three keep two cores busy.
    maxWorkers: 3,
    projects: [
      { test: { name: 'alone', include: alone.map(testsOf), ...patience } },
      {
        test: {
          name: 'beside',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: alone,
          // The server's modules are read once a process rather than once a file.
          isolate: false,
          ...patience,
        },
      },
    ],
  },
})

function testsOf(path: string): string {
  return path.endsWith('**') ? `${path}/*.test.ts` : path
}
