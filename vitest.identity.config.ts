import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * What a mutant of `src/identity` is tried on, beside the tests that lie there. What only shows among a thousand calls at
 * once is too slow to ask of each; `test/concurrency` asks it of the code as it is.
 */
const tests = [
  'test/identity/access-token',
  'test/identity/dpop',
  'test/identity/agent-assertion',
  'test/identity/bound-tokens',
  'test/identity/agent-refresh',
  'test/identity/agent-challenge',
  'test/identity/overtaken-sign-in',
  'test/identity/cli-initiate',
  'test/identity/cli-refresh',
  'test/identity/admin-key',
  'test/identity/cli-token',
  'test/identity/step-up',
  'test/identity/api-keys',
  'test/identity/sessions',
  'test/identity/disable-user',
  'test/identity/web-sign-in',
  'test/identity/external-step-up',
  'test/identity/external-provider',
  'test/dialects/native/api-keys',
  'test/dialects/native/agent-management',
  'test/dialects/native/agents',
].map((name) => `${name}.test.ts`)

/** Those that need no server first, then quick and telling ones: a mutant is dropped at the first test that fails. */
class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => tests.findIndex((name) => moduleId.endsWith(name))
    return files.toSorted((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  test: {
    include: ['src/identity/**/*.test.ts', ...tests],
    globalSetup: ['test/helpers/global-setup.ts'],
    setupFiles: ['test/helpers/drop-databases.ts'],
    sequence: { sequencer: QuickFirst },
    maxWorkers: 1,
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
