import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { callOut, type OutgoingCall } from '../../src/outgoing/call-out.ts'
import { http, startListening } from '../helpers/listening.ts'
import { postTo, publicAddress, roads, strict } from '../helpers/roads.ts'

interface Received {
  readonly port: number
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** What a server is sent, and what comes of the call. `PORT` in the address is the server's. */
async function sent(address: string, changes: Partial<OutgoingCall> = {}) {
  const received: Received[] = []
  await using server = await startListening(
    http((request, reply) => {
      void buffer(request).then((body) => {
        const { method, url: path, headers } = request
        received.push({ port: server.port, method, path, headers, body: body.toString() })
        reply.end()
      })
    }),
  )
  const network = roads({
    'host.example': [publicAddress],
    'host.example.': [publicAddress],
    'xn--hst-sna.example': [publicAddress],
  })
  const url = address.replace('PORT', String(server.port))
  const outcome = await callOut(network, strict, postTo(url, changes))
  return {
    outcome,
    request: received[0],
    requests: received.length,
    connections: server.connections,
    port: server.port,
  }
}

describe('a call', () => {
  it('is one request with its method, path, query, headers and body, for the host named', async () => {
    const { request, requests, port } = await sent('http://host.example:PORT/a%20b/../c?d=%2F&e', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'X-Own': 'mine \u00e9' },
      body: '{"ü":1}',
    })
    expect(requests).toBe(1)
    expect(request).toMatchObject({ method: 'PUT', path: '/c?d=%2F&e', body: '{"ü":1}' })
    expect(request?.headers).toEqual({
      'content-type': 'application/json',
      'x-own': 'mine \u00e9',
      host: `host.example:${port}`,
      connection: 'close',
      'accept-encoding': 'identity',
      'content-length': '8',
    })
  })

  it('has a length with and without a body, unless it is a GET without', async () => {
    const lengthOf = async (method: OutgoingCall['method'], body: string | null) =>
      (await sent('http://host.example:PORT/', { method, body })).request?.headers['content-length']
    expect(await lengthOf('POST', null)).toBe('0')
    expect(await lengthOf('GET', null)).toBeUndefined()
    const { request } = await sent('http://host.example:PORT/', { method: 'GET', body: '{}' })
    expect(request).toMatchObject({ method: 'GET', body: '{}', headers: { 'content-length': '2' } })
  })

  it('leaves the fragment at home', async () => {
    const { request } = await sent('http://host.example:PORT/a#secret')
    expect(request?.path).toBe('/a')
    expect(JSON.stringify(request)).not.toContain('secret')
  })

  it('asks for a name as it is written to DNS, also where the URL is not', async () => {
    const { request, port } = await sent('http://HÖST.example:PORT/')
    expect(request?.headers.host).toBe(`xn--hst-sna.example:${port}`)
  })

  it('may send 1 MiB, and not a byte more', async () => {
    const body = 'x'.repeat(1024 * 1024 - 2)
    expect((await sent('http://host.example:PORT/', { body: `${body}é` })).outcome).toMatchObject({ kind: 'answered' })
    const { outcome, connections } = await sent('http://host.example:PORT/', { body: `${body}xé` })
    expect(outcome).toEqual({ kind: 'refused', reason: 'The body to be sent is longer than 1 MiB.' })
    expect(connections).toBe(0)
  })
})

describe('a user in the URL', () => {
  const authorizationOf = async (user: string, headers = {}) =>
    (await sent(`http://${user}@host.example:PORT/`, { headers })).request?.headers.authorization

  it.each([
    ['ada:s3cret', 'ada:s3cret'],
    ['ada', 'ada:'],
    [':s3cret', ':s3cret'],
    ['a%40da:s%3A%C3%BC', 'a@da:s:ü'],
  ])('%s is sent as Basic authorization', async (user, pair) => {
    expect(await authorizationOf(user)).toBe(`Basic ${Buffer.from(pair).toString('base64')}`)
  })

  it('gives way to the authorization among the headers', async () => {
    expect(await authorizationOf('ada:s3cret', { AUTHORIZATION: 'Bearer x' })).toBe('Bearer x')
  })

  it('that cannot be decoded is refused', async () => {
    const { outcome, connections } = await sent('http://ada%FF:x@host.example:PORT/')
    expect(outcome).toEqual({ kind: 'refused', reason: 'The user or password of the URL is not valid.' })
    expect(connections).toBe(0)
  })
})

describe('headers', () => {
  it.each([
    ['Host', 'inside.example'],
    ['Content-Length', '0'],
    ['Transfer-Encoding', 'chunked'],
    ['Connection', 'keep-alive, x-own'],
    ['Keep-Alive', 'timeout=100'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAMAAABkAAQAoAAAAAIAAAAA'],
    ['TE', 'trailers'],
    ['Trailer', 'x-own'],
    ['Expect', '100-continue'],
    ['Proxy-Authorization', 'Basic eDp5'],
    ['Proxy-Connection', 'keep-alive'],
    ['PROXY-ANYTHING', 'x'],
    ['Accept-Encoding', 'gzip'],
  ])('%s is not the user’s to say, in any case', async (name, value) => {
    for (const call of [
      { method: 'POST', body: '{}' },
      { method: 'GET', body: null },
    ] as const) {
      const plain = await sent('http://host.example:PORT/', call)
      for (const written of [name, name.toLowerCase(), name.toUpperCase()]) {
        const headers = { [written]: value }
        const { request, outcome } = await sent('http://host.example:PORT/', { ...call, headers })
        expect(outcome).toMatchObject({ kind: 'answered', status: 200 })
        expect({ ...request?.headers, host: '' }).toEqual({ ...plain.request?.headers, host: '' })
        expect(request?.headers.host).toBe(`host.example:${request?.port}`)
        expect(request?.body).toBe(call.body ?? '')
      }
    }
  })

  it.each([
    ['X-Own', 'a\r\nX-Other: b'],
    ['X-Own', 'a\nb'],
    ['X-Own', 'a\rb'],
    ['X-Own', 'a\0b'],
    ['X-Own', 'a\x7fb'],
    ['X-Own', '→'],
    ['X Own', 'a'],
    ['X-Own:', 'a'],
    ['X-Own\r\n', 'a'],
    ['Ü', 'a'],
    ['', 'a'],
    ['Host', 'a\r\nb: c'],
  ])('%j: %j is refused', async (name, value) => {
    const { outcome, connections } = await sent('http://host.example:PORT/', { headers: { [name]: value } })
    expect(outcome).toEqual({ kind: 'refused', reason: 'A header to be sent is not valid.' })
    expect(connections).toBe(0)
  })

  it('named like what objects inherit are sent', async () => {
    const headers = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>
    const { request } = await sent('http://host.example:PORT/', { headers })
    expect(Object.entries(request?.headers ?? {})).toContainEqual(['constructor', 'b'])
  })
})

describe('a URL', () => {
  it.each([
    ['ftp://host.example/', 'The URL is neither http nor https.'],
    ['file:///etc/passwd', 'The URL is neither http nor https.'],
    ['unix:/run/some.sock', 'The URL is neither http nor https.'],
    ['host.example', 'The URL is not valid.'],
    ['', 'The URL is not valid.'],
    ['http://host.example:65536/', 'The URL is not valid.'],
    ['http://host.example:0/', 'The URL has port 0.'],
    [
      `http://${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}/`,
      'The host name of the URL is too long.',
    ],
  ])('%s is refused', async (url, reason) => {
    const network = roads({ 'host.example': [publicAddress] })
    expect(await callOut(network, strict, postTo(url))).toEqual({ kind: 'refused', reason })
    expect([...network.asked, ...network.dialled]).toEqual([])
  })

  it.each([
    ['http', 80],
    ['https', 443],
  ])('%s without a port means port %i', async (scheme, port) => {
    const ports: unknown[] = []
    const network = roads({ 'host.example': [publicAddress] })
    const dial: typeof network.dial = (options) => {
      ports.push(options.port)
      throw Object.assign(new Error('no'), { code: 'EACCES' })
    }
    expect(await callOut({ ...network, dial }, strict, postTo(`${scheme}://host.example/`))).toEqual({
      kind: 'failed',
      reason: 'host.example could not be reached: EACCES.',
    })
    expect(ports).toEqual([port])
  })
})
