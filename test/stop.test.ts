import { connect, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { startWorld } from './helpers/world.ts'

test('while the server stops, requests in hand and what follows on their connections are still answered', async () => {
  const world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((world.app.server.address() as AddressInfo).port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString()))
  const ended = new Promise((resolve) => socket.once('close', resolve))

  const body = JSON.stringify({ name: 'last-orders' })
  const head = [
    'POST /groups HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${ada.token}`,
    `Content-Length: ${body.length}`,
  ]
  const arrived = new Promise((resolve) => world.app.server.once('request', resolve))
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`)
  await arrived
  const stopped = world.app.close()
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.write(`${body.slice(5)}GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  await Promise.all([ended, stopped])

  expect(received.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 201', 'HTTP/1.1 200'])
  expect(received.toLowerCase()).toContain('connection: close')
  await world.ctx.close()
})
