import { afterAll, beforeAll, expect, test } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { startWorld, type Client, type World } from '../../helpers/world.ts'

const prefixes = ['/workflow-engine/api/v1', '/auth/api/v1', '/role-store/api/v1', '/local-user-store/api/v1']

let world: World
let ada: Client

beforeAll(async () => {
  world = await startWorld()
  ada = await world.person('Ada', { admin: true })
})
afterAll(() => world.close())

test.each(prefixes)('%s says how it is without a token', async (prefix) => {
  const { status, body } = await world.anyone.get(`${prefix}/status`)
  expect(status).toBe(200)
  expect(body).toEqual({
    variant: 'Quorate',
    version: packageJson.version,
    api_version: 'v1',
    status: 'OK',
    status_message: 'running',
    start_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/),
  })
})

test.each(prefixes)('a path that is none under %s is refused in the words of this API', async (prefix) => {
  const { status, body } = await ada.get(`${prefix}/no/such/path`)
  expect(status).toBe(404)
  expect(body).toMatchObject({ error_code: 'NOT_FOUND' })
})
