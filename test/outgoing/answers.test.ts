import { gzipSync } from 'node:zlib'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { callOut, type OutgoingCall, type OutgoingOutcome } from '../../src/outgoing/call-out.ts'
import type { Network } from '../../src/outgoing/network.ts'
import { http, saying, startListening } from '../helpers/listening.ts'
import { postTo, publicAddress, roads, strict } from '../helpers/roads.ts'

const mebibyte = 1024 * 1024

/** What comes of a call to a server that behaves like this; nothing of it is left open. */
async function callTo(serve: (socket: Socket) => void, changes: Partial<OutgoingCall> = {}): Promise<OutgoingOutcome> {
  await using server = await startListening(serve)
  const url = `http://host.example:${server.port}/`
  const outcome = await callOut(roads({ 'host.example': [publicAddress] }), strict, postTo(url, changes))
  await server.left()
  return outcome
}

function textOf(outcome: OutgoingOutcome): string | null {
  return outcome.kind === 'answered' ? outcome.body.toString() : null
}

describe('an answer', () => {
  it.each([200, 201, 204, 299, 304, 400, 404, 410, 418, 429, 500, 502, 503, 599])(
    'of status %i is one',
    async (status) => {
      const serve: RequestListener = (_, reply) => reply.writeHead(status, { 'retry-after': '1' }).end()
      expect(await callTo(http(serve))).toMatchObject({ kind: 'answered', status, isWhole: true })
    },
  )

  it('is read to its end, with a length, in chunks, or until the connection ends', async () => {
    const outcomes = [
      await callTo(saying('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello', { end: false })),
      await callTo(
        saying('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', { end: false }),
      ),
      await callTo(saying('HTTP/1.0 200 OK\r\n\r\nhello')),
    ]
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ kind: 'answered', status: 200, isWhole: true })
      expect(textOf(outcome)).toBe('hello')
    }
  })

  it('may come after interim ones (RFC 9110 §15.2)', async () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'
    expect(await callTo(saying(`${interim}HTTP/1.1 202 Accepted\r\n\r\n`))).toMatchObject({
      kind: 'answered',
      status: 202,
    })
  })

  it('of exactly 1 MiB is whole, of one byte more is cut there', async () => {
    const of = (length: number) => callTo(http((_, reply) => reply.end(Buffer.alloc(length, 'x'))))
    const [exact, longer] = [await of(mebibyte), await of(mebibyte + 1)]
    expect(exact).toMatchObject({ kind: 'answered', isWhole: true })
    expect(longer).toMatchObject({ kind: 'answered', isWhole: false })
    expect([textOf(exact)?.length, textOf(longer)?.length]).toEqual([mebibyte, mebibyte])
  })

  it('that is endless is cut at 1 MiB, and its connection closed', async () => {
    const outcome = await callTo((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const pour = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 'x')));
      }
      socket.on('drain', pour)
      pour()
    })
    expect(outcome).toMatchObject({ kind: 'answered', status: 200, isWhole: false })
  })

  it('that is compressed is kept as it came: a gzip bomb does not expand', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * mebibyte))
    let asked: string | undefined
    const outcome = await callTo(
      http((request, reply) => {
        asked = request.headers['accept-encoding']
        reply.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
      }),
    )
    expect(asked).toBe('identity')
    expect(outcome).toMatchObject({ kind: 'answered', isWhole: true })
    expect(outcome.kind === 'answered' && outcome.body.equals(bomb)).toBe(true)
  })
})

describe('a redirect', () => {
  it.each([300, 301, 302, 303, 307, 308])('of status %i is not followed, whereto it may lead', async (status) => {
    await using canary = await startListening(http((_, reply) => reply.end('inside')))
    const location = `http://127.0.0.1:${canary.port}/latest/meta-data`
    const serve: RequestListener = (_, reply) =>
      reply.writeHead(status, { location, refresh: `0; url=${location}` }).end()
    expect(await callTo(http(serve))).toMatchObject({ kind: 'answered', status })
    expect(canary.connections).toBe(0)
  })
})

describe('no answer', () => {
  const head = 'HTTP/1.1 200 OK\r\n'

  it.each<[string, (socket: Socket) => void]>([
    ['the connection is reset', (socket) => socket.once('data', () => socket.resetAndDestroy())],
    ['the connection is reset at once', (socket) => socket.resetAndDestroy()],
    ['the connection is closed at once', (socket) => socket.end()],
    ['the connection is closed before the head is there', saying(head)],
    ['the connection is closed before the length is there', saying(`${head}content-length: 10\r\n\r\nhello`)],
    ['the connection is closed within the chunks', saying(`${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`)],
    [
      'it is reset within the body',
      (socket) => {
        socket.write(`${head}content-length: 10\r\n\r\nhello`, () => setTimeout(() => socket.resetAndDestroy(), 20))
      },
    ],
    ['it is not HTTP', saying('SSH-2.0-OpenSSH_9.6\r\n')],
    ['it is bytes', saying(Buffer.from([0, 255, 1, 254, 10, 13, 10, 13]))],
    ['it is HTTP/2', saying(Buffer.from([0, 0, 18, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]))],
    ['a chunk has no length', saying(`${head}transfer-encoding: chunked\r\n\r\nhello\r\n`)],
    ['it has two lengths', saying(`${head}content-length: 1\r\ncontent-length: 2\r\n\r\nab`)],
    ['it has a length and chunks', saying(`${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`)],
    ['a header has no name', saying(`${head}: x\r\n\r\n`)],
    ['a header has a NUL', saying(`${head}x: \0\r\n\r\n`)],
    ['a header is 64 KiB long', saying(`${head}x: ${'x'.repeat(65_536)}\r\n\r\n`)],
    ['it has 10,000 headers', saying(`${head}${'x: y\r\n'.repeat(10_000)}\r\n`)],
    [
      'it has 10,000 trailers',
      saying(`${head}transfer-encoding: chunked\r\n\r\n0\r\n${'x: y\r\n'.repeat(10_000)}\r\n`),
    ],
    [
      'it changes to another protocol',
      saying(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`, { end: false }),
    ],
    ['it changes to no protocol', saying(`HTTP/1.1 101 Switching Protocols\r\n\r\n`)],
    ['it is only an interim one', saying('HTTP/1.1 100 Continue\r\n\r\n')],
    ['it is many interim ones', saying('HTTP/1.1 102 Processing\r\n\r\n'.repeat(11) + 'HTTP/1.1 200 OK\r\n\r\n')],
  ])('has come when %s', async (_, serve) => {
    const outcome = await callTo(serve)
    expect(outcome).toMatchObject({ kind: 'failed' })
    expect(outcome.kind === 'failed' && outcome.reason).toMatch(/^[^\r\n]*host\.example [^\r\n]*\.$/)
  })

  it.each<[string, (socket: Socket) => void]>([
    ['says nothing', () => {}],
    ['reads nothing', (socket) => socket.pause()],
    ['says its head byte by byte', (socket) => drip(socket, `${head}x: ${'y'.repeat(10_000)}`)],
    [
      'says its body byte by byte',
      (socket) => drip(socket, 'y'.repeat(10_000), `${head}content-length: 10000\r\n\r\n`),
    ],
    [
      'says its body in endless chunks',
      (socket) => drip(socket, '1\r\ny\r\n'.repeat(10_000), `${head}transfer-encoding: chunked\r\n\r\n`),
    ],
    ['has said its head', saying(`${head}content-length: 10\r\n\r\n`, { end: false })],
    ['has said that it goes on', saying('HTTP/1.1 100 Continue\r\n\r\n', { end: false })],
    ['waits before its end', saying(`${head}\r\nhello`, { end: false })],
  ])('is awaited past its time when the server %s', async (_, serve) => {
    const started = performance.now()
    const outcome = await callTo(
      (socket) => {
        serve(socket)
      },
      { timeoutMilliseconds: 200, body: 'x'.repeat(mebibyte) },
    )
    expect(outcome).toEqual({ kind: 'failed', reason: 'No whole answer came within 0.2 s.' })
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

/** Says `start` at once and `text` a byte at a time, one every 5 ms. */
function drip(socket: Socket, text: string, start = ''): void {
  socket.write(start)
  let said = 0
  const timer = setInterval(() => socket.write(text[said++] ?? ''), 5)
  socket.on('close', () => clearInterval(timer))
}

it('names no secret of the call in a reason', async () => {
  const serves = [saying('garbage\r\n'), (socket: Socket) => socket.resetAndDestroy(), () => {}]
  for (const serve of serves) {
    await using server = await startListening(serve)
    for (const [host, secret] of [
      ['host.example', 'hidden'],
      ['10.0.0.1', 'hidden'],
      ['no.example', 'hidden'],
    ]) {
      const url = `http://${secret}:${secret}@${host}:${server.port}/${secret}?${secret}#${secret}`
      const headers = { authorization: `Bearer ${secret}`, 'x-key': String(secret) }
      const call = postTo(url, { headers, body: String(secret), timeoutMilliseconds: 100 })
      const outcome = await callOut(roads({ 'host.example': [publicAddress] }), strict, call)
      expect(outcome.kind).not.toBe('answered')
      expect(JSON.stringify(outcome)).not.toContain(secret)
    }
  }
})

it('gives of an error its code alone, and not what only looks like one', async () => {
  const network = (code: string): Network => ({
    ...roads({ 'host.example': [publicAddress] }),
    dial: () => {
      throw Object.assign(new Error('hidden'), { code })
    },
  })
  const reasonOf = async (code: string) => await callOut(network(code), strict, postTo('http://host.example/'))
  expect(await reasonOf('EACCES')).toMatchObject({ reason: 'host.example could not be reached: EACCES.' })
  expect(await reasonOf('a header: hidden')).toMatchObject({ reason: 'host.example could not be reached: unknown.' })
})

it('an error of the connection after the call harms nobody', async () => {
  await using server = await startListening(http((_, reply) => reply.end()))
  const network = roads({ 'host.example': [publicAddress] })
  const sockets: Duplex[] = []
  const dial: Network['dial'] = (...args) => {
    const socket = network.dial(...args)
    sockets.push(socket)
    return socket
  }
  await callOut({ ...network, dial }, strict, postTo(`http://host.example:${server.port}/`))
  await callOut({ ...network, dial }, strict, postTo('http://host.example:1/'))
  expect(sockets).toHaveLength(2)
  for (const socket of sockets) expect(() => socket.emit('error', new Error('late'))).not.toThrow()
})
