import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addLogKey, readLogKeys, signersOf } from '../../src/audit/log-key.ts'
import { originOf, sealNow } from '../../src/audit/seal.ts'
import { loadConfig } from '../../src/config/config.ts'
import type { RawEnv } from '../../src/config/env.ts'
import { monitorCommand } from '../../src/monitor/command.ts'
import { ed25519Signer, verifierKeyText, type VerifierKey } from '../../src/proof/note.ts'
import { ed25519FromSeed } from '../helpers/ed25519.ts'
import { putStore } from '../helpers/embedded-store.ts'
import { emptyDatabase, freshDatabase } from '../helpers/fresh-database.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld, type World } from '../helpers/world.ts'

const masterKey = Buffer.alloc(32, 5).toString('base64')
let directory: string
let databaseUrl: string
let world: World
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-monitor-'))
  databaseUrl = await freshDatabase()
  world = await startWorld({ databaseUrl, env: { QUORATE_MASTER_KEY: masterKey } })
  await world.person('Ada', { admin: true })
  await world.person('Ben')
  await sealNow(world.ctx, orgId)
})
afterAll(async () => {
  await world.close()
  rmSync(directory, { recursive: true })
})

async function run(
  args: readonly string[],
  env: RawEnv = { DATABASE_URL: databaseUrl, QUORATE_MASTER_KEY: masterKey },
) {
  let [out, err] = ['', '']
  const streams = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    now: () => world.clock.now(),
  }
  const code = await monitorCommand(() => loadConfig(env), args, streams)
  return { code, out, err }
}

let files = 0
const newState = () => join(directory, `state-${++files}.json`)
const withoutMasterKey = () => ({ DATABASE_URL: databaseUrl })

function keyText({ name, type, publicKey }: VerifierKey): string {
  return verifierKeyText(name, type, publicKey)
}

async function serverKey(): Promise<string> {
  const [signer] = signersOf(await readLogKeys(world.ctx), originOf(world.ctx, orgId), world.clock.now())
  return signer === undefined ? '' : keyText(signer.key)
}

/** Does something to the store as its owner, runs the monitor, and undoes it. */
async function tampered<T>(how: string, back: string, work: () => Promise<T>): Promise<T> {
  await sql.raw(`set session_replication_role = replica; ${how}; reset session_replication_role`).execute(world.ctx.db)
  try {
    return await work()
  } finally {
    await sql
      .raw(`set session_replication_role = replica; ${back}; reset session_replication_role`)
      .execute(world.ctx.db)
  }
}

const rename = (to: string, from: string) => `update principals set name = '${to}' where name = '${from}'`

describe('quorate monitor', () => {
  it('finds nothing, exits with 0, says which key it believes, and remembers what it saw', async () => {
    const state = newState()
    const first = await run(['--state', state])
    expect(first).toMatchObject({ code: 0, out: '' })
    expect(first.err).toContain(`No --key was given: from now on ${await serverKey()} is believed.`)
    const kept = JSON.parse(readFileSync(state, 'utf8'))
    expect(kept).toMatchObject({
      format: 'quorate-monitor/2',
      organizations: { [orgId]: { keys: [{ verifierKey: await serverKey(), until: null, row: 'log-key' }] } },
    })
    expect(existsSync(`${state}.new`)).toBe(false)

    const second = await run(['--state', state], withoutMasterKey())
    expect(second).toMatchObject({ code: 0, out: '' })
    expect(second.err).not.toContain('believed')
  })

  it('exits with 1 and tells each finding in a line', async () => {
    const { code, out } = await tampered(rename('Eve', 'Ben'), rename('Ben', 'Eve'), () => run(['--state', newState()]))
    expect(code).toBe(1)
    expect(out).toMatch(new RegExp(`^${orgId}  principals  [0-9a-f-]{36}  edited name  expected Ben, found Eve\\n$`))
  })

  it('exits with 1 where something stands that no server writes', async () => {
    const how = `create table kept as select * from log_checkpoints; update log_checkpoints set created_at = 'infinity'`
    const back =
      'update log_checkpoints c set created_at = k.created_at from kept k where k.size = c.size; drop table kept'
    const { code, out, err } = await tampered(how, back, () => run(['--state', newState()]))
    expect(code).toBe(1)
    expect(out).toContain('edited created_at  expected a time')
    expect(err).not.toContain(' at ')
  })

  it('tells it as JSON', async () => {
    const { out } = await tampered(rename('Eve', 'Ben'), rename('Ben', 'Eve'), () =>
      run(['--state', newState(), '--json']),
    )
    expect(JSON.parse(out)).toMatchObject({
      organizations: [{ organization: orgId, unsealed: 0 }],
      total: 1,
      findings: [{ table: 'principals', what: 'edited', column: 'name', expected: 'Ben', found: 'Eve' }],
    })
  })

  it('finds again what it found, until it is undone', async () => {
    const state = newState()
    await run(['--state', state])
    const before = readFileSync(state, 'utf8')
    await tampered(
      'update log_checkpoints set size = size + 1000',
      'update log_checkpoints set size = size - 1000',
      async () => {
        expect((await run(['--state', state])).code).toBe(1)
        expect(readFileSync(state, 'utf8')).toBe(before)
        expect((await run(['--state', state])).code).toBe(1)
      },
    )
    expect((await run(['--state', state])).code).toBe(0)
  })

  it('believes the pinned key, also without the master key, and no other', async () => {
    expect((await run(['--state', newState(), '--key', await serverKey()], withoutMasterKey())).code).toBe(0)
    const other = ed25519Signer(originOf(world.ctx, orgId), ed25519FromSeed(Buffer.alloc(32, 1))).key
    const { code, out } = await run(['--state', newState(), '--key', keyText(other)])
    expect(code).toBe(1)
    expect(out).toContain('log_checkpoints')
  })

  it('takes over a new key that has signed beside the one it believes', async () => {
    const state = newState()
    const key = await serverKey()
    await run(['--state', state, '--key', key])
    await addLogKey(world.ctx)
    await world.person('Cleo')
    await sealNow(world.ctx, orgId)
    expect((await run(['--state', state])).code).toBe(0)
    const kept = JSON.parse(readFileSync(state, 'utf8')).organizations[orgId].keys
    const until = new Date(world.clock.now().getTime() + 30 * 86_400_000).toISOString()
    expect(kept).toMatchObject([
      { verifierKey: key, until },
      { verifierKey: await serverKey(), until: null, row: 'log-key-2' },
    ])
    // The old one signs no more; the new one was vouched for.
    world.clock.advance(40 * 86_400_000)
    await world.person('Dana')
    await sealNow(world.ctx, orgId)
    expect((await run(['--state', state], withoutMasterKey())).code).toBe(0)
    expect((await run(['--state', newState(), '--key', key])).code).toBe(0)
  })

  it.each<[string, () => Promise<{ args?: readonly string[]; env?: RawEnv }>, RegExp]>([
    ['an option that there is not', async () => ({ args: ['--stat', 'x'] }), /--stat/],
    ['a key that is none', async () => ({ args: ['--key', 'me'] }), /--key is no verifier key/],
    ['no key at all', async () => ({ env: withoutMasterKey() }), /give it with --key/],
    ['a database without a store', async () => ({ env: { DATABASE_URL: await emptyDatabase() } }), /no Quorate store/],
    ['no database', async () => ({ env: { DATABASE_URL: 'postgres://quorate@127.0.0.1:1/none' } }), /ECONNREFUSED/],
    ['no data directory', async () => ({ env: { QUORATE_DATA_DIR: join(directory, 'none') } }), /no store in/],
    ['a wrong configuration', async () => ({ env: { DATABASE_URL: 'mysql://x' } }), /DATABASE_URL/],
    [
      'a state file that is none',
      async () => {
        const state = newState()
        writeFileSync(state, '{"format":"other"}')
        return { args: ['--state', state] }
      },
      /state file .* cannot be read/,
    ],
  ])('exits with 2 for %s', async (_, arrange, complaint) => {
    const { args = [], env } = await arrange()
    const all = args.includes('--state') ? args : ['--state', newState(), ...args]
    const { code, out, err } = await run(all, env)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(complaint)
  })

  it('reads the data directory that no server has open, keeps its state there, and leaves one that a server has alone', async () => {
    const data = join(directory, 'data')
    const env = { QUORATE_DATA_DIR: data }
    await putStore(data)
    const embedded = await startWorld({ engine: 'pglite', env })
    await embedded.person('Ada', { admin: true })
    await sealNow(embedded.ctx, orgId)
    expect(await run([], env)).toMatchObject({ code: 2, err: expect.stringContaining('Another process is using') })
    await embedded.close()
    expect(await run([], env)).toMatchObject({ code: 0 })
    expect(existsSync(join(data, 'quorate-monitor.json'))).toBe(true)
    expect(await run([], env)).toMatchObject({ code: 0, err: expect.not.stringContaining('believed') })
  })

  it('shows its help', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('--state FILE'), err: '' })
  })
})
