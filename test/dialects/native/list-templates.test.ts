import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { insertSpace } from '../../helpers/quorum.ts'
import { expectRefusal, nowhere, startTemplateWorld, templates, type TemplateWorld } from '../../helpers/templates.ts'

let world: TemplateWorld
let other: string

beforeAll(async () => {
  world = await startTemplateWorld()
  other = await insertSpace(world.ctx, 'Other')
  const make = async (name: string, spaceId = world.space) => {
    world.clock.advance(1000)
    await world.made({ name, spaceId })
  }
  await make('Alpha release')
  await make('Beta_100')
  await make('Gamma release', other)
  await make('Delta')
  world.clock.advance(1000)
  await world.ada.put(`${templates}/Beta_100`, { description: 'second' })
  world.clock.advance(1000)
  await world.ada.post(`${templates}/Delta/deprecate`)
})
afterAll(() => world.close())

const list = async (query = '') => await world.ben.get(`${templates}${query}`)
const names = async (query: string) =>
  (await list(query)).body.data.map((each: { name: string; version: string }) => `${each.name} ${each.version}`)

describe('GET /workflow-templates 200', () => {
  it('gives a summary of every active template, newest created first', async () => {
    const { status, body } = await list()
    expect(status).toBe(200)
    expect(body.pagination).toEqual({ total: 3, page: 1, limit: 20 })
    expect(body.data).toEqual([
      {
        id: expect.any(String),
        name: 'Beta_100',
        version: '2',
        description: 'second',
        status: 'ACTIVE',
        createdAt: '2026-11-21T12:00:05.000Z',
        updatedAt: '2026-11-21T12:00:05.000Z',
      },
      expect.objectContaining({ name: 'Gamma release', status: 'ACTIVE' }),
      expect.objectContaining({ name: 'Alpha release', status: 'ACTIVE' }),
    ])
    expect(body.data[1]).not.toHaveProperty('description')
  })

  it.each([
    ['?status=DEPRECATED', ['Delta 1', 'Beta_100 1']],
    ['?status=PENDING_DEPRECATION', []],
    ['?status=ACTIVE&status=DEPRECATED&limit=2', ['Beta_100 2', 'Delta 1']],
    ['?status=ACTIVE&status=DEPRECATED&limit=2&page=3', ['Alpha release 1']],
    ['?page=9', []],
    ['?spaceIdentifier=Other', ['Gamma release 1']],
    ['?spaceIdentifier=Nowhere', []],
    [`?spaceIdentifier=${nowhere}`, []],
    ['?search=RELEASE', ['Gamma release 1', 'Alpha release 1']],
    ['?search=release&spaceIdentifier=Demo', ['Alpha release 1']],
    ['?search=_10', ['Beta_100 2']],
    ['?search=___', []],
    ['?search=%25%25%25', []],
    ['?search=Alpha%20release&searchMode=EXACT', ['Alpha release 1']],
    ['?search=Alpha&searchMode=EXACT', []],
    ['?search=A&searchMode=EXACT', []],
    ['?sortBy=CREATED_AT', ['Alpha release 1', 'Gamma release 1', 'Beta_100 2']],
    ['?sortBy=UPDATED_AT&sortDirection=DESC', ['Beta_100 2', 'Gamma release 1', 'Alpha release 1']],
    ['?sortBy=VERSION&sortBy=CREATED_AT&sortDirection=DESC', ['Beta_100 2', 'Alpha release 1', 'Gamma release 1']],
    ['?sortBy=VERSION', ['Gamma release 1', 'Alpha release 1', 'Beta_100 2']],
  ])('%s', async (query, expected) => {
    expect(await names(query)).toEqual(expected)
  })

  it('by the id of a space, in any case', async () => {
    expect(await names(`?spaceIdentifier=${other.toUpperCase()}`)).toEqual(['Gamma release 1'])
  })

  it('counts every match whatever the page', async () => {
    expect((await list('?limit=1&page=2')).body.pagination).toEqual({ total: 3, page: 2, limit: 1 })
    expect((await list('?page=7')).body.pagination).toEqual({ total: 3, page: 7, limit: 20 })
  })

  it('caps the limit and says so', async () => {
    expect((await list('?limit=1000000')).body.pagination).toEqual({ total: 3, page: 1, limit: 1000 })
  })
})

describe('GET /workflow-templates refuses', () => {
  it.each([
    ['INVALID_PAGE', 'page', '?page=0'],
    ['INVALID_PAGE', 'page', '?page=-1'],
    ['INVALID_PAGE', 'page', '?page=1.5'],
    ['INVALID_PAGE', 'page', '?page='],
    ['INVALID_PAGE', 'page', '?page=1&page=2'],
    ['INVALID_LIMIT', 'limit', '?limit=0'],
    ['INVALID_LIMIT', 'limit', '?limit=ten'],
    ['INVALID_SEARCH', 'search', '?search=abc&search=def'],
    ['INVALID_SEARCH_MODE', 'searchMode', '?search=abc&searchMode=FUZZY'],
    ['INVALID_SEARCH_MODE', 'searchMode', '?search=abc&searchMode=EXACT&searchMode=EXACT'],
    ['INVALID_SEARCH_LENGTH', 'search', '?search=ab'],
    ['INVALID_SEARCH_LENGTH', 'search', '?search='],
    ['INVALID_SEARCH_LENGTH', 'search', '?search=&searchMode=EXACT'],
    ['INVALID_SPACE_IDENTIFIER', 'spaceIdentifier', '?spaceIdentifier='],
    ['INVALID_SPACE_IDENTIFIER', 'spaceIdentifier', '?spaceIdentifier=a&spaceIdentifier=b'],
    ['INVALID_STATUS', 'status', '?status=active'],
    ['INVALID_STATUS', 'status', '?status=ACTIVE&status=OLD'],
    ['INVALID_STATUS', 'status', '?status='],
    ['INVALID_STATUS', 'status', '?status=constructor'],
    ['INVALID_SORT_BY', 'sortBy', '?sortBy=NAME'],
    ['INVALID_SORT_DIRECTION', 'sortDirection', '?sortBy=VERSION&sortDirection=UP'],
    ['SORT_DIRECTION_WITHOUT_SORT_BY', 'sortDirection', '?sortDirection=ASC'],
    ['SORT_DIRECTION_LENGTH_MISMATCH', 'sortDirection', '?sortBy=VERSION&sortDirection=ASC&sortDirection=DESC'],
  ])('GET /workflow-templates 400 %s (%s) for %s%s', async (code, field, query) => {
    expectRefusal(await list(query), 400, code, field)
  })

  it('GET /workflow-templates 403 REQUESTOR_NOT_AUTHORIZED to an agent', async () => {
    expectRefusal(await world.robot.get(templates), 403, 'REQUESTOR_NOT_AUTHORIZED')
  })

  it('GET /workflow-templates 401 MISSING_JWT_TOKEN', async () => {
    expectRefusal(await world.anyone.get(templates), 401, 'MISSING_JWT_TOKEN')
  })
})
