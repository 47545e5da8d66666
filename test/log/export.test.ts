import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { frontierAt } from '../../src/proof/frontier.ts'
import { leafHash, verifyConsistency, type Hash } from '../../src/proof/merkle.ts'
import { openNote, parseVerifierKey, type VerifierKey } from '../../src/proof/note.ts'
import { parseCheckpoint } from '../../src/proof/checkpoint.ts'
import { callerCases, ghost, table, type Case } from '../helpers/directory.ts'
import { addLeaves, logOf } from '../helpers/log.ts'
import { giveRole, orgId } from '../helpers/quorum.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'auditor' | 'ben'

const url = '/v1/log/export'
let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
let key: VerifierKey
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })

const addMany = async (count: number, what: string) => {
  await addLeaves(
    world.ctx,
    Array.from({ length: count }, (_, at) => `${what} "${at}"\n`),
  )
  await sealNow(world.ctx, orgId)
}

beforeAll(async () => {
  world = await startWorld()
  const [ada, auditor] = [await world.person('Ada', { admin: true }), await world.person('Audra')]
  await giveRole(world.ctx, auditor.id, 'AuditorViewer')
  cast = { ada, auditor, ben: await world.person('Ben'), gone: await ghost(world) }
  await addMany(700, 'first')
  key = parseVerifierKey((await world.anyone.get('/v1/log/key')).body.keys[0].verifierKey)
})
afterAll(() => world.close())

const exported = async (query: string): Promise<string> => {
  const { status, body, headers } = await cast.auditor.get(`${url}${query}`)
  expect(status).toBe(200)
  expect(headers).toMatchObject({ 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  return body
}

interface Verified {
  readonly contents: readonly string[]
  readonly next: number
  /** Roots of the trees that end where the range begins and where it ends. */
  readonly fromRoot: string
  readonly toRoot: string
}

/**
 * What whoever has the bytes, the log's key and docs/log.md does; nothing is asked of a server.
 * @throws Error on the first thing that is wrong
 */
function verifyExport(text: string, trusted: VerifierKey): Verified {
  const must = (holds: boolean, what: string) => {
    if (!holds) throw new Error(what)
  }
  must(text.endsWith('\n'), 'cut')
  const [start, ...lines] = text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line))
  const end = lines.pop()
  must(start?.type === 'start' && end?.type === 'end', 'no first or last line')
  const decoded = (hashes: string[]): Hash[] => hashes.map((hash) => Buffer.from(hash, 'base64'))
  const checkpoint = parseCheckpoint(openNote(start.checkpoint, [trusted]).body)
  must(checkpoint.origin === trusted.name && checkpoint.size === start.size, 'another checkpoint')
  const tree = frontierAt(start.from, decoded(start.subtrees))
  const fromRoot = tree.root()
  for (const { type, index, hash, content } of lines) {
    const leaf = leafHash(Buffer.from(content))
    must(type === 'leaf' && index === tree.size && hash === Buffer.from(leaf).toString('base64'), `leaf ${index}`)
    tree.add(leaf)
  }
  must(tree.size === start.to && tree.size === end.next, 'missing leaves')
  const path = decoded(end.consistency)
  const whole = { from: tree.size, to: checkpoint.size, fromRoot: tree.root(), toRoot: checkpoint.root, path }
  // Of the empty tree a proof of consistency says nothing, and there is nothing to say.
  must(verifyConsistency(whole), 'not the log of the checkpoint')
  const hex = (hash: Hash) => Buffer.from(hash).toString('hex')
  return {
    contents: lines.map(({ content }) => content),
    next: end.next,
    fromRoot: hex(fromRoot),
    toRoot: hex(tree.root()),
  }
}

const refused = (field: string, queries: readonly string[], [status, code]: readonly [number, string]): Case<Who>[] =>
  queries.map((query) => ({ name: query, as: 'ada', path: () => `${url}?${query}`, status, code, field }))

table<Who>(`GET ${url}`, setting, [
  { name: 'an auditor may', as: 'auditor', path: () => url, status: 200 },
  { name: 'who holds no such role may not', as: 'ben', path: () => url, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  ...callerCases<Who>(() => url, 'nobody', 'gone'),
  ...refused('from', ['from=', 'from=-1', 'from=a', 'from=1.0', 'from=1&from=2'], [400, 'LOG_INVALID_NUMBER']),
  ...refused('limit', ['limit=', 'limit=0', 'limit=10001', 'limit=-5', 'limit=x'], [400, 'LOG_INVALID_NUMBER']),
  ...refused('from', ['from=100000', 'from=9007199254740991'], [404, 'LOG_BEYOND_END']),
])

describe('an export', () => {
  it('is verified by its bytes and the key of the log alone', async () => {
    const log = await logOf(world.ctx.db)
    const { contents, next } = verifyExport(await exported(''), key)
    expect(next).toBe(log.length)
    expect(contents).toEqual(log.map(({ content }) => content))
  })

  it('goes on where the last one ended, however the log has grown meanwhile', async () => {
    const contents: string[] = []
    let next = 0
    let root: string | null = null
    for (const limit of [1, 2, 253, 1, 300, 100, 5]) {
      const part = verifyExport(await exported(`?from=${next}&limit=${limit}`), key)
      expect(part.contents).toHaveLength(limit)
      // What the reader has so far is what the next part goes on from.
      if (root !== null) expect(part.fromRoot).toBe(root)
      contents.push(...part.contents)
      ;[next, root] = [part.next, part.toRoot]
      await addMany(3, `after ${next}`)
    }
    const rest = verifyExport(await exported(`?from=${next}`), key)
    expect(rest.fromRoot).toBe(root)
    contents.push(...rest.contents)
    expect(contents).toEqual((await logOf(world.ctx.db)).map(({ content }) => content))
    const nothing = verifyExport(await exported(`?from=${rest.next}`), key)
    expect(nothing).toEqual({ contents: [], next: rest.next, fromRoot: rest.toRoot, toRoot: rest.toRoot })
  })

  it('has no more than was asked for, and never more than ten thousand', async () => {
    expect(verifyExport(await exported('?from=3&limit=2'), key)).toMatchObject({ contents: { length: 2 }, next: 5 })
    await addMany(1_100, 'many')
    expect(verifyExport(await exported('?from=3'), key)).toMatchObject({ contents: { length: 1_000 }, next: 1_003 })
  })

  it('does not verify once a line is changed, left out, doubled, moved or cut', async () => {
    for (const query of ['?from=0&limit=20', '?from=300&limit=20']) {
      const text = await exported(query)
      expect(() => verifyExport(text, key)).not.toThrow()
      const lines = text.slice(0, -1).split('\n')
      const joined = (changed: readonly string[]) => changed.map((line) => `${line}\n`).join('')
      for (let at = 0; at < lines.length; at++) {
        const line = lines[at] as string
        const next = (at + 1) % lines.length
        const altered = [
          lines.toSpliced(at, 1),
          lines.toSpliced(at, 0, line),
          lines.with(at, lines[next] as string).with(next, line),
        ].map(joined)
        for (const changed of altered) expect(() => verifyExport(changed, key), `line ${at}`).toThrow()
      }
      // Every leaf, every hash and the checkpoint: one character off, and it still is JSON.
      for (const [place, line] of lines.entries()) {
        const value = JSON.parse(line)
        for (const name of [
          'content',
          'hash',
          'index',
          'from',
          'to',
          'size',
          'checkpoint',
          'subtrees',
          'consistency',
          'next',
        ]) {
          if (value[name] === undefined || value[name].length === 0) continue
          const changed = { ...value, [name]: changedValue(value[name]) }
          expect(
            () => verifyExport(joined(lines.with(place, JSON.stringify(changed))), key),
            `${name} of ${place}`,
          ).toThrow()
        }
      }
      expect(() => verifyExport(text.slice(0, -1), key)).toThrow()
      expect(() => verifyExport(joined(lines.slice(0, -1)), key)).toThrow()
    }
  })
})

function changedValue(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (Array.isArray(value)) return value.with(0, changedValue(value[0]))
  const text = String(value)
  return `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`
}
