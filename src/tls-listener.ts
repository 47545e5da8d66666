import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { readTlsFiles, type TlsConfig } from './config/tls.ts'
import type { Ctx } from './context.ts'

/** A second way in to the same routes. */
export interface TlsListener {
  readonly port: number
  /** Reads certificate and key again, for connections from now on; the old ones stay when the new ones are not good. */
  reload(): void
  /** Takes no more connections, and resolves when what is in hand is answered. */
  close(): Promise<void>
}

/** TLS 1.2 is the oldest that is spoken. @throws Error of the socket when it cannot listen */
export async function listenTls(app: FastifyInstance, { config, log }: Ctx, tls: TlsConfig): Promise<TlsListener> {
  await app.ready()
  const limits = { requestTimeout: app.server.requestTimeout, keepAliveTimeout: app.server.keepAliveTimeout }
  const options = { ...readTlsFiles(tls), ...limits, minVersion: 'TLSv1.2' } as const
  const server = createServer(options, (request, response) => app.routing(request, response))
  // What never becomes a request is answered as on the plain listener.
  const [answerUnreadable] = app.server.listeners('clientError')
  if (answerUnreadable !== undefined) server.on('clientError', answerUnreadable as () => void)
  server.listen(tls.port, config.host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    reload() {
      try {
        server.setSecureContext({ ...readTlsFiles(tls), minVersion: 'TLSv1.2' })
        log.info({ file: tls.certFile }, 'certificate read again')
      } catch (error) {
        log.error({ err: error }, 'the new certificate is not good; the old one stays')
      }
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      await closed
    },
  }
}
