import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { verifyCommand } from '../../src/verify/command.ts'

const vectors = join(import.meta.dirname, '..', 'vectors', 'receipts')
const index = JSON.parse(readFileSync(join(vectors, 'index.json'), 'utf8')) as {
  file: string
  keys: string[]
  because: string
}[]
const plain = index.find(({ because }) => because === 'Names, a reason, and texts of every kind')
const file = join(vectors, plain?.file ?? '')
const key = plain?.keys[0] ?? ''
const directory = mkdtempSync(join(tmpdir(), 'quorate-verify-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const said = { out: '', err: '' }
  const status = await verifyCommand(args, { out: (text) => (said.out += text), err: (text) => (said.err += text) })
  return { status, ...said }
}

function written(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

describe('quorate verify', () => {
  it('tells people who asked for what, who voted, and how it ended', async () => {
    const { status, out } = await run(file, '--key', key)
    expect(status).toBe(0)
    expect(out).toMatch(/^VERIFIED\./)
    for (const told of [
      'was approved on',
      '"ship-it"',
      '2 of the group "Security" (security)',
      '"Ben" (ben)',
      'the reason "Geprüft',
    ]) {
      expect(out).toContain(told)
    }
    // What others wrote cannot move the cursor.
    expect(out).not.toMatch(/[^\P{Cc}\n]/u)
  })

  it.each([
    ['a file with a key in each line', (text: string) => `\n${text}\n`],
    ['what GET /v1/log/key answers', (text: string) => JSON.stringify({ keys: [{ verifierKey: text }] })],
  ])('takes %s for a key', async (name, content) => {
    expect((await run(file, '--key', written(name.replaceAll(/\W/g, '-'), content(key)))).status).toBe(0)
  })

  it('ends with 1 when something does not hold, and says what', async () => {
    const cut = written('cut.json', readFileSync(file, 'utf8').slice(0, 500))
    expect(await run(cut, '--key', key)).toMatchObject({
      status: 1,
      out: expect.stringMatching(/^REFUSED[^]*malformed/),
    })
    const { out } = await run(cut, '--key', key, '--json')
    expect(JSON.parse(out)).toMatchObject({ verdict: 'refused', failures: [{ code: 'malformed' }], account: null })
  })

  it('says of a key that is mistyped that it is neither a key nor a file', async () => {
    const { status, err } = await run(file, '--key', 'quorate.example/log')
    expect([status, err]).toEqual([2, 'quorate verify: --key: "quorate.example/log" is neither a key nor a file\n'])
  })

  it('writes JSON that means what others wrote, and prints none of it as it is', async () => {
    const wild = index.find(({ because }) => because === 'A reason that would move the cursor')
    const { status, out } = await run(join(vectors, wild?.file ?? ''), '--key', key, '--json')
    expect(status).toBe(0)
    expect(out).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u)
    const { account } = JSON.parse(out) as { account: { events: { reason: string }[] } }
    expect(account.events[0]?.reason).toBe('\u009B2J\u202EOK\u2028\u200B\u{E0041}')
  })

  it.each([
    ['no file', ['--key', key]],
    ['two files', [file, file, '--key', key]],
    ['no key', [file]],
    ['an option that there is not', [file, '--key', key, '--trust-me']],
    ['a key that is none', [file, '--key', 'name+00000000+AAAA']],
    ['a file of keys that is not there', [file, '--key', '/nowhere/key']],
    ['a file of keys that is too large', [file, '--key', written('many', `${key}\n`.repeat(1_000))]],
    ['a voter key that is too large', [file, '--key', key, '--voter-key', `ben=${written('pem', ' '.repeat(65_537))}`]],
    ['a file of keys with none', [file, '--key', written('none', '\n')]],
    ['a witness key for the log', [file, '--witness-key', key, '--key', key]],
    ['a voter key without an id', [file, '--key', key, '--voter-key', file]],
    ['a voter key that is none', [file, '--key', key, '--voter-key', `ben=${file}`]],
    ['a digest that is none', [file, '--key', key, '--policy', 'abc']],
    ['a receipt that is not there', ['/nowhere/receipt', '--key', key]],
  ])('ends with 2 on %s', async (_, args) => {
    expect(await run(...args)).toMatchObject({ status: 2, out: '', err: expect.stringMatching(/^quorate verify: ./) })
  })

  it('reads standard input as a program, without loading the server', () => {
    const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'quorate.ts')
    const trace = ['--import', `data:text/javascript,${encodeURIComponent(tracer)}`]
    const args = [...trace, program, 'verify', '-', '--key', key, '--json']
    const out = execFileSync(process.execPath, args, { input: readFileSync(file) }).toString()
    const [report = '', loaded = ''] = out.split('\n')
    expect(JSON.parse(report)).toMatchObject({ verdict: 'verified' })
    const areas = new Set((JSON.parse(loaded) as string[]).map((url) => /\/src\/([^/]+)/.exec(url)?.[1]))
    expect([...areas].map(String).toSorted()).toEqual(['cli', 'kernel', 'proof', 'verify'])
  })
})

/** Tells at the end which modules of ours were loaded. */
const tracer = `
  import { registerHooks } from 'node:module'
  const loaded = []
  registerHooks({ load(url, context, next) { if (url.startsWith('file:')) loaded.push(url); return next(url, context) } })
  process.on('exit', () => process.stdout.write(JSON.stringify(loaded) + '\\n'))
`
