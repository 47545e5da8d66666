import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { nameResolver } from '../../src/outgoing/resolve.ts'
import { startNameServer, type NameServer } from '../helpers/name-server.ts'

let server: NameServer
let hostsFile: string

beforeAll(async () => {
  hostsFile = join(await mkdtemp(join(tmpdir(), 'quorate-hosts-')), 'hosts')
  await writeFile(
    hostsFile,
    '# ours\n203.0.113.7\tbuild.example Host.Example # two\n2001:db8::7 build.example\nno address.example\n',
  )
  server = await startNameServer((name) => {
    if (name.endsWith('slow.example')) return 'silence'
    return name === 'public.example' || name === 'host.example' ? ['192.0.2.1', '192.0.2.2'] : 'unknown'
  })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

/** A resolver and what was looked up the machine's way, where each look-up waits to be let go. */
function resolver() {
  const lookedUp: string[] = []
  const waiting: (() => void)[] = []
  const resolve = nameResolver({
    servers: [server.at],
    hostsFile,
    async lookUp(hostname) {
      lookedUp.push(hostname)
      await new Promise<void>((done) => waiting.push(done))
      return [{ address: '198.51.100.1', family: 4 }]
    },
  })
  return { lookedUp, resolve, letGo: () => waiting.shift()?.() }
}

it('a name of the machine’s own file has the addresses that it gives, whatever DNS says', async () => {
  const { resolve, lookedUp } = resolver()
  expect(await resolve('BUILD.example.')).toEqual([
    { address: '203.0.113.7', family: 4 },
    { address: '2001:db8::7', family: 6 },
  ])
  expect(await resolve('host.example')).toEqual([{ address: '203.0.113.7', family: 4 }])
  expect(lookedUp).toEqual([])
})

it('a name has all the addresses that DNS gives', async () => {
  const { resolve, lookedUp } = resolver()
  expect((await resolve('public.example')).map(({ address }) => address).toSorted()).toEqual(['192.0.2.1', '192.0.2.2'])
  expect(lookedUp).toEqual([])
})

it('names whose server is silent keep no other from being found, and are not looked up the machine’s way', async () => {
  const { resolve, lookedUp } = resolver()
  const slow = Array.from({ length: 40 }, async (_, n) => await resolve(`n${n}.slow.example`))
  const failed = Promise.allSettled(slow)
  const first = await Promise.race([resolve('public.example'), failed])
  expect(first).toHaveLength(2)
  expect(new Set((await failed).map((each) => each.status === 'rejected' && each.reason.code))).toEqual(
    new Set(['ETIMEOUT']),
  )
  expect(lookedUp).toEqual([])
}, 15_000)

it('what DNS does not know is looked up the machine’s way, one name at a time', async () => {
  const { resolve, lookedUp, letGo } = resolver()
  const both = Promise.all([resolve('localhost'), resolve('files.example')])
  // Which of the two DNS is through with first is not ours to say.
  await expect.poll(() => lookedUp).toHaveLength(1)
  await sleep(100)
  expect(lookedUp).toHaveLength(1)
  letGo()
  await expect.poll(() => lookedUp.toSorted()).toEqual(['files.example', 'localhost'])
  letGo()
  expect(await both).toEqual([[{ address: '198.51.100.1', family: 4 }], [{ address: '198.51.100.1', family: 4 }]])
})
