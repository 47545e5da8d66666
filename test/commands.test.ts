import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const main = join(import.meta.dirname, '..', 'src', 'main.ts')
const directory = mkdtempSync(join(tmpdir(), 'quorate-commands-'))
const store = join(directory, 'none')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function quorate(...args: string[]) {
  const { DATABASE_URL: _none, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    env: { ...env, QUORATE_DATA_DIR: store, PORT: '0' },
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}

describe('a command that takes nothing more', () => {
  it.each(['rotate-data-key', 'rotate-log-key', 'serve', 'work'])(
    '%s --help tells what there is, and does nothing',
    (command) => {
      const { status, stdout } = quorate(command, '--help')
      expect([status, stdout]).toEqual([0, expect.stringContaining(`  ${command}`)])
      expect(existsSync(store)).toBe(false)
    },
  )

  it('refuses another word in one line', () => {
    const { status, stderr } = quorate('rotate-log-key', 'now')
    expect([status, stderr]).toEqual([
      1,
      'quorate: "quorate rotate-log-key" takes nothing more: "quorate help" tells what it does.\n',
    ])
  })
})

it.each(['rotate-data-key', 'rotate-log-key'])('%s makes no key of a store that is not there', (command) => {
  const { status, stderr } = quorate(command)
  expect([status, stderr]).toEqual([1, `quorate: There is no store in the data directory ${store}.\n`])
  expect(existsSync(store)).toBe(false)
})
