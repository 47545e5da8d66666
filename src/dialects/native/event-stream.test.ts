import { createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyReply } from 'fastify'
import { expect, it } from 'vitest'
import { mostUnread, openEventStream } from './event-stream.ts'

it('drops a reader who falls behind, and holds little more than allowed for them', async () => {
  const answered = Promise.withResolvers<ServerResponse>()
  const server = createServer((_request, response) => answered.resolve(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const reader = get(`http://127.0.0.1:${port}/`, (answer) => answer.pause())
  reader.on('error', () => {})
  const raw = await answered.promise
  const isGone = new Promise<void>((resolve) => {
    const reply = { raw, hijack: () => {}, getHeaders: () => ({}) } as unknown as FastifyReply
    const stream = openEventStream(reply, resolve)
    let most = 0
    const text = 'x'.repeat(4_096)
    const timer = setInterval(() => {
      for (let n = 0; n < 1_000 && !raw.destroyed; n++) {
        most = Math.max(most, raw.writableLength)
        stream.send('status', 'id', { text })
      }
      if (raw.destroyed) clearInterval(timer)
      expect(most).toBeLessThan(mostUnread + 8_192)
    })
  })
  await isGone
  expect(raw.destroyed).toBe(true)
  server.close()
  server.closeAllConnections()
})
