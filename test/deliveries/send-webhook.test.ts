import { createHmac } from 'node:crypto'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { WebhookAction } from '../../src/approvals/actions.ts'
import { deliveryConfig } from '../../src/config/delivery.ts'
import type { RawEnv } from '../../src/config/env.ts'
import type { KeptResponse, Occurrence } from '../../src/deliveries/attempt.ts'
import { performAttempt } from '../../src/deliveries/perform.ts'
import { signWebhook } from '../../src/deliveries/sign-webhook.ts'
import { hostileNames, requestId, taskId, taskOf } from '../helpers/deliveries.ts'
import { startHttpSink, type HttpSink, type SinkAnswer } from '../helpers/http-sink.ts'

const url = 'https://hooks.example/in?token=s3cret'
const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const now = new Date('2026-03-01T12:00:05.900Z')

interface Settings {
  readonly action?: Partial<WebhookAction>
  readonly occurrence?: Partial<Occurrence>
  readonly env?: RawEnv
  readonly signingKeys?: readonly Buffer[]
}

async function attempt({ network }: Pick<HttpSink, 'network'>, settings: Settings = {}) {
  const { action, occurrence, env = {}, signingKeys = keys } = settings
  const means = { network, config: deliveryConfig(env), signingKeys, now: () => now }
  return await performAttempt(means, taskOf({ type: 'WEBHOOK', url, method: 'POST', ...action }, occurrence))
}

/** What a receiver that gives this answer makes of an attempt. */
async function answered(answer: SinkAnswer, env: RawEnv = {}) {
  await using sink = await startHttpSink(answer)
  return await attempt(sink, { env })
}

function signature(key: Buffer, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${taskId}.1772366405.${body}`).digest('base64')}`
}

describe('what is sent', () => {
  it.each(['POST', 'PUT'] as const)(
    'is the JSON of the contract with %s, and the headers that say what it is',
    async (method) => {
      await using sink = await startHttpSink()
      const outcome = await attempt(sink, { action: { method, headers: { 'X-Team': 'payments' } } })
      expect(outcome).toEqual({ kind: 'sent', response: { status: 200, body: null, bodyState: 'MISSING' } })
      expect(sink.calls).toMatchObject([{ method, url: '/in?token=s3cret' }])
      const { body = '', headers } = sink.calls[0] ?? {}
      expect(body).toBe(
        `{"workflowId":"${requestId}","workflowName":"release-2-1","status":"APPROVED","occurredAt":"2026-03-01T12:00:00.000Z"}`,
      )
      expect(headers).toEqual({
        host: 'hooks.example',
        connection: 'close',
        'accept-encoding': 'identity',
        'content-length': String(body.length),
        'content-type': 'application/json',
        'user-agent': 'Quorate',
        'x-team': 'payments',
        'idempotency-key': taskId,
        'webhook-id': taskId,
        'webhook-timestamp': '1772366405',
        'webhook-signature': keys.map((key) => signature(key, body)).join(' '),
      })
    },
  )

  it('has no body with GET, and a signature of none', async () => {
    await using sink = await startHttpSink()
    await attempt(sink, { action: { method: 'GET' } })
    expect(sink.calls).toMatchObject([{ method: 'GET', body: '' }])
    const { headers } = sink.calls[0] ?? {}
    expect(headers).not.toHaveProperty('content-type')
    expect(headers).toHaveProperty('webhook-signature', keys.map((key) => signature(key, '')).join(' '))
  })

  it('has no signature where there is no key', async () => {
    await using sink = await startHttpSink()
    await attempt(sink, { signingKeys: [] })
    expect(sink.calls[0]?.headers).not.toHaveProperty('webhook-signature')
    expect(sink.calls[0]?.headers).toHaveProperty('webhook-id', taskId)
  })

  it('is marked when it is a sample', async () => {
    await using sink = await startHttpSink()
    await attempt(sink, { occurrence: { isTest: true } })
    expect(JSON.parse(sink.calls[0]?.body ?? '')).toHaveProperty('test', true)
  })

  const ownNames = [
    'idempotency-key',
    'content-type',
    'user-agent',
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
  ]

  it.each([
    'Idempotency-Key',
    'idempotency-key',
    'CONTENT-TYPE',
    'User-Agent',
    'Webhook-Id',
    'webhook-TIMESTAMP',
    'WebHook-Signature',
  ])('has a %s that nobody else can give, or none', async (name) => {
    await using sink = await startHttpSink()
    const headers = { [name]: 'forged' }
    await attempt(sink, { action: { headers } })
    await attempt(sink, { action: { headers, method: 'GET' }, signingKeys: [] })
    for (const call of sink.calls) expect(call.headers[name.toLowerCase()] ?? '').not.toContain('forged')
    expect(sink.calls[0]?.headerNames.filter((each) => each === name.toLowerCase())).toHaveLength(1)
  })

  it.each(hostileNames.map((name) => [JSON.stringify(name).slice(0, 60), name] as const))(
    'holds the name %s in its body alone, and is signed with it',
    async (_, requestName) => {
      await using sink = await startHttpSink()
      await attempt(sink, { occurrence: { requestName }, signingKeys: keys.slice(0, 1) })
      const { body = '', headers = {}, headerNames } = sink.calls[0] ?? {}
      expect(JSON.parse(body)).toHaveProperty('workflowName', requestName)
      expect(headers['webhook-signature']).toBe(signature(Buffer.alloc(32, 1), body))
      expect(headerNames?.toSorted()).toEqual(
        [...ownNames, 'accept-encoding', 'connection', 'content-length', 'host'].toSorted(),
      )
    },
  )
})

it('a signature is the one of the test vector of Standard Webhooks', () => {
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
  const signed = signWebhook(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')
  expect(signed).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

describe('what an answer means', () => {
  it.each([200, 201, 202, 204, 299])('%i: it was sent', async (status) => {
    expect(await answered((response) => response.writeHead(status).end())).toMatchObject({
      kind: 'sent',
      response: { status },
    })
  })

  it.each([
    [301, false],
    [302, false],
    [304, false],
    [307, false],
    [400, false],
    [401, false],
    [404, false],
    [408, false],
    [410, false],
    [422, false],
    [429, true],
    [500, true],
    [502, true],
    [503, true],
    [504, true],
    [599, true],
  ])('%i: it was not; worth another try: %s', async (status, isTransient) => {
    const outcome = await answered((response) =>
      response.writeHead(status, { location: 'https://elsewhere.example/' }).end(),
    )
    expect(outcome).toMatchObject({ kind: 'failed', reason: `hooks.example answered ${status}.`, isTransient })
    expect(outcome.response).toMatchObject({ status })
  })

  it('none within the limit: it may come another time', async () => {
    const outcome = await answered(() => {}, { QUORATE_WEBHOOK_TIMEOUT: '0.3' })
    expect(outcome).toMatchObject({ kind: 'failed', isTransient: true, response: null })
    expect(outcome).toHaveProperty('reason', expect.stringContaining('0.3 s'))
  })

  it('a connection that breaks: it may come another time', async () => {
    expect(await answered((response) => response.destroy())).toMatchObject({
      kind: 'failed',
      isTransient: true,
      response: null,
    })
  })

  it('a forbidden address: it never will', async () => {
    await using sink = await startHttpSink()
    const network = { ...sink.network, resolve: () => Promise.resolve([{ address: '10.0.0.1', family: 4 }]) }
    expect(await attempt({ network })).toMatchObject({ kind: 'failed', isTransient: false, response: null })
    expect(sink.calls).toEqual([])
  })

  it('a name that has no address: it may have one another time', async () => {
    const network = { resolve: () => Promise.reject(new Error('none')), dial: () => expect.fail('dialled') }
    expect(await attempt({ network })).toMatchObject({ kind: 'failed', isTransient: true, response: null })
  })
})

describe('what is kept of an answer', () => {
  const rocket = '\u{1f680}'
  it.each<[string, Buffer | string, Pick<KeptResponse, 'body' | 'bodyState'>]>([
    ['nothing', '', { body: null, bodyState: 'MISSING' }],
    ['a text', 'ok\r\n\tä', { body: 'ok\r\n\tä', bodyState: 'OK' }],
    ['10,000 characters', 'x'.repeat(10_000), { body: 'x'.repeat(10_000), bodyState: 'OK' }],
    ['10,001 characters', 'x'.repeat(10_001), { body: 'x'.repeat(10_000), bodyState: 'TRUNCATED' }],
    [
      'a character across the cut',
      `${'x'.repeat(9_999)}${rocket}`,
      { body: 'x'.repeat(9_999), bodyState: 'TRUNCATED' },
    ],
    [
      'a character up to the cut',
      `${'x'.repeat(9_998)}${rocket}y`,
      { body: `${'x'.repeat(9_998)}${rocket}`, bodyState: 'TRUNCATED' },
    ],
    ['more than 1 MiB', 'x'.repeat(2 ** 20 + 1), { body: 'x'.repeat(10_000), bodyState: 'TRUNCATED' }],
    [
      'more than 1 MiB, a character across its end',
      `x${'ä'.repeat(2 ** 19)}`,
      { body: `x${'ä'.repeat(9_999)}`, bodyState: 'TRUNCATED' },
    ],
    ['no UTF-8', Buffer.from([0x6f, 0x6b, 0xff]), { body: null, bodyState: 'BINARY_DATA' }],
    ['UTF-8 that breaks off', Buffer.from([0x6f, 0x6b, 0xc3]), { body: null, bodyState: 'BINARY_DATA' }],
    [
      'no UTF-8 past what is kept',
      Buffer.concat([Buffer.alloc(10_001, 'x'), Buffer.from([0xff])]),
      { body: null, bodyState: 'BINARY_DATA' },
    ],
    ['a NUL, which no text column takes', 'o\0k', { body: null, bodyState: 'BINARY_DATA' }],
    ['a control character', 'o\u0001k', { body: null, bodyState: 'BINARY_DATA' }],
    ['gzip', gzipSync('{"ok":true}'), { body: null, bodyState: 'BINARY_DATA' }],
    ['a deflated text', deflateSync('{"ok":true}'), { body: null, bodyState: 'BINARY_DATA' }],
    ['a raw deflated text', deflateRawSync('{"ok":true}'), { body: null, bodyState: 'BINARY_DATA' }],
    ['Brotli', brotliCompressSync('{"ok":true}'), { body: null, bodyState: 'BINARY_DATA' }],
  ])('%s', async (_, body, kept) => {
    for (const status of [200, 500]) {
      const { response } = await answered((response) => response.writeHead(status).end(body))
      expect(response).toEqual({ status, ...kept })
    }
  })
})

describe('a reason holds no secret', () => {
  const secret = 's3cret'
  const action = {
    url: `https://${secret}-user:${secret}-password@hooks.example/${secret}-path?token=${secret}`,
    headers: { Authorization: `Bearer ${secret}`, 'X-Key': secret },
  }

  it.each<[string, SinkAnswer]>([
    ['an error', (response) => response.writeHead(503).end()],
    ['a broken connection', (response) => response.destroy()],
    ['no answer', () => {}],
  ])('of the URL or the headers after %s', async (_, answer) => {
    await using sink = await startHttpSink(answer)
    const outcome = await attempt(sink, { action, env: { QUORATE_WEBHOOK_TIMEOUT: '0.3' } })
    expect(sink.calls).toHaveLength(1)
    expect(outcome.kind).toBe('failed')
    expect(JSON.stringify(outcome)).not.toContain(secret)
  })

  it('when what nobody foresaw happens, and that is a failed attempt like others', async () => {
    const config = deliveryConfig({})
    const now = () => {
      throw new TypeError(`no clock at ${action.url}`)
    }
    const network = { resolve: () => expect.fail(), dial: () => expect.fail() }
    const task = taskOf({ type: 'WEBHOOK', method: 'POST', ...action })
    expect(await performAttempt({ network, config, signingKeys: keys, now }, task)).toEqual({
      kind: 'failed',
      reason: 'The attempt broke off (TypeError).',
      isTransient: true,
      response: null,
    })
  })
})
