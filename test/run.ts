/**
 * `npm test`: everything that must pass. The checks of form come first, since they are quick to run and to mend.
 * `npm test -- FILE…` runs only the tests of these files.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const oldestNode = [22, 19] as const
const sources = ['src', 'test', 'bench', 'vitest.config.ts']

requireNode()
const only = process.argv.slice(2)
if (only.length === 0) {
  step('format', 'oxfmt', ['--check', ...sources])
  step('lint', 'oxlint', ['--type-aware', '--deny-warnings', 'src', 'test', 'bench'])
  step('types', process.execPath, ['node_modules/typescript-7/bin/tsc', '-p', '.'])
}
tests()

function requireNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return
  fail(
    `This is Node ${process.versions.node}; Quorate needs ${oldestNode.join('.')} or newer.\n` +
      'npm ci installs one for Linux, macOS and Windows; run the tests through npm so that it is found.',
  )
}

function tests(): void {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-test-'))
  const report = join(directory, 'report.json')
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...only]
  const status = run('vitest', args)
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = summary(report)
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`\n${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`)
  if (status !== 0) fail('tests failed')
  if (numPassedTests === 0) fail('no test ran')
}

function summary(report: string): Record<string, number | undefined> {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>
  } catch {
    return {}
  }
}

function step(name: string, command: string, args: readonly string[]): void {
  process.stdout.write(`${name} … `)
  if (run(command, args) !== 0) fail(`${name} failed`)
}

function run(command: string, args: readonly string[]): number | null {
  const path = `${join(process.cwd(), 'node_modules', '.bin')}:${process.env['PATH']}`
  return spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path } }).status
}

function fail(message: string): never {
  process.stderr.write(`\n${message}\n`)
  process.exit(1)
}
