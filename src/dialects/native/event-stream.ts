import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** Bytes that may wait for a reader, beyond what the operating system holds: one who is further behind is dropped. */
export const mostUnread = 16 * 1024

/** An answer of server-sent events (WHATWG HTML section 9.2). */
export interface EventStream {
  /** @param id without a line break */
  send(event: string, id: string, data: object): void
  /** As `send`, and ends. */
  sendLast(event: string, id: string, data: object): void
  /** A line that clients ignore: it keeps proxies from taking the connection for dead, and finds out whether it is. */
  comment(): void
  end(): void
}

/** Turns an answer into a stream, with every header that hooks have given it. From here on Fastify is out of it. */
export function openEventStream(reply: FastifyReply, gone: () => void): EventStream {
  reply.hijack()
  const { raw } = reply
  raw.once('close', gone)
  // The client may have left before we began to listen for it.
  if (raw.destroyed) gone()
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // Whatever ends the stream, a server that stops among them, is not held up by a connection that nobody uses.
    connection: 'close',
  })
  return {
    send: (event, id, data) => write(raw, eventText(event, id, data)),
    sendLast: (event, id, data) => void raw.end(eventText(event, id, data)),
    comment: () => write(raw, ':\n\n'),
    end: () => void raw.end(),
  }
}

function eventText(event: string, id: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

function write(raw: ServerResponse, text: string): void {
  if (raw.writableLength > mostUnread) raw.destroy()
  else raw.write(text)
}
