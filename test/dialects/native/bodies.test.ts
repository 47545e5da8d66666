import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

let world: World
let ada: Client

beforeAll(async () => {
  world = await startWorld()
  ada = await world.person('Ada', { admin: true })
})
afterAll(() => world.close())

/** Sends a body as it stands, which a client library would not. */
async function post(url: string, payload: string | Buffer, headers: Record<string, string> = {}) {
  const signedIn = { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json', ...headers }
  const answer = await world.app.inject({ method: 'POST', url, payload, headers: signedIn })
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
}

describe('a number too large to be one', () => {
  const spellings = ['1e400', '-1e400', '1E+0400', `${'9'.repeat(250)}e60`, '9'.repeat(400)]

  for (const number of spellings) {
    test(`${number.slice(0, 12)} is refused wherever it stands, with its place`, async () => {
      const answer = await post('/workflow-templates', `{"metadata": {"deep": [${number}]}}`)
      expect(answer.status).toBe(400)
      expect(answer.body).toMatchObject({ code: 'MALFORMED_REQUEST', details: [{ field: 'metadata.deep[0]' }] })
    })
  }

  test('is no fault of the server in a call with an Idempotency-Key', async () => {
    const answer = await post('/groups', '{"name": "huge", "ignored": 1e400}', { 'idempotency-key': 'huge-1' })
    expect(answer).toMatchObject({ status: 400, body: { code: 'MALFORMED_REQUEST' } })
  })

  test('a large one that fits is taken', async () => {
    const answer = await post('/groups', '{"name": "large", "ignored": 1e300}', { 'idempotency-key': 'large-1' })
    expect(answer.status).toBe(201)
  })
})

describe('bytes that are not UTF-8', () => {
  test('are refused rather than replaced by other characters', async () => {
    const body = Buffer.concat([
      Buffer.from('{"name":"bytes","description":"'),
      Buffer.of(0xff, 0xfe),
      Buffer.from('"}'),
    ])
    expect(await post('/groups', body)).toMatchObject({ status: 400, body: { code: 'MALFORMED_REQUEST' } })
  })
})
