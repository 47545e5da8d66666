import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Network } from '../../src/outgoing/network.ts'
import { http, startListening } from './listening.ts'
import { publicAddress, roads } from './roads.ts'

export interface SunkCall {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** In lower case, each time that one stood. */
  readonly headerNames: readonly string[]
  readonly body: string
}

/** A receiver of calls, with TLS unless told otherwise, and a network on which every port of hooks.example and hooks.slack.com leads to it. */
export interface HttpSink extends AsyncDisposable {
  readonly port: number
  readonly calls: SunkCall[]
  readonly network: Network
}

export type SinkAnswer = (response: ServerResponse, call: SunkCall) => void

/** Answers 200 and no body, or what `answer` says. */
export async function startHttpSink(answer: SinkAnswer = (response) => response.end(), tls = true): Promise<HttpSink> {
  const calls: SunkCall[] = []
  const serve = http((request, response) => {
    void sunk(request).then((call) => {
      // Who hangs up in the middle of a call has not called.
      if (call === null) return
      calls.push(call)
      answer(response, call)
    })
  })
  const sink = await startListening(serve, { tls })
  return {
    port: sink.port,
    calls,
    network: leadingTo(sink.port),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
}

/** Public names of receivers, all on this port of this machine. */
export function leadingTo(port: number): Network {
  const network = roads({ 'hooks.example': [publicAddress], 'hooks.slack.com': [publicAddress] })
  return { ...network, dial: (options, isTls) => network.dial({ ...options, port }, isTls) }
}

async function sunk(request: IncomingMessage): Promise<SunkCall | null> {
  const { method = '', url = '', headers, rawHeaders } = request
  const headerNames = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  const body = await text(request).catch(() => null)
  return body === null ? null : { method, url, headers, headerNames, body }
}
