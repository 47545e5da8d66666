import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { systemNetwork, type Network } from '../../src/outgoing/network.ts'
import { certificate, certificateKey } from './certificate.ts'

export interface SunkCall {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Names as they were written, each time they stood. */
  readonly headerNames: readonly string[]
  readonly body: string
}

/** A receiver of calls, and a network on which every public name leads to it, whatever port is dialled. */
export interface HttpSink extends AsyncDisposable {
  readonly port: number
  readonly calls: SunkCall[]
  readonly network: Network
}

export type SinkAnswer = (response: ServerResponse) => void

/** Answers 200 and no body, or what `answer` says. */
export async function startHttpSink(
  answer: (...sunk: [ServerResponse, SunkCall]) => void = (response) => response.end(),
  isTls = false,
): Promise<HttpSink> {
  const calls: SunkCall[] = []
  const server = isTls ? createHttpsServer({ key: certificateKey, cert: certificate }) : createHttpServer()
  server.on('request', async (request, response) => {
    const { method = '', url = '', headers, rawHeaders } = request
    const headerNames = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
    // Who hangs up in the middle of a call has not called.
    const body = await text(request).catch(() => null)
    if (body === null) return
    const call = { method, url, headers, headerNames, body }
    calls.push(call)
    answer(response, call)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    calls,
    network: {
      resolve: () => Promise.resolve([{ address: '93.184.215.14', family: 4 }]),
      dial: (options, tls) => systemNetwork.dial({ ...options, host: '127.0.0.1', port, ca: certificate }, tls),
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
