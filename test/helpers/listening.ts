import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { certificate, certificateKey } from './certificate.ts'

/** A server on a real port that says who came. */
export interface Listening extends AsyncDisposable {
  readonly port: number
  /** Connections so far, also those on which nothing was said. */
  readonly connections: number
  /** Once whoever connected has closed every connection. */
  left(): Promise<void>
}

export interface ListeningOptions {
  readonly host?: string
  readonly port?: number
  readonly tls?: boolean
}

/** Hands each connection to `serve`; what goes wrong on one ends that one. */
export async function startListening(
  serve: (socket: Socket) => void,
  { host = '127.0.0.1', port = 0, tls = false }: ListeningOptions = {},
): Promise<Listening> {
  const open = new Set<Socket>()
  let connections = 0
  const server = tls ? createTlsServer({ key: certificateKey, cert: certificate }, serve) : createTcpServer(serve)
  server.on('connection', (socket: Socket) => {
    connections += 1
    open.add(socket.on('error', () => {}).on('close', () => open.delete(socket)))
  })
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}))
  await once(server.listen(port, host), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    async left() {
      // What is not read does not see its end.
      await Promise.all([...open].map((socket) => new Promise((resolve) => socket.resume().on('close', resolve))))
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Serves HTTP to a connection. */
export function http(listener: RequestListener): (socket: Socket) => void {
  const server = createHttpServer(listener)
  return (socket) => server.emit('connection', socket)
}

/** Says this, whatever is asked, once the head of the request is there; then, unless `end` is false, closes. */
export function saying(text: string | Buffer, { end = true } = {}): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(text)
      if (end) socket.end()
    })
  }
}
