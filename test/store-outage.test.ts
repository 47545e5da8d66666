import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from './helpers/fresh-database.ts'
import { startWorld, type Client as Caller, type World } from './helpers/world.ts'

let world: World
let ada: Caller
let database: string

beforeAll(async () => {
  database = await freshDatabase()
  world = await startWorld({ databaseUrl: database })
  ada = await world.person('Ada', { admin: true })
})
afterAll(() => world.close())

/** What a restart of PostgreSQL does to its clients, without taking it from other tests. */
async function endAllConnections(): Promise<void> {
  const url = new URL(database)
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  const client = new Client({ connectionString: url.href })
  await client.connect()
  await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  await client.end()
}

describe('PostgreSQL ends every connection while calls are under way', () => {
  test('each call is done or refused with 503, none is a fault, and the server goes on', async () => {
    const calls = Array.from({ length: 60 }, (_, index) => ada.post('/groups', { name: `outage-${index}` }))
    for (let round = 0; round < 3; round++) await endAllConnections()
    const answers = await Promise.all(calls)
    for (const { status, body } of answers) {
      expect([status, body?.code]).toEqual(status === 503 ? [503, 'SERVICE_UNAVAILABLE'] : [201, undefined])
    }

    const { body } = await ada.get('/groups?limit=100')
    expect(body.pagination.total).toBeGreaterThanOrEqual(answers.filter(({ status }) => status === 201).length)
    expect(await world.anyone.get('/health')).toMatchObject({ status: 200 })
  })
})
