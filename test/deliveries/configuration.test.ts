import { describe, expect, it } from 'vitest'
import { deliveryConfig } from '../../src/config/delivery.ts'
import type { RawEnv } from '../../src/config/env.ts'

it('what is not set has the figures of contract §3.7', () => {
  expect(deliveryConfig({})).toEqual({
    attempts: 3,
    firstWaitSeconds: 1,
    maxWaitSeconds: 10,
    webhookTimeoutSeconds: 10,
    slackTimeoutSeconds: 5,
    mailTimeoutSeconds: 10,
    concurrency: 32,
    guard: { mode: 'strict', allow: [] },
    mail: null,
  })
})

describe('every figure is read', () => {
  it.each<[RawEnv, object]>([
    [{ QUORATE_DELIVERY_ATTEMPTS: '20' }, { attempts: 20 }],
    [{ QUORATE_DELIVERY_WAIT: '0.5' }, { firstWaitSeconds: 0.5, maxWaitSeconds: 10 }],
    [{ QUORATE_DELIVERY_WAIT: '60' }, { firstWaitSeconds: 60, maxWaitSeconds: 60 }],
    [{ QUORATE_DELIVERY_MAX_WAIT: '7' }, { firstWaitSeconds: 1, maxWaitSeconds: 7 }],
    [{ QUORATE_WEBHOOK_TIMEOUT: '2.25' }, { webhookTimeoutSeconds: 2.25, slackTimeoutSeconds: 5 }],
    [{ QUORATE_SLACK_TIMEOUT: '3' }, { slackTimeoutSeconds: 3, webhookTimeoutSeconds: 10 }],
    [{ QUORATE_MAIL_TIMEOUT: '4' }, { mailTimeoutSeconds: 4 }],
    [{ QUORATE_DELIVERY_CONCURRENCY: '1' }, { concurrency: 1 }],
    [{ QUORATE_WEBHOOK_GUARD: 'disabled' }, { guard: { mode: 'disabled', allow: [] } }],
    [
      { QUORATE_WEBHOOK_ALLOW: ' Hooks.Internal, 10.1.2.3,10.0.0.0/8 ,,fd00::/8,' },
      { guard: { mode: 'strict', allow: ['hooks.internal', '10.1.2.3', '10.0.0.0/8', 'fd00::/8'] } },
    ],
  ])('%o', (env, expected) => {
    expect(deliveryConfig(env)).toMatchObject(expected)
  })

  it.each<[string, object]>([
    ['smtp://mail.example', { host: 'mail.example', port: 587, implicitTls: false, requireTls: true }],
    ['smtps://mail.example', { host: 'mail.example', port: 465, implicitTls: true, requireTls: false }],
    ['smtp://mail.example:2525', { port: 2525 }],
    ['smtp://mail.example?tls=optional', { requireTls: false }],
    ['smtp://127.0.0.1:1025', { host: '127.0.0.1', requireTls: false }],
    ['smtp://localhost?tls=required', { requireTls: true }],
    ['smtp://[::1]:25', { host: '::1', port: 25, requireTls: false }],
    ['smtp://me:p%40ss@mail.example', { user: 'me', password: 'p@ss' }],
    ['smtp://mail.example', { user: null, password: null, from: 'quorate@mail.example' }],
    ['smtp://127.0.0.1', { from: 'quorate@localhost' }],
  ])('SMTP_URL=%s', (SMTP_URL, expected) => {
    expect(deliveryConfig({ SMTP_URL }).mail).toMatchObject(expected)
  })

  it('QUORATE_MAIL_FROM is the sender', () => {
    const env = { SMTP_URL: 'smtp://mail.example', QUORATE_MAIL_FROM: 'approvals@corp.example' }
    expect(deliveryConfig(env).mail?.from).toBe('approvals@corp.example')
  })
})

describe('what cannot be meant stops the start', () => {
  it.each([
    ...['0', '21', '-1', '1.5', 'three', ''].map((value) => ['QUORATE_DELIVERY_ATTEMPTS', value]),
    ...['0', '-1', '1e3', '0.0001', '10000', 'soon', '1s'].flatMap((value) =>
      [
        'QUORATE_DELIVERY_WAIT',
        'QUORATE_DELIVERY_MAX_WAIT',
        'QUORATE_WEBHOOK_TIMEOUT',
        'QUORATE_SLACK_TIMEOUT',
        'QUORATE_MAIL_TIMEOUT',
      ].map((name) => [name, value]),
    ),
    ...['0', '1001', 'many'].map((value) => ['QUORATE_DELIVERY_CONCURRENCY', value]),
    ['QUORATE_WEBHOOK_GUARD', 'off'],
    ['QUORATE_WEBHOOK_GUARD', 'Strict'],
    ...['10.0.0.0/33', 'http://hooks.example', '*.example', 'a b', 'fd00::/129', '-a.example'].map((value) => [
      'QUORATE_WEBHOOK_ALLOW',
      value,
    ]),
    ...['mail.example', 'http://mail.example', 'smtp://', 'smtp://mail.example?tls=maybe'].map((value) => [
      'SMTP_URL',
      value,
    ]),
  ])('%s=%s', (name, value) => {
    expect(() => deliveryConfig({ [name as string]: value })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', field: name }),
    )
  })

  it.each(['approvals', 'a@b@c', 'a b@c', 'Approvals <a@b.example>', 'a@b,c@d'])('QUORATE_MAIL_FROM=%s', (value) => {
    expect(() => deliveryConfig({ SMTP_URL: 'smtp://mail.example', QUORATE_MAIL_FROM: value })).toThrow(
      expect.objectContaining({ field: 'QUORATE_MAIL_FROM' }),
    )
  })
})
