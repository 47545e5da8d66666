import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  expectStatus,
  startFortanix,
  type FortanixApp,
  type FortanixCalls,
  type FortanixUser,
  type FortanixWorld,
} from '../../helpers/fortanix.ts'

let scene: FortanixWorld
let ada: FortanixUser
let app: FortanixApp
/** Of three groups, by name in the order of letters, and by age in another. */
let groups: readonly string[]
let accounts: readonly string[]

beforeAll(async () => {
  scene = await startFortanix()
  ada = await scene.signUp('Ada')
  const other = await scene.account(ada, 'First')
  const account = await scene.account(ada, 'Second')
  accounts = [other, account]
  groups = await Promise.all(
    ['b', 'c', 'a'].map(
      async (name): Promise<string> => expectStatus(await ada.post('/sys/v1/groups', { name }), 201).group_id,
    ),
  )
  for (const name of ['bot b', 'bot c', 'bot a']) app = await scene.app(ada, name, { [groups[0] ?? '']: ['SIGN'] })
})
afterAll(() => scene[Symbol.asyncDispose]())

type Shown = Readonly<Record<string, string>>

/** Asks as a client does that goes on behind the last one shown until nothing more comes. */
async function walk(by: FortanixCalls, ask: (last: Shown | null) => string, member: string): Promise<string[]> {
  const seen: Shown[] = []
  for (let pages = 0; pages < 10; pages += 1) {
    const page: Shown[] = expectStatus(await by.get(ask(seen.at(-1) ?? null)), 200)
    if (page.length === 0) return seen.map((shown) => shown[member] ?? '')
    seen.push(...page)
  }
  throw new Error('the list has no end')
}

const encoded = (text: string) => encodeURIComponent(text)

describe('groups', () => {
  it('are walked by id, as the Go client asks for them', async () => {
    const ask = (last: Shown | null) =>
      `/sys/v1/groups?limit=2&sort_by=group_id%3Aasc${last === null ? '' : `&previous_id=${last['group_id']}`}`
    expect(await walk(ada, ask, 'group_id')).toEqual(groups.toSorted())
  })

  it('are walked by id where no order is named', async () => {
    const ask = (last: Shown | null) =>
      `/sys/v1/groups?limit=1${last === null ? '&sort_by=group_id' : `&previous_id=${last['group_id']}`}`
    expect(await walk(ada, ask, 'group_id')).toEqual(groups.toSorted())
  })

  it('are walked by name, backwards too', async () => {
    const ask = (order: string) => (last: Shown | null) =>
      `/sys/v1/groups?limit=1&sort_by=group_name%3A${order}${last === null ? '' : `&previous_sort_value=${last['name']}`}`
    expect(await walk(ada, ask('asc'), 'name')).toEqual(['a', 'b', 'c'])
    expect(await walk(ada, ask('desc'), 'name')).toEqual(['c', 'b', 'a'])
  })

  it('come all at once, by name, to whoever asks for nothing', async () => {
    const shown = expectStatus(await ada.get('/sys/v1/groups?'), 200)
    expect(shown.map(({ name }: Shown) => name)).toEqual(['a', 'b', 'c'])
    const behind = expectStatus(await ada.get('/sys/v1/groups?offset=1'), 200)
    expect(behind.map(({ name }: Shown) => name)).toEqual(['b', 'c'])
  })

  it.each(['previous_id=x', 'limit=x', 'offset=-1', 'sort_by=group_name&previous_sort_value=a&previous_sort_value=b'])(
    'are refused by %s, which is named',
    async (query) => {
      const { status, text } = await ada.get(`/sys/v1/groups?${query}`)
      expect({ status, names: query.includes(text.split(' ', 1)[0] ?? '-') }).toEqual({ status: 400, names: true })
    },
  )
})

describe('apps', () => {
  const names = ['bot a', 'bot b', 'bot c']

  it('are walked by id', async () => {
    const ask = (last: Shown | null) =>
      `/sys/v1/apps?group_permissions=true&sort=app_id${last === null ? '' : `&start=${last['app_id']}`}`
    expect((await walk(ada, ask, 'name')).toSorted()).toEqual(names)
  })

  it.each(['app_name%3A', 'app_name'])('are walked by name, sort=%sdesc', async (sort) => {
    const ask = (last: Shown | null) =>
      `/sys/v1/apps?limit=2&sort=${sort}desc${last === null ? '' : `&start=${encoded(last['name'] ?? '')}`}`
    expect(await walk(ada, ask, 'name')).toEqual(names.toReversed())
  })

  it('see themselves once', async () => {
    const ask = (last: Shown | null) => `/sys/v1/apps?sort=app_id${last === null ? '' : `&start=${last['app_id']}`}`
    expect(await walk(app, ask, 'app_id')).toEqual([app.id])
  })
})

describe('accounts', () => {
  it('are walked by id', async () => {
    const ask = (last: Shown | null) =>
      `/sys/v1/accounts?limit=1&sort_by=acct_id%3Aasc${last === null ? '' : `&previous_id=${last['acct_id']}`}`
    expect(await walk(ada, ask, 'acct_id')).toEqual(accounts.toSorted())
  })

  it.each(['asc', 'desc'])('are one for an app, which sees it once: %s', async (order) => {
    const ask = (last: Shown | null) =>
      `/sys/v1/accounts?sort_by=acct_id%3A${order}${last === null ? '' : `&previous_id=${last['acct_id']}`}`
    expect(await walk(app, ask, 'acct_id')).toEqual([accounts[1]])
  })
})
