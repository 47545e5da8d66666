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

const commands = ['serve', 'work', 'monitor', 'rotate-data-key', 'rotate-log-key', 'verify', 'witness']

it('help names every command', () => {
  const { status, stdout } = quorate('help')
  expect(status).toBe(0)
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
})

describe.each(commands)('quorate %s', (command) => {
  it('tells with --help what it does, what it takes and what it exits with, all in one form, and does nothing', () => {
    const { status, stdout, stderr } = quorate(command, '--help')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout.startsWith(`quorate ${command} `)).toBe(true)
    expect(stdout).toMatch(
      /^[^\n]+\n\n\S[^]+\.\n\n(  [^]+\n)?  --help +shows this text\n[^]*\nExits with 0 [^\n]+\.\n$/,
    )
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(125)
    expect(existsSync(store)).toBe(false)
  })

  it('refuses an option that it does not know, by name', () => {
    const { status, stdout, stderr } = quorate(command, '--colour')
    expect([status === 1 || status === 2, stdout]).toEqual([true, ''])
    expect(stderr).toMatch(/^quorate[^\n]*--colour[^\n]*\n$/)
  })
})

it('a command that is told everything by the environment refuses another word in one line', () => {
  const { status, stderr } = quorate('rotate-log-key', 'now')
  expect([status, stderr]).toEqual([
    1,
    'quorate: "quorate rotate-log-key" does not know "now": "quorate rotate-log-key --help" tells what it takes.\n',
  ])
})

it.each(['rotate-data-key', 'rotate-log-key'])('%s makes no key of a store that is not there', (command) => {
  const { status, stderr } = quorate(command)
  expect([status, stderr]).toEqual([1, `quorate: There is no store in the data directory ${store}.\n`])
  expect(existsSync(store)).toBe(false)
})
