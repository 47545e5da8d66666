import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addLogKey } from '../../src/audit/log-key.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { signAccessToken } from '../../src/identity/access-token.ts'
import { openNote, parseVerifierKey } from '../../src/proof/note.ts'
import { parseCheckpoint } from '../../src/proof/checkpoint.ts'
import { leafHash, rootOf, verifyConsistency, verifyInclusion, type Hash } from '../../src/proof/merkle.ts'
import { agent, callerCases, ghost, table, type Case } from '../helpers/directory.ts'
import { addLeaves, hashesOf, leafRow, logOf, type Entry } from '../helpers/log.ts'
import { bearing, madeKey } from '../helpers/machine.ts'
import { giveRole, orgId } from '../helpers/quorum.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'auditor' | 'ben' | 'bot' | 'bensKey' | 'foreigner'

const foreignOrg = '01890000-0000-7000-8000-00000000000f'
const base64 = (hash: Hash) => Buffer.from(hash).toString('base64')
const decode = (text: string) => Buffer.from(text, 'base64')

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Omit<Client, 'id'>>
let log: Entry[]
let hashes: Hash[]
let size: number
/** Sizes at which the log was signed. */
let signed: readonly [first: number, last: number]
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Omit<Client, 'id'>> })

beforeAll(async () => {
  world = await startWorld()
  const { ctx } = world
  const ada = await world.person('Ada', { admin: true })
  const [auditor, ben] = [await world.person('Audra'), await world.person('Ben')]
  await giveRole(ctx, auditor.id, 'AuditorViewer')
  const bensKey = bearing(world, (await madeKey(ben, { scopes: ['native:read'] })).key)
  cast = {
    ada,
    auditor,
    ben,
    bensKey,
    bot: await agent(world, 'bot', ben),
    gone: await ghost(world),
    foreigner: await foreigner(),
  }
  await sealNow(ctx, orgId)
  const first = (await logOf(ctx.db)).length
  // Two full tiles and some more; a leaf that no bundle has room for lies in the second.
  await addLeaves(
    ctx,
    Array.from({ length: 300 }, (_, at) => `{"at":${at}}`),
  )
  await addLeaves(ctx, ['x'.repeat(65_536), ...Array.from({ length: 400 }, (_, at) => `ä ${at}`)])
  await sealNow(ctx, orgId)
  log = await logOf(ctx.db)
  hashes = hashesOf(log)
  size = log.length
  signed = [first, size]
  expect(size).toBeGreaterThan(2 * 256)
  expect(size).toBeLessThan(3 * 256)
})
afterAll(() => world.close())

/** Someone of another organization, whose log has one leaf. */
async function foreigner(): Promise<Client> {
  const { ctx, clock } = world
  const [id, at] = [ctx.newId(), clock.now()]
  await ctx.db.insertInto('organizations').values({ id: foreignOrg, name: 'other', created_at: at }).execute()
  const row = { org_id: foreignOrg, id, kind: 'human', name: 'Fay', email: 'fay@example.com', created_at: at } as const
  await ctx.db.insertInto('people').values({ id, email: 'fay@example.com', created_at: at }).execute()
  await ctx.db
    .insertInto('principals')
    .values({ ...row, person_id: id })
    .execute()
  await ctx.db
    .insertInto('organization_admins')
    .values({ org_id: foreignOrg, id, principal_id: id, email: 'fay@example.com', created_at: at })
    .execute()
  await ctx.db
    .insertInto('audit_leaves')
    .values(leafRow(ctx, 'theirs', foreignOrg, foreignOrg))
    .execute()
  await sealNow(ctx, foreignOrg)
  const subject = {
    orgId: foreignOrg,
    principalId: id,
    kind: 'human',
    name: 'Fay',
    email: 'fay@example.com',
    isAdmin: true,
  } as const
  return world.withToken(id, await signAccessToken(ctx.keys.token, clock, subject))
}

/** The bytes of an answer. */
async function bytesOf(url: string, who: keyof typeof cast = 'ada'): Promise<Buffer> {
  const answer = await world.app.inject({ url, headers: { authorization: `Bearer ${cast[who].token}` } })
  expect(answer.statusCode, answer.body).toBe(200)
  expect(answer.headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'cache-control': url.includes('/entries/') ? 'no-store' : 'private, max-age=31536000, immutable',
    vary: expect.stringContaining('Authorization') as string,
  })
  return answer.rawPayload
}

const everyone: readonly Who[] = ['ada', 'auditor', 'ben', 'bot', 'bensKey']
/** Who sees hashes, and by what they cannot see more. */
const members = (path: () => string): Case<Who>[] => [
  ...everyone.map((as) => ({ name: `${as} may`, as, path, status: 200 })),
  ...callerCases<Who>(path, 'nobody', 'gone'),
]
const readers = (path: () => string): Case<Who>[] => [
  ...(['ada', 'auditor'] as const).map((as) => ({ name: `${as} may`, as, path, status: 200 })),
  ...(['ben', 'bot', 'bensKey'] as const).map((as) => ({
    name: `${as} may not`,
    as,
    path,
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  })),
  ...callerCases<Who>(path, 'nobody', 'gone'),
]
const badNumbers = ['', '-1', '01', '1.5', '1e3', ' 1', '0x1', '9007199254740992', '9'.repeat(400), 'NaN']
const refused = (
  field: string,
  paths: readonly (() => string)[],
  [status, code]: readonly [number, string],
): Case<Who>[] =>
  paths.map((path, place) => ({ name: `${field}, case ${place}`, as: 'ada', path, status, code, field }))
const invalid = (field: string, pathOf: (text: string) => string) =>
  refused(
    field,
    [...badNumbers.map((text) => () => pathOf(encodeURIComponent(text))), () => `${pathOf('1')}&${field}=2`].filter(
      (path) => !path().endsWith('/') && !path().includes('leaf/1&'),
    ),
    [400, 'LOG_INVALID_NUMBER'],
  )

describe('the key', () => {
  table<Who>('GET /v1/log/key', setting, [
    ...(['nobody', ...everyone] as const).map((as) => ({
      name: `${as} may: a key that nobody knows verifies nothing`,
      as,
      path: () => '/v1/log/key',
      status: 200,
      check: async ({ body }: { body: unknown }) => {
        const { body: first } = await world.anyone.get('/v1/log/key')
        expect(body).toEqual(first)
        expect(body).toEqual({
          keys: [{ verifierKey: expect.any(String), from: expect.any(String), until: null }],
          witnesses: [],
        })
      },
    })),
    { name: 'a token that is none', as: 'gone', path: () => '/v1/log/key', status: 401, code: 'USER_NOT_FOUND' },
  ])

  it("is that of the caller's organization", async () => {
    const nameOf = async (who: { get: Client['get'] }) => {
      const { body } = await who.get('/v1/log/key')
      return parseVerifierKey(body.keys[0].verifierKey).name
    }
    expect(await nameOf(world.anyone)).toBe(`quorate.local/log/${orgId}`)
    expect(await nameOf(cast.foreigner)).toBe(`quorate.local/log/${foreignOrg}`)
  })
})

describe('the checkpoint', () => {
  table<Who>(
    'GET /v1/log/checkpoint',
    setting,
    members(() => '/v1/log/checkpoint'),
  )

  it('is the signed head of the tree, and is not to be kept', async () => {
    const { body: note, headers } = await cast.ben.get('/v1/log/checkpoint')
    expect(headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    const { keys } = (await world.anyone.get('/v1/log/key')).body
    const { body, unknown } = openNote(note, [parseVerifierKey(keys[0].verifierKey)])
    expect(unknown).toEqual([])
    expect(parseCheckpoint(body)).toEqual({ origin: `quorate.local/log/${orgId}`, size, root: rootOf(hashes) })
  })

  it("is that of the caller's organization", async () => {
    const { body } = await cast.foreigner.get('/v1/log/checkpoint')
    expect(body).toMatch(`quorate.local/log/${foreignOrg}\n1\n${base64(leafHash(Buffer.from('theirs')))}\n`)
  })

  it('is refused while there is none', async () => {
    await using other = await startWorld()
    const ada = await other.person('Ada', { admin: true })
    for (const path of ['checkpoint', 'export', 'proof/inclusion?index=0', 'proof/consistency?from=0']) {
      expect(await ada.get(`/v1/log/${path}`), path).toMatchObject({
        status: 404,
        body: { code: 'LOG_CHECKPOINT_NOT_FOUND' },
      })
    }
  })
})

describe('tiles', () => {
  table<Who>('GET /v1/log/tile/{L}/{N}', setting, [
    ...members(() => '/v1/log/tile/0/000'),
    ...refused(
      'path',
      [
        '',
        '0',
        '0/0',
        '0/00',
        '0/0000',
        '0/-01',
        '00/000',
        '64/000',
        '-1/000',
        'x/000',
        'ENTRIES/000',
        '0/x000/000',
        '0/x000/x001/000',
        '0/x01/000',
        '0/001/000',
        '0/x001',
        '0/000.p/0',
        '0/000.p/256',
        '0/000.p/01',
        '0/000.p/1/2',
        '0/000.p',
        '0/000/',
        'entries',
        'entries/0',
        `0/${'x001/'.repeat(30)}000`,
        `0/${'9'.repeat(1000)}`,
      ].map((text) => () => `/v1/log/tile/${text}`),
      [400, 'LOG_INVALID_TILE'],
    ),
    ...[
      '0/003',
      '0/002',
      '1/000',
      '2/000',
      '63/000',
      '0/x999/x999/x999/x999/x999/x999/999',
      '0/x001/000',
      '0/003.p/1',
      'entries/002',
      'entries/x001/234',
    ].map((text): Case<Who> => ({
      name: `beyond the tree: ${text}`,
      as: 'ada',
      path: () => `/v1/log/tile/${text}`,
      status: 404,
      code: 'LOG_BEYOND_END',
    })),
  ])

  it('hold the hashes of the leaves, full and partial', async () => {
    expect(await bytesOf('/v1/log/tile/0/000')).toEqual(Buffer.concat(hashes.slice(0, 256)))
    expect(await bytesOf('/v1/log/tile/0/001')).toEqual(Buffer.concat(hashes.slice(256, 512)))
    const width = size % 256
    expect(await bytesOf(`/v1/log/tile/0/002.p/${width}`)).toEqual(Buffer.concat(hashes.slice(512)))
    expect(await bytesOf('/v1/log/tile/0/002.p/1')).toEqual(hashes[512])
    expect(await bytesOf('/v1/log/tile/0/000.p/255')).toEqual(Buffer.concat(hashes.slice(0, 255)))
    expect(await cast.ada.get(`/v1/log/tile/0/002.p/${width + 1}`)).toMatchObject({ status: 404 })
  })

  it('hold the hashes of full tiles on the level above', async () => {
    const full = [0, 1].map((index) => rootOf(hashes.slice(index * 256, (index + 1) * 256)))
    expect(await bytesOf('/v1/log/tile/1/000.p/2')).toEqual(Buffer.concat(full))
    expect(await cast.ada.get('/v1/log/tile/1/000.p/3')).toMatchObject({
      status: 404,
      body: { code: 'LOG_BEYOND_END' },
    })
  })

  table<Who>(
    'GET /v1/log/tile/entries/{N}',
    setting,
    readers(() => '/v1/log/tile/entries/000'),
  )

  it('hold the leaves, each after its length', async () => {
    for (const [name, start, end] of [
      ['000', 0, 256],
      ['000.p/7', 0, 7],
      [`002.p/${size % 256}`, 512, size],
    ] as const) {
      let bundle = await bytesOf(`/v1/log/tile/entries/${name}`, 'auditor')
      for (const { content } of log.slice(start, end)) {
        const length = bundle.readUInt16BE()
        expect(String(bundle.subarray(2, 2 + length))).toBe(content)
        bundle = bundle.subarray(2 + length)
      }
      expect(bundle).toHaveLength(0)
    }
  })

  it('are not offered where a leaf is too long for them', async () => {
    const at = log.findIndex(({ content }) => content.length === 65_536)
    expect(at).toBeGreaterThan(256)
    expect(await cast.ada.get('/v1/log/tile/entries/001')).toMatchObject({
      status: 404,
      body: { code: 'LOG_BUNDLE_NOT_OFFERED' },
    })
    expect((await bytesOf(`/v1/log/tile/entries/001.p/${at - 256}`)).length).toBeGreaterThan(0)
  })
})

describe('a leaf', () => {
  table<Who>('GET /v1/log/leaf/{index}', setting, [
    ...readers(() => '/v1/log/leaf/0'),
    ...invalid('index', (text) => `/v1/log/leaf/${text}`),
    ...refused('index', [() => `/v1/log/leaf/${size}`, () => '/v1/log/leaf/9007199254740991'], [404, 'LOG_BEYOND_END']),
  ])

  it('is what was hashed, to the byte', async () => {
    for (const index of [0, 5, 300, size - 1]) {
      const { content } = log[index] as Entry
      const { body } = await cast.auditor.get(`/v1/log/leaf/${index}`)
      expect(body).toEqual({ index, hash: base64(leafHash(Buffer.from(content))), content })
    }
  })

  it("is one of the caller's organization", async () => {
    expect((await cast.foreigner.get('/v1/log/leaf/0')).body.content).toBe('theirs')
    expect(await cast.foreigner.get('/v1/log/leaf/1')).toMatchObject({ status: 404 })
    const theirs = leafHash(Buffer.from('theirs')).toString()
    expect(log.some(({ hash }) => hash === theirs)).toBe(false)
  })
})

describe('the proof of inclusion', () => {
  const url = '/v1/log/proof/inclusion'
  table<Who>(`GET ${url}`, setting, [
    ...members(() => `${url}?index=0`),
    ...invalid('index', (text) => `${url}?index=${text}`),
    ...invalid('size', (text) => `${url}?index=0&size=${text}`),
    ...refused('index', [() => url, () => `${url}?size=3`], [400, 'LOG_INVALID_NUMBER']),
    ...refused(
      'leaf',
      ['', 'ab', 'g'.repeat(64), 'a'.repeat(63), 'a'.repeat(65), `${'A'.repeat(42)}==`, '!'.repeat(43)].map(
        (text) => () => `${url}?leaf=${text}`,
      ),
      [400, 'LOG_INVALID_LEAF'],
    ),
    ...refused('leaf', [() => `${url}?leaf=${'0'.repeat(64)}&index=1`], [400, 'LOG_INVALID_LEAF']),
    ...refused('leaf', [() => `${url}?leaf=${'0'.repeat(64)}`], [404, 'LOG_LEAF_NOT_FOUND']),
    ...refused(
      'index',
      [() => `${url}?index=${size}`, () => `${url}?index=5&size=5`, () => `${url}?index=0&size=0`],
      [404, 'LOG_BEYOND_END'],
    ),
    ...refused('size', [() => `${url}?index=0&size=${size + 1}`], [404, 'LOG_BEYOND_END']),
    ...refused('leaf', [() => `${url}?leaf=${log[9]?.hash}&size=9`], [404, 'LOG_BEYOND_END']),
  ])

  it('verifies in the tree of the newest checkpoint, and in any before it', async () => {
    for (const [index, within] of [
      [0, null],
      [size - 1, null],
      [300, null],
      [0, 1],
      [3, 7],
      [255, 256],
      [256, 600],
      [4, signed[0]],
    ] as const) {
      const { body, headers } = await cast.ben.get(`${url}?index=${index}${within === null ? '' : `&size=${within}`}`)
      expect(headers['vary']).toBe('Accept')
      const [leaf, path, root] = [decode(body.leaf), body.path.map(decode), decode(body.root)]
      const expected = within ?? size
      expect(body).toMatchObject({ index, size: expected, root: base64(rootOf(hashes.slice(0, expected))) })
      expect(leaf).toEqual(hashes[index])
      expect(verifyInclusion({ index, size: expected, leaf, path, root })).toBe(true)
      const isSigned = signed.includes(expected)
      expect(body.checkpoint === null).toBe(!isSigned)
      if (isSigned) expect(parseCheckpoint(body.checkpoint.split('\n\n')[0] + '\n').size).toBe(expected)
    }
  })

  it('is found by the hash of the leaf, however that is written', async () => {
    const hash = hashes[7] as Buffer
    const byIndex = (await cast.ben.get(`${url}?index=7`)).body
    for (const text of [
      hash.toString('hex'),
      hash.toString('hex').toUpperCase(),
      encodeURIComponent(base64(hash)),
      base64(hash),
      hash.toString('base64url'),
    ]) {
      expect((await cast.ben.get(`${url}?leaf=${text}`)).body).toEqual(byIndex)
    }
  })

  it('is text for who asks for text (C2SP tlog-proof)', async () => {
    const { body, headers } = await cast.ben.get(`${url}?index=300`, undefined, { accept: 'text/plain' })
    const { body: json } = await cast.ben.get(`${url}?index=300`)
    expect(headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(body).toBe(`c2sp.org/tlog-proof@v1\nindex 300\n${json.path.join('\n')}\n\n${json.checkpoint}`)
    const only = await cast.foreigner.get(`${url}?index=0`, undefined, { accept: 'text/plain;q=0.5' })
    expect(only.body).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 0\n\nquorate\.local\/log\//)
    expect(await cast.ben.get(`${url}?index=0&size=2`, undefined, { accept: 'text/plain' })).toMatchObject({
      status: 404,
      body: { code: 'LOG_CHECKPOINT_NOT_FOUND' },
    })
  })
})

describe('the proof of consistency', () => {
  const url = '/v1/log/proof/consistency'
  table<Who>(`GET ${url}`, setting, [
    ...members(() => `${url}?from=1`),
    ...invalid('from', (text) => `${url}?from=${text}`),
    ...invalid('to', (text) => `${url}?from=0&to=${text}`),
    ...refused('from', [() => url], [400, 'LOG_INVALID_NUMBER']),
    ...refused('from', [() => `${url}?from=3&to=2`], [400, 'LOG_INVALID_RANGE']),
    ...refused('from', [() => `${url}?from=${size + 1}`], [404, 'LOG_BEYOND_END']),
    ...refused('to', [() => `${url}?from=0&to=${size + 1}`], [404, 'LOG_BEYOND_END']),
  ])

  it('verifies from any size to any larger one', async () => {
    for (const [from, within] of [
      [0, null],
      [1, null],
      [signed[0], null],
      [size, null],
      [0, 0],
      [3, 7],
      [256, 512],
      [255, 600],
    ] as const) {
      const { body } = await cast.ben.get(`${url}?from=${from}${within === null ? '' : `&to=${within}`}`)
      const to = within ?? size
      const [fromRoot, toRoot] = [decode(body.fromRoot), decode(body.toRoot)]
      expect(fromRoot).toEqual(Buffer.from(rootOf(hashes.slice(0, from))))
      expect(toRoot).toEqual(Buffer.from(rootOf(hashes.slice(0, to))))
      expect(verifyConsistency({ from, to, fromRoot, toRoot, path: body.path.map(decode) })).toBe(true)
    }
  })
})

describe('the log after another key was made', () => {
  it('is shown with the signatures of both, though it has not grown', async () => {
    const before = (await cast.ben.get('/v1/log/checkpoint')).body
    const first = (await world.anyone.get('/v1/log/key')).body.keys[0]
    await addLogKey(world.ctx)
    const { keys } = (await world.anyone.get('/v1/log/key')).body
    expect(keys).toHaveLength(2)
    expect(keys[1]).toEqual({ ...first, until: keys[1].until })
    expect(Date.parse(keys[1].until) - world.clock.now().getTime()).toBe(30 * 86_400_000)
    const note: string = (await cast.ben.get('/v1/log/checkpoint')).body
    expect(note.startsWith(before)).toBe(true)
    for (const { verifierKey } of keys) expect(openNote(note, [parseVerifierKey(verifierKey)]).unknown).toHaveLength(1)
  })
})
