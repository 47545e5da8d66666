import { once } from 'node:events'
import { createServer, get, type ClientRequest, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyReply } from 'fastify'
import { afterEach, expect, it } from 'vitest'
import { mostUnread, openEventStream } from './event-stream.ts'

let server: Server

afterEach(() => {
  server.close()
  server.closeAllConnections()
})

/** A call whose reader reads nothing, and its answer that nothing was written to yet. */
async function unread(): Promise<{ reader: ClientRequest; raw: ServerResponse; reply: FastifyReply }> {
  const answered = Promise.withResolvers<ServerResponse>()
  server = createServer((_request, response) => answered.resolve(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const reader = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, (answer) => answer.pause())
  reader.on('error', () => {})
  const raw = await answered.promise
  return { reader, raw, reply: { raw, hijack: () => {}, getHeaders: () => ({}) } as unknown as FastifyReply }
}

it('drops a reader who falls behind, and holds little more than allowed for them', async () => {
  const { raw, reply } = await unread()
  const gone = Promise.withResolvers<void>()
  const stream = openEventStream(reply, gone.resolve)
  const text = 'x'.repeat(4_096)
  let most = 0
  const timer = setInterval(() => {
    // Nobody tells who writes that the reader has been dropped.
    for (let n = 0; n < 1_000; n++) {
      most = Math.max(most, raw.writableLength)
      stream.send('status', 'id', { text })
    }
  })
  await gone.promise
  clearInterval(timer)
  expect(raw.destroyed).toBe(true)
  expect(most).toBeLessThan(mostUnread + 8_192)
})

it('notices a reader who had left before it was opened', async () => {
  const { reader, raw, reply } = await unread()
  reader.destroy()
  await once(raw, 'close')
  let isGone = false
  openEventStream(reply, () => (isGone = true)).comment()
  expect(isGone).toBe(true)
})
