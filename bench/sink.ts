import { Server as HttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { freePort } from '../test/helpers/free-port.ts'
import { converse } from '../test/helpers/mail-peer.ts'

/** What a receiver does with who calls it: serves, takes no connection, keeps it for 30 s first, or resets it. */
export type Mood = 'healthy' | 'down' | 'slow' | 'resetting'
export type Protocol = 'http' | 'smtp'

/** A receiver of calls, one a connection, on a port that stays the same. */
export interface Sink extends AsyncDisposable {
  readonly port: number
  /** When each connection came, by `performance.now()`. */
  readonly arrivals: number[]
  become(mood: Mood): Promise<void>
}

const slowMilliseconds = 30_000

/** @param hear is told of the task that each HTTP call is about */
export async function startSink(protocol: Protocol, hear: (taskId: string) => void = () => {}): Promise<Sink> {
  const port = await freePort()
  const arrivals: number[] = []
  const sockets = new Set<Socket>()
  const serve = protocol === 'smtp' ? (socket: Socket) => converse(socket, null, 'hang') : httpAnswer(hear)
  let mood: Mood = 'down'
  let server: Server | null = null
  const listen = async () => {
    const listener = createServer((socket) => {
      arrivals.push(performance.now())
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket)).on('error', () => {})
      if (mood === 'resetting') socket.resetAndDestroy()
      else if (mood === 'slow') setTimeout(() => serve(socket), slowMilliseconds).unref()
      else serve(socket)
    })
    await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', 512, resolve))
    server = listener
  }
  const close = async () => {
    const closing = server
    server = null
    if (closing === null) return
    const closed = new Promise((resolve) => closing.close(resolve))
    for (const socket of sockets) socket.resetAndDestroy()
    await closed
  }
  const become = async (next: Mood) => {
    mood = next
    if (next === 'down') await close()
    else if (server === null) await listen()
  }
  await become('healthy')
  return { port, arrivals, become, [Symbol.asyncDispose]: close }
}

/** An HTTP server that listens nowhere and is handed its connections. */
function httpAnswer(hear: (taskId: string) => void): (socket: Socket) => void {
  const server = new HttpServer((request, response) => {
    hear(String(request.headers['idempotency-key']))
    request.resume()
    response.end('thanks')
  })
  return (socket) => void server.emit('connection', socket)
}
