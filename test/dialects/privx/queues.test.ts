import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engine, hold, role, startAccessScene, step, type AccessScene } from '../../helpers/access.ts'
import type { Client } from '../../helpers/world.ts'

/**
 * One scene for all of it. Requests by name, oldest first; each is for a role of its own, `role-<name>`.
 * waiting: Ben's, first step open. second: Ben's, second step open. approved, denied: Ben's, by Cleo. both: Ben's, a step that
 * wants both roles, the first taken by Cleo. cleos: Cleo's own. forCleo: Ada's for Cleo. removal: Ben's.
 */
let scene: AccessScene
let viewer: Client
const ids: Record<string, string> = {}
const times: Record<string, string> = {}

beforeAll(async () => {
  scene = await startAccessScene()
  const { world, roles, ada, ben, cleo } = scene
  viewer = await world.person('Vera')
  await role(world.ctx, 'request viewers', [viewer], ['requests-view'])
  const make = async (name: string, client: Client, steps: readonly object[], more: object = {}) => {
    const { target, workflow, ...question } = { target: null, workflow: {}, ...more } as {
      target: Client | null
      workflow: object
    }
    const wanted = await role(world.ctx, `role-${name}`)
    if ('action' in question) await hold(world.ctx, wanted, client.id)
    await scene.workflow({ name: `Workflow ${name}`, target_roles: [{ id: wanted }], steps, ...workflow })
    world.clock.advance(1000)
    const forWhom = target === null ? {} : { target_user: { id: target.id } }
    ids[name] = await scene.ask(client, { requested_role: { id: wanted }, ...forWhom, ...question })
    times[name] = (await scene.request(ids[name])).created
    world.clock.advance(1000)
  }
  const [first, second] = [step('ANY', roles.first), step('ANY', roles.second)]
  await make('waiting', ben, [first, second], { request_justification: 'Nightly 100% Backup' })
  await make('second', ben, [first, second], { comment: 'see ticket_7' })
  await make('approved', ben, [first])
  await make('denied', ben, [first, second])
  await make('both', ben, [step('ALL', roles.first, roles.second)])
  await make('cleos', cleo, [first])
  await make('forCleo', ada, [first], { target: cleo })
  await make('removal', ben, [second], { action: 'REMOVE', workflow: { action: 'BOTH' } })
  await scene.decide(cleo, ids['second'] ?? '', 'APPROVED')
  await scene.decide(cleo, ids['approved'] ?? '', 'APPROVED')
  await scene.decide(cleo, ids['denied'] ?? '', 'DENIED')
  await scene.decide(cleo, ids['both'] ?? '', 'APPROVED')
})
afterAll(() => scene[Symbol.asyncDispose]())

const path = `${engine}/requests`
const everything = ['removal', 'forCleo', 'cleos', 'both', 'denied', 'approved', 'second', 'waiting']
const bens = ['removal', 'both', 'denied', 'approved', 'second', 'waiting']
const nameOf = (id: string) => Object.keys(ids).find((name) => ids[name] === id)

async function list(client: Client, query: string): Promise<(string | undefined)[]> {
  const { status, body } = await client.get(`${path}?limit=100&${query}`)
  expect([status, body.count]).toEqual([200, body.items.length])
  return body.items.map(({ id }: { id: string }) => nameOf(id))
}

async function search(client: Client, body: unknown, query = ''): Promise<(string | undefined)[]> {
  const answer = await client.post(`${path}/search?limit=100&${query}`, body)
  expect([answer.status, answer.body.count]).toEqual([200, answer.body.items.length])
  return answer.body.items.map(({ id }: { id: string }) => nameOf(id))
}

describe('a queue', () => {
  it.each<[string, keyof AccessScene & ('ada' | 'ben' | 'cleo' | 'carl' | 'dana' | 'eli'), string[]]>([
    ['requests', 'ben', bens],
    ['requests', 'cleo', ['cleos']],
    ['requests', 'ada', ['forCleo']],
    ['requests', 'eli', []],
    ['active_requests', 'ben', ['removal', 'both', 'second', 'waiting']],
    ['active_requests', 'cleo', ['cleos']],
    // Cleo's own requests, and that for Cleo, are for Carl alone; where Cleo has taken the place nobody else may.
    ['active_approvals', 'cleo', ['waiting']],
    ['active_approvals', 'carl', ['forCleo', 'cleos', 'waiting']],
    ['active_approvals', 'dana', ['removal', 'both', 'second']],
    ['active_approvals', 'eli', []],
    ['active_approvals', 'ada', []],
    ['approvals', 'cleo', ['both', 'denied', 'approved', 'second', 'waiting']],
    ['approvals', 'carl', ['forCleo', 'cleos', 'waiting']],
    ['approvals', 'dana', ['removal', 'both', 'second']],
    ['approvals', 'ben', []],
    ['all', 'ada', everything],
  ])('%s of %s', async (filter, who, expected) => {
    expect(await list(scene[who], `filter=${filter}`)).toEqual(expected)
    expect(await list(scene[who], `filter=${filter.toUpperCase()}`)).toEqual(expected)
    expect(await search(scene[who], { filter })).toEqual(expected)
  })

  it('holds for approval exactly what the caller can decide', async () => {
    for (const client of [scene.ada, scene.ben, scene.cleo, scene.carl, scene.dana, scene.eli]) {
      const active = await list(client, 'filter=active_approvals')
      for (const name of everything.filter((each) => each !== 'removal')) {
        const request = await scene.request(ids[name] ?? '')
        const open = request.steps.findIndex(
          ({ match, approvers }: { match: string; approvers: { decision: string }[] }) =>
            !approvers[match === 'ANY' ? 'some' : 'every'](({ decision }) => decision === 'APPROVED'),
        )
        // Refused for its terms when all else is in order: nothing is decided. A removal has none.
        const tried = await client.post(`${path}/${ids[name]}/decision`, {
          step: open,
          decision: 'APPROVED',
          grant_type: 'FLOATING',
          floating_length: 1,
        })
        const mayDecide = tried.status === 400 && tried.body.property === 'grant_type'
        expect([client.id, name, mayDecide]).toEqual([client.id, name, active.includes(name)])
      }
    }
  })

  it('of all is for who may see all', async () => {
    expect(await list(viewer, 'filter=all')).toEqual(everything)
    for (const client of [scene.ben, scene.cleo]) {
      const answers = [
        await client.get(`${path}?filter=all`),
        await client.post(`${path}/search`, {}),
        await client.post(`${path}/search?filter=all`, { filter: 'requests' }),
      ]
      expect(answers.map(({ status, body }) => [status, body.error_code])).toEqual(
        Array(3).fill([403, 'PERMISSION_DENIED']),
      )
    }
  })

  it.each(['', 'filter=', 'filter=mine', 'filter=toString', 'filter=all&filter=requests'])(
    'refuses "%s"',
    async (query) => {
      const { status, body } = await scene.ada.get(`${path}?${query}`)
      expect([status, body.error_code, body.property]).toEqual([400, 'BAD_REQUEST', 'filter'])
    },
  )
})

describe('a search', () => {
  it.each<[string, unknown, string, string[]]>([
    ['nothing', {}, '', everything],
    ['no body', undefined, '', everything],
    ['empty keywords', { keywords: '' }, '', everything],
    ['members that are null', { keywords: null, start_time: null, filter: null }, '', everything],
    ['the filter of the query before that of the body', { filter: 'all' }, 'filter=requests', ['forCleo']],
    ['the filter of the body', { filter: 'Requests' }, '', ['forCleo']],
    ['an empty filter', { filter: '' }, 'filter=', everything],
    ['a name of who asked', { keywords: 'BEN' }, '', bens],
    ['a name of whom it is for', { keywords: 'leo' }, '', ['forCleo', 'cleos']],
    ['a name of the role', { keywords: 'role-app' }, '', ['approved']],
    ['a name of the workflow', { keywords: 'workflow SEC' }, '', ['second']],
    ['the justification', { keywords: 'backup' }, '', ['waiting']],
    ['the comment', { keywords: 'Ticket_7' }, '', ['second']],
    ['a percent sign as what it is', { keywords: '0% b' }, '', ['waiting']],
    ['a pattern as what it is', { keywords: '%' }, '', ['waiting']],
    ['an underscore as what it is', { keywords: 't_7' }, '', ['second']],
    ['what is nowhere', { keywords: 'zebra' }, '', []],
  ])('for %s', async (_, body, query, expected) => {
    expect(await search(scene.ada, body, query)).toEqual(expected)
  })

  it('between two times takes both in', async () => {
    const between = { start_time: times['second'], end_time: times['denied'] }
    expect(await search(scene.ada, between)).toEqual(['denied', 'approved', 'second'])
    const offset = new Date(Date.parse(times['both'] ?? '') + 3_600_000).toISOString().replace('Z', '+01:00')
    expect(await search(scene.ada, { start_time: offset, keywords: 'ben' })).toEqual(['removal', 'both'])
  })

  it.each<[string, unknown, string]>([
    ['keywords that are no text', { keywords: 5 }, 'keywords'],
    ['a time that is none', { start_time: 'yesterday' }, 'start_time'],
    ['a time without an offset', { end_time: '2026-01-01T00:00:00' }, 'end_time'],
    ['a filter that is none', { filter: 'mine' }, 'filter'],
  ])('refuses %s', async (_, body, property) => {
    const answer = await scene.ada.post(`${path}/search`, body)
    expect([answer.status, answer.body.property]).toEqual([400, property])
  })
})

describe('a list of requests', () => {
  const oldestFirst = everything.toReversed()
  it.each<[string, string[]]>([
    ['sortkey=created', oldestFirst],
    ['sortkey=created&sortdir=desc', everything],
    ['sortdir=ASC', oldestFirst],
    ['sortkey=id', oldestFirst],
    ['sortkey=updated&sortdir=DESC', ['both', 'denied', 'approved', 'second']],
    ['sortkey=name', ['approved', 'both', 'cleos', 'denied', 'forCleo', 'removal', 'second', 'waiting']],
    ['sortkey=requested_role', ['approved', 'both', 'cleos', 'denied', 'forCleo', 'removal', 'second', 'waiting']],
    ['sortkey=status', ['approved', 'denied', 'waiting', 'second', 'both', 'cleos', 'forCleo', 'removal']],
    ['sortkey=action&sortdir=desc', ['removal', 'forCleo', 'cleos', 'both', 'denied', 'approved', 'second', 'waiting']],
    ['sortkey=requester', ['forCleo', ...bens.toReversed(), 'cleos']],
    ['sortkey=target_user', [...bens.toReversed(), 'cleos', 'forCleo']],
  ])('is sorted by %s, ties by id', async (query, expected) => {
    const listed = await list(scene.ada, `filter=all&${query}`)
    // Four decisions at the same instant, and those before: the first ones tell.
    if (query.includes('updated')) expect(new Set(listed.slice(0, 4))).toEqual(new Set(expected))
    else expect(listed).toEqual(expected)
  })

  it('is cut into pages that together are all of it, and counts all on each', async () => {
    const pages = []
    for (let offset = 0; offset < 9; offset += 3) {
      const { body } = await scene.ada.get(`${path}?filter=all&offset=${offset}&limit=3&sortkey=action`)
      expect(body.count).toBe(8)
      pages.push(...body.items.map(({ id }: { id: string }) => id))
    }
    expect(new Set(pages).size).toBe(8)
    const beyond = await scene.ada.get(`${path}?filter=all&offset=1000000`)
    expect(beyond.body).toEqual({ count: 8, items: [] })
    expect((await scene.ada.get(`${path}?filter=all&limit=0`)).body).toEqual({ count: 8, items: [] })
  })

  it.each([
    ['offset=-1', 'offset'],
    ['limit=101', 'limit'],
    ['limit=x', 'limit'],
    ['sortkey=colour', 'sortkey'],
    ['sortdir=down', 'sortdir'],
  ])('refuses %s', async (query, property) => {
    const [got, found] = [
      await scene.ada.get(`${path}?filter=all&${query}`),
      await scene.ada.post(`${path}/search?${query}`, {}),
    ]
    expect([got.status, got.body.property, found.status, found.body.property]).toEqual([400, property, 400, property])
  })

  it('shows each request as it is read by itself', async () => {
    const { body } = await scene.ada.get(`${path}?filter=all`)
    for (const item of body.items) expect(item).toEqual(await scene.request(item.id))
  })

  it('counts no request that was deleted, and leaves the lists of other APIs as they were', async () => {
    await scene.ada.delete(`${path}/${ids['removal']}`)
    const { body } = await scene.ada.get(`${path}?filter=all&limit=1`)
    expect(body.count).toBe(7)
    const native = await scene.ada.get('/workflows')
    expect(native.body).toMatchObject({ data: [], pagination: { total: 0 } })
    const open = await scene.ada.get('/workflows?include-only-non-terminal-state=true')
    expect(open.body.pagination.total).toBe(0)
  })
})
