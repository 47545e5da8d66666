import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await startWorld()
  await world.app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => world.close())

/** Sends bytes as they stand and reads until the server ends the connection. */
async function send(bytes: string): Promise<{ status: number; body: unknown }> {
  const { port } = world.app.server.address() as AddressInfo
  const text = await new Promise<string>((resolve, reject) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => (received += chunk.toString()))
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) }
}

describe('what never becomes a request is answered with the envelope of every refusal', () => {
  const bad: readonly (readonly [what: string, bytes: string, status: number])[] = [
    ['no HTTP at all', 'HELLO\r\n\r\n', 400],
    ['an address of 20,000 characters', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    [
      'two lengths of one body',
      'POST /groups HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
  ]
  for (const [what, bytes, status] of bad) {
    test(what, async () => {
      const message: unknown = expect.stringMatching(/./)
      expect(await send(bytes)).toEqual({ status, body: { code: 'MALFORMED_REQUEST', message } })
    })
  }

  test('a path out of the documentation’s folder', async () => {
    const answer = await send('GET /docs/static/../../../package.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(answer).toMatchObject({ status: 400, body: { code: 'MALFORMED_REQUEST' } })
  })
})

test('a request that stops arriving is given up after a minute', () => {
  expect(world.app.server.requestTimeout).toBe(60_000)
})
