import { connect } from 'node:net'
import { Writable } from 'node:stream'
import { once } from 'node:events'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildServer } from '../src/server.ts'
import { continueTrace } from '../src/trace.ts'
import { startWorld, type Client, type World } from './helpers/world.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

let world: World
let ada: Client

beforeAll(async () => {
  world = await startWorld()
  ada = await world.person('Ada', { admin: true })
})
afterAll(() => world.close())

describe('every answer carries a traceparent', () => {
  test.each([
    ['a success', 'GET', '/roles', 200],
    ['a creation', 'POST', '/groups', 201],
    ['a refusal of the token', 'GET', '/spaces', 401],
    ['a refusal of the body', 'POST', '/spaces', 400],
    ['an unknown route', 'GET', '/no/such/route', 404],
    ['a path that is none', 'GET', '/%zz', 400],
    ['health', 'GET', '/health', 200],
    ['the description', 'GET', '/openapi.json', 200],
    ['the development sign-in', 'GET', '/dev-oidc/.well-known/openid-configuration', null],
  ] as const)('%s', async (_name, method, url, status) => {
    const authorization = status === 401 ? 'x' : `Bearer ${ada.token}`
    const payload = method === 'POST' ? { payload: { name: url === '/groups' ? 'traced' : '' } } : {}
    const headers = { authorization, traceparent: `00-${traceId}-${spanId}-01` }
    const answer = await world.app.inject({ method, url, headers, ...payload })
    if (status !== null) expect(answer.statusCode).toBe(status)
    expect(answer.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
    expect(answer.headers['traceparent']).not.toContain(spanId)
  })

  test('a call without one gets a trace of its own each time', async () => {
    const traces = await Promise.all([1, 2].map(async () => (await ada.get('/roles')).headers['traceparent']))
    for (const trace of traces) expect(trace).toMatch(form)
    expect(traces[0]).not.toBe(traces[1])
  })

  test('so does what is no HTTP', async () => {
    const address = new URL(await world.app.listen({ port: 0, host: '127.0.0.1' }))
    const socket = connect(Number(address.port), address.hostname)
    socket.write('nonsense\r\n\r\n')
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk)))
    await once(socket, 'close')
    expect(/^traceparent: (.*)$/m.exec(text)?.[1]).toMatch(form)
  })
})

describe('an incoming traceparent', () => {
  const kept = (incoming: unknown) => continueTrace(incoming).traceId === traceId

  test.each([
    ['is continued', `00-${traceId}-${spanId}-01`],
    ['is continued with other flags', `00-${traceId}-${spanId}-00`],
    ['of a later version is continued', `01-${traceId}-${spanId}-01`],
    ['of a later version may say more', `cc-${traceId}-${spanId}-01-what-will-be`],
  ])('%s', (_name, incoming) => {
    const { traceparent } = continueTrace(incoming)
    expect(kept(incoming)).toBe(true)
    expect(traceparent).toMatch(form)
    expect(traceparent.slice(-2)).toBe(incoming.split('-')[3])
  })

  test.each([
    ['of version 00 may not say more', `00-${traceId}-${spanId}-01-more`],
    ['of version ff is ignored', `ff-${traceId}-${spanId}-01`],
    ['without a trace is ignored', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['without a span is ignored', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['in capitals is ignored', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['that is too short is ignored', `00-${traceId}-${spanId.slice(1)}-01`],
    ['of a later version that runs on is ignored', `01-${traceId}-${spanId}-01x`],
    ['sent twice is ignored', `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
    ['that is empty is ignored', ''],
    ['that is absent makes a new trace', undefined],
    ['that is a list is ignored', [`00-${traceId}-${spanId}-01`]],
  ])('%s', (_name, incoming) => {
    expect(kept(incoming)).toBe(false)
    expect(continueTrace(incoming).traceparent).toMatch(form)
  })
})

test('the log line of a fault names the trace', async () => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const app = await buildServer({ ...world.ctx, log: pino({ level: 'error' }, stream) })
  app.get('/fault', () => {
    throw new Error('boom')
  })
  const headers = { traceparent: `00-${traceId}-${spanId}-01` }
  expect((await app.inject({ url: '/fault', headers })).statusCode).toBe(500)
  expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ msg: 'fault', traceId })
  await app.close()
})
