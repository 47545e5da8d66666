import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expireRequests } from '../../../src/approvals/expire-requests.ts'
import { dice } from '../../helpers/dice.ts'
import { countFaults } from '../../helpers/history.ts'
import { insertGroup } from '../../helpers/quorum.ts'
import { insertAgent } from '../../helpers/rows.ts'
import { nowhere, templates } from '../../helpers/templates.ts'
import type { Client } from '../../helpers/world.ts'
import { refusals, startWorkflowWorld, workflows, type Refused, type WorkflowWorld } from '../../helpers/workflows.ts'

let world: WorkflowWorld
/** Every workflow there is, as reading it alone answers it. */
let all: Listed[]
let groups: string[]
/** Two versions of List A, one of B and C, with the groups that their rules name. */
const made: { id: string; name: string; groups: string[] }[] = []

interface Listed {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly workflowTemplateId: string
  readonly createdAt: string
  readonly updatedAt: string
}

const get = async (query = '', client: Client = world.ben) => await client.get(`${workflows}${query}`)
const list = async (query: string, client?: Client) => {
  const { status, body } = await get(query, client)
  expect(status).toBe(200)
  return body as { data: Listed[]; pagination: { total: number; page: number; limit: number } }
}
const terminal = ['APPROVED', 'CANCELED', 'EXPIRED']

beforeAll(async () => {
  world = await startWorkflowWorld()
  const random = dice(20_261_121)
  groups = [world.guards, await insertGroup(world.ctx, []), await insertGroup(world.ctx, [world.cleo.id])]
  const [guards = '', empty = '', single = ''] = groups
  const or = (...of: string[]) => ({ type: 'OR', rules: of.map((group) => world.rule(1, group)) })
  const make = async (name: string, of: string[]) => {
    const template = await world.made({ name, approvalRule: or(...of) })
    made.push({ id: template.id, name, groups: of })
  }
  await make('List A', [guards])
  await make('List B', [guards, empty])
  await make('List C', [guards, single])
  const ids: string[] = []
  const open = async () => {
    // Some at the same instant, so that ties must be broken.
    if (random.roll(3) > 0) world.clock.advance(random.roll(5000))
    ids.push(await world.openedUnder(random.pick(active).id, { metadata: { index: String(ids.length) } }))
  }
  let active = [...made]
  for (let index = 0; index < 20; index++) await open()
  const second = await world.ada.put(`${templates}/List A`, { approvalRule: or(guards, single) })
  made.push({ id: second.body.id, name: 'List A', groups: [guards, single] })
  active = made.slice(1)
  for (let index = 0; index < 40; index++) await open()
  for (const id of ids) {
    if (random.roll(3) > 0) world.clock.advance(random.roll(2000))
    const voter = random.pick([world.cleo, world.dan, world.eli])
    const fate = random.roll(7)
    if (fate === 0) await world.voted(voter, id, 'APPROVE')
    if (fate === 1) await world.voted(voter, id, 'VETO')
    if (fate === 2) expect((await world.ada.post(`/v1/workflows/${id}/cancel`)).status).toBe(200)
    if (fate === 3) await world.expiresIn(0, { id })
    if (fate === 4) {
      await world.voted(voter, id, 'VETO')
      await world.expiresIn(0, { id })
    }
    // Some that are due have been swept, the rest not.
    if (id === ids[29]) await expireRequests(world.ctx)
  }
  // One reaches its deadline at this very instant.
  const { body } = await world.ben.get(`${workflows}?includeOnlyNonTerminalState=true`)
  await world.expiresIn(0, { id: body.data[0].id })
  all = []
  for (const id of ids) all.push((await world.ben.get(`${workflows}/${id}`)).body)
})
afterAll(() => world.close())

/** What the list must be, from every workflow there is. */
const expected = (keep: (each: Listed) => boolean, order: readonly (readonly [keyof Listed, 1 | -1])[]) =>
  all.filter(keep).toSorted((a, b) => {
    for (const [field, sign] of [...order, ['id', order[0]?.[1] ?? -1] as const]) {
      if (a[field] !== b[field]) return a[field] < b[field] ? -sign : sign
    }
    return 0
  })

it('the mix has every status, swept and not', async () => {
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['EVALUATION_IN_PROGRESS', 'REJECTED', ...terminal]))
  const due = await world.ctx.db
    .selectFrom('requests')
    .select('id')
    .where('is_final', '=', false)
    .where('expires_at', '<=', world.clock.now())
    .execute()
  expect(due.length).toBeGreaterThan(0)
  expect(all.filter(({ status }) => status === 'EXPIRED').length).toBeGreaterThan(due.length)
  expect(await countFaults(world.ctx)).toEqual([])
})

describe('GET /workflows 200', () => {
  const updatedLast = [['updatedAt', -1]] as const

  it('twenty, the last updated first, with how many there are', async () => {
    const { data, pagination } = await list('')
    expect(pagination).toEqual({ total: 60, page: 1, limit: 20 })
    expect(data).toEqual(expected(() => true, updatedLast).slice(0, 20))
  })

  it('to anyone, an agent without any role too', async () => {
    const agent = await world.signedIn(await insertAgent(world.ctx, 'lister'))
    expect(await list('?limit=100', agent)).toEqual(await list('?limit=100'))
  })

  it.each([
    ['CREATED_AT:ASC', [['createdAt', 1]]],
    ['CREATED_AT:DESC', [['createdAt', -1]]],
    ['UPDATED_AT:ASC', [['updatedAt', 1]]],
    ['UPDATED_AT:DESC', [['updatedAt', -1]]],
    [
      'CREATED_AT:ASC,UPDATED_AT:DESC',
      [
        ['createdAt', 1],
        ['updatedAt', -1],
      ],
    ],
    [
      'CREATED_AT:DESC&orderBy=UPDATED_AT:ASC',
      [
        ['createdAt', -1],
        ['updatedAt', 1],
      ],
    ],
    [
      'UPDATED_AT:ASC, CREATED_AT:DESC',
      [
        ['updatedAt', 1],
        ['createdAt', -1],
      ],
    ],
  ] as const)('orderBy=%s', async (order, fields) => {
    const query = `?limit=100&orderBy=${order.replace(' ', '%20')}`
    const want = expected(() => true, fields).map(({ id }) => id)
    expect((await list(query)).data.map(({ id }) => id)).toEqual(want)
    // Pages of it neither repeat nor skip.
    const paged: string[] = []
    for (let page = 1; page <= 9; page++) {
      paged.push(...(await list(`${query.replace('limit=100', 'limit=7')}&page=${page}`)).data.map(({ id }) => id))
    }
    expect(paged).toEqual(want)
  })

  it.each(['includeOnlyNonTerminalState', 'include-only-non-terminal-state'])('%s', async (name) => {
    const open = expected(({ status }) => !terminal.includes(status), updatedLast)
    expect(open.some(({ status }) => status === 'REJECTED')).toBe(true)
    const { data, pagination } = await list(`?${name}=true&limit=100`)
    expect(data).toEqual(open)
    expect(pagination.total).toBe(open.length)
    expect((await list(`?${name}=false&limit=100`)).pagination.total).toBe(60)
  })

  it('workflowTemplateIdentifier: an id is one version, a name all of them', async () => {
    for (const { id, name } of made) {
      const one = expected((each) => each.workflowTemplateId === id, updatedLast)
      for (const key of [id, id.toUpperCase()]) {
        expect(await list(`?limit=100&workflowTemplateIdentifier=${key}`)).toMatchObject({
          data: one,
          pagination: { total: one.length },
        })
      }
      const versions = made.filter((each) => each.name === name).map((each) => each.id)
      const named = expected((each) => versions.includes(each.workflowTemplateId), updatedLast)
      const byName = await list(`?limit=100&workflowTemplateIdentifier=${encodeURIComponent(name)}`)
      expect(byName.data).toEqual(named)
    }
    expect(made.filter(({ name }) => name === 'List A')).toHaveLength(2)
    for (const key of [nowhere, 'No such', '01890000-0000-4000-8000-000000000000', 'List%20']) {
      const empty = { data: [], pagination: { total: 0, page: 1, limit: 20 } }
      expect(await list(`?workflowTemplateIdentifier=${key}`)).toEqual(empty)
    }
  })

  it('include=workflow-template gives each its own version', async () => {
    const { data } = await list('?limit=100&include=workflow-template')
    expect(data).toHaveLength(60)
    const shown = new Map<string, unknown>()
    for (const { id } of made) shown.set(id, (await world.ben.get(`${templates}/${id}`)).body)
    for (const each of data as (Listed & { ref: { workflowTemplate?: unknown } })[]) {
      expect(each.ref.workflowTemplate).toEqual(shown.get(each.workflowTemplateId))
    }
    expect((await list('?include=workflow-template,workflow-template')).data[0]).toMatchObject({
      ref: { workflowTemplate: expect.anything() },
    })
  })

  it.each(['page=4&limit=20', 'page=61&limit=1', 'page=999999999999999', 'page=999999999999999&limit=1000'])(
    'past the end there is nothing: %s',
    async (query) => {
      const { data, pagination } = await list(`?${query}`)
      expect(data).toEqual([])
      expect(pagination.total).toBe(60)
    },
  )

  it.each([1000, 1001, 999_999_999_999_999])('limit %i is capped at 1000, and says so', async (limit) => {
    const { data, pagination } = await list(`?limit=${limit}`)
    expect(data).toHaveLength(60)
    expect(pagination).toEqual({ total: 60, page: 1, limit: 1000 })
  })

  it('any mix of filters, orders and pages is what the whole list makes', async () => {
    const random = dice(7)
    const orders: [string, (readonly [keyof Listed, 1 | -1])[]][] = [
      ['', [['updatedAt', -1]]],
      ['&orderBy=CREATED_AT:ASC', [['createdAt', 1]]],
      [
        '&orderBy=UPDATED_AT:ASC&orderBy=CREATED_AT:DESC',
        [
          ['updatedAt', 1],
          ['createdAt', -1],
        ],
      ],
    ]
    for (let round = 0; round < 60; round++) {
      const onlyOpen = random.next() < 0.5
      const template = random.next() < 0.5 ? random.pick(made) : null
      const byId = random.next() < 0.5
      const wanted = groups.filter(() => random.next() < 0.3)
      const [order, fields] = random.pick(orders)
      const [page, limit] = [1 + random.roll(4), 1 + random.roll(12)]
      const query = [
        `?page=${page}&limit=${limit}${order}`,
        onlyOpen ? '&includeOnlyNonTerminalState=true' : '',
        template === null
          ? ''
          : `&workflowTemplateIdentifier=${encodeURIComponent(byId ? template.id : template.name)}`,
        wanted.length === 0 ? '' : `&includeGroups=${wanted.join(byId ? ',' : '&includeGroups=')}`,
      ].join('')
      const policies = made
        .filter((each) => template === null || (byId ? each.id === template.id : each.name === template.name))
        .filter((each) => wanted.length === 0 || each.groups.some((group) => wanted.includes(group)))
        .map(({ id }) => id)
      const want = expected(
        (each) => policies.includes(each.workflowTemplateId) && !(onlyOpen && terminal.includes(each.status)),
        fields,
      )
      const answer = await list(query)
      expect({ query, ...answer }).toEqual({
        query,
        data: want.slice((page - 1) * limit, page * limit),
        pagination: { total: want.length, page, limit },
      })
    }
  })

  it('groups in capitals are the same; more than one is any of them; unknown ones are nowhere', async () => {
    const [guards = '', empty = ''] = groups
    expect((await list(`?includeGroups=${guards.toUpperCase()}`)).pagination.total).toBe(60)
    const some = (await list(`?includeGroups=${empty}`)).pagination.total
    expect(some).toBeGreaterThan(0)
    expect(some).toBeLessThan(60)
    expect((await list(`?includeGroups=${empty},${guards}`)).pagination.total).toBe(60)
    expect((await list(`?includeGroups=${nowhere}`)).pagination.total).toBe(0)
  })

  it('the same after the sweep', async () => {
    const before = [await list('?limit=100&orderBy=CREATED_AT:ASC'), await list('?includeOnlyNonTerminalState=true')]
    expect(await expireRequests(world.ctx)).toBeGreaterThan(0)
    const after = [await list('?limit=100&orderBy=CREATED_AT:ASC'), await list('?includeOnlyNonTerminalState=true')]
    const withoutTimes = (of: typeof before) =>
      of.map(({ data, pagination }) => ({
        pagination,
        data: data.map((each) => ({ ...each, updatedAt: '' })).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      }))
    expect(withoutTimes(after)).toEqual(withoutTimes(before))
  })
})

refusals('GET /workflows', () => world, [
  ...(
    [
      ['page=0', 'INVALID_PAGE', 'page'],
      ['page=-1', 'INVALID_PAGE', 'page'],
      ['page=1.5', 'INVALID_PAGE', 'page'],
      ['page=', 'INVALID_PAGE', 'page'],
      ['page=x', 'INVALID_PAGE', 'page'],
      ['page=1e3', 'INVALID_PAGE', 'page'],
      ['page=1&page=2', 'INVALID_PAGE', 'page'],
      ['page=9999999999999999', 'INVALID_PAGE', 'page'],
      ['limit=0', 'INVALID_LIMIT', 'limit'],
      ['limit=-5', 'INVALID_LIMIT', 'limit'],
      ['limit=ten', 'INVALID_LIMIT', 'limit'],
      ['limit=%20', 'INVALID_LIMIT', 'limit'],
      ['include=x', 'INVALID_INCLUDE', 'include'],
      ['include=', 'INVALID_INCLUDE', 'include'],
      ['include=workflow-template,x', 'INVALID_INCLUDE', 'include'],
      ['include=workflow-template&include=votes', 'INVALID_INCLUDE', 'include'],
      ['includeOnlyNonTerminalState=1', 'INVALID_INCLUDE_ONLY_NON_TERMINAL_STATE', 'includeOnlyNonTerminalState'],
      ['includeOnlyNonTerminalState=TRUE', 'INVALID_INCLUDE_ONLY_NON_TERMINAL_STATE', 'includeOnlyNonTerminalState'],
      ['includeOnlyNonTerminalState=', 'INVALID_INCLUDE_ONLY_NON_TERMINAL_STATE', 'includeOnlyNonTerminalState'],
      [
        'includeOnlyNonTerminalState=true&includeOnlyNonTerminalState=true',
        'INVALID_INCLUDE_ONLY_NON_TERMINAL_STATE',
        'includeOnlyNonTerminalState',
      ],
      [
        'include-only-non-terminal-state=yes',
        'INVALID_INCLUDE_ONLY_NON_TERMINAL_STATE',
        'include-only-non-terminal-state',
      ],
      ['workflowTemplateIdentifier=', 'INVALID_WORKFLOW_TEMPLATE_IDENTIFIER', 'workflowTemplateIdentifier'],
      ['workflowTemplateIdentifier=%20', 'INVALID_WORKFLOW_TEMPLATE_IDENTIFIER', 'workflowTemplateIdentifier'],
      [
        'workflowTemplateIdentifier=a&workflowTemplateIdentifier=b',
        'INVALID_WORKFLOW_TEMPLATE_IDENTIFIER',
        'workflowTemplateIdentifier',
      ],
      ['includeGroups=guards', 'INVALID_INCLUDE_GROUPS', 'includeGroups'],
      [`includeGroups=${nowhere},x`, 'INVALID_INCLUDE_GROUPS', 'includeGroups'],
      ['includeGroups=01890000-0000-4000-8000-000000000000', 'INVALID_INCLUDE_GROUPS', 'includeGroups'],
      [`includeGroups=${Array(101).fill(nowhere).join()}`, 'INVALID_INCLUDE_GROUPS', 'includeGroups'],
      ['orderBy=CREATED_AT', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=CREATED_AT:UP', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=NAME:ASC', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=created_at:ASC', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=toString:ASC', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=CREATED_AT:ASC:x', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=CREATED_AT:ASC;drop', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=CREATED_AT:ASC,CREATED_AT:DESC', 'DUPLICATE_ORDER_BY_FIELDS', 'orderBy'],
      ['orderBy=UPDATED_AT:ASC&orderBy=CREATED_AT:ASC&orderBy=UPDATED_AT:ASC', 'DUPLICATE_ORDER_BY_FIELDS', 'orderBy'],
      ['orderBy=a,b,c,d', 'TOO_MANY_ORDER_BY_ITEMS', 'orderBy'],
      ['workflowTemplateIdentifier=a%00b', 'MALFORMED_REQUEST', 'query.workflowTemplateIdentifier'],
    ] as const
  ).map(([query, code, field]): Refused => [query.slice(0, 60), 400, code, field, () => () => get(`?${query}`)]),
  ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => world.anyone.get(`${workflows}?page=x`)],
])
