import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliveryConfig } from '../../src/config/delivery.ts'
import type { RawEnv } from '../../src/config/env.ts'
import type { AttemptOutcome, Occurrence } from '../../src/deliveries/attempt.ts'
import { performAttempt } from '../../src/deliveries/perform.ts'
import { certificate } from '../helpers/certificate.ts'
import { hostileNames, requestId, taskId, taskOf } from '../helpers/deliveries.ts'
import { fieldsOf, textsOf } from '../helpers/mail-message.ts'
import { stages, startFailingMailPeer, startMailPeer, type Misstep } from '../helpers/mail-peer.ts'

const recipients = ['ada@corp.example', 'bob@corp.example', 'cleo@corp.example']
const password = 'sw0rdfish/+ü'
const signIn = `quorate:${encodeURIComponent(password)}@`
const date = new Date('2026-03-01T12:00:05.000Z')

const noNetwork = {
  resolve: () => Promise.reject(new Error('e-mail has a network of its own')),
  dial: () => {
    throw new Error('e-mail has a network of its own')
  },
}

async function attempt(smtpUrl: string | null, occurrence: Partial<Occurrence> = {}, env: RawEnv = {}) {
  const raw = { QUORATE_MAIL_FROM: 'approvals@corp.example', ...env, ...(smtpUrl !== null && { SMTP_URL: smtpUrl }) }
  const means = { network: noNetwork, config: deliveryConfig(raw), signingKeys: [], now: () => date }
  return await performAttempt(means, taskOf({ type: 'EMAIL', recipients }, occurrence))
}

function failed(reason: string, isTransient: boolean): AttemptOutcome {
  return { kind: 'failed', reason, isTransient, response: null }
}

describe('the message', () => {
  it('goes to all recipients at once, as text and as HTML, in a thread of its request', async () => {
    await using peer = await startMailPeer()
    const outcome = await attempt(`smtp://127.0.0.1:${peer.port}`)
    expect(outcome).toEqual({ kind: 'sent', response: { status: 250, body: '250 queued', bodyState: 'OK' } })
    expect(peer.received).toHaveLength(1)
    expect(peer.received[0]).toMatchObject({ from: 'approvals@corp.example', to: recipients })
    const raw = peer.received[0]?.raw ?? ''
    expect(Object.fromEntries(fieldsOf(raw))).toEqual({
      from: 'approvals@corp.example',
      to: recipients.join(', '),
      subject: 'Workflow release-2-1 status update',
      date: 'Sun, 01 Mar 2026 12:00:05 +0000',
      'message-id': `<${taskId}@corp.example>`,
      'in-reply-to': `<${requestId}@corp.example>`,
      references: `<${requestId}@corp.example>`,
      'auto-submitted': 'auto-generated',
      'x-auto-response-suppress': 'All',
      'mime-version': '1.0',
      'content-type': expect.stringMatching(/^multipart\/alternative; boundary="[^"]+"$/),
    })
    const sentence =
      'The workflow release-2-1 has transitioned from EVALUATION_IN_PROGRESS to APPROVED at 2026-03-01T12:00:00.000Z.'
    expect(textsOf(raw)).toEqual([
      { type: 'text/plain', text: `${sentence}\n` },
      { type: 'text/html', text: sentence },
    ])
  })

  it('is marked when it is a sample', async () => {
    await using peer = await startMailPeer()
    await attempt(`smtp://127.0.0.1:${peer.port}`, { isTest: true })
    const raw = peer.received[0]?.raw ?? ''
    expect(fieldsOf(raw).get('subject')).toBe('[Test] Workflow release-2-1 status update')
    expect(textsOf(raw).map(({ text }) => text.slice(0, 19))).toEqual(['[Test] The workflow', '[Test] The workflow'])
  })

  it('has the same Message-ID in a second attempt', async () => {
    await using peer = await startMailPeer()
    for (const _ of [1, 2]) await attempt(`smtp://127.0.0.1:${peer.port}`)
    const ids = peer.received.map(({ raw }) => fieldsOf(raw).get('message-id'))
    expect(ids).toEqual([`<${taskId}@corp.example>`, `<${taskId}@corp.example>`])
  })

  it.each([
    ['approvals@bücher.example', 'xn--bcher-kva.example'],
    ['approvals@localhost', 'localhost'],
  ])('has a domain that Message-ID may hold when it is from %s', async (from, domain) => {
    await using peer = await startMailPeer()
    await attempt(`smtp://127.0.0.1:${peer.port}`, {}, { QUORATE_MAIL_FROM: from })
    expect(fieldsOf(peer.received[0]?.raw ?? '').get('message-id')).toBe(`<${taskId}@${domain}>`)
  })
})

describe('a name stays a name in the message that arrives', () => {
  it.each(hostileNames.map((name) => [JSON.stringify(name).slice(0, 60), name] as const))(
    '%s',
    async (_, requestName) => {
      await using peer = await startMailPeer()
      await attempt(`smtp://127.0.0.1:${peer.port}`, { requestName })
      expect(peer.received).toHaveLength(1)
      const { raw = '', to } = peer.received[0] ?? {}
      expect(to).toEqual(recipients)
      const fields = fieldsOf(raw)
      expect([...fields.keys()].toSorted()).toEqual([
        'auto-submitted',
        'content-type',
        'date',
        'from',
        'in-reply-to',
        'message-id',
        'mime-version',
        'references',
        'subject',
        'to',
        'x-auto-response-suppress',
      ])
      const shown = requestName.toWellFormed().replace(/[\p{Cc}\u2028\u2029\u202e\u202c]/gu, ' ')
      expect(fields.get('subject')).toBe(`Workflow ${shown} status update`)
      const [text, html] = textsOf(raw)
      expect(text?.text).toContain(`The workflow ${shown} has transitioned from`)
      expect(html?.text).not.toMatch(/[<>"']/)
      // RFC 5322 §2.1.1 and, for lines with encoded words, RFC 2047 §2.
      for (const line of raw.split('\r\n')) expect(line.length).toBeLessThanOrEqual(/=\?utf-8\?/i.test(line) ? 76 : 998)
      expect(raw).not.toMatch(/[^\r]\n|\r[^\n]/)
    },
  )
})

describe('the connection', () => {
  const usual = getCACertificates('default')
  beforeAll(() => setDefaultCACertificates([certificate]))
  afterAll(() => setDefaultCACertificates(usual))

  const required = (port: number, userinfo = '') => `smtp://${userinfo}127.0.0.1:${port}?tls=required`
  const authenticate = (auth: { username?: string | undefined; password?: string | null | undefined }) =>
    auth.username === 'quorate' && auth.password === password

  it('is encrypted by STARTTLS, and only then signs in', async () => {
    await using peer = await startMailPeer({
      authOptional: false,
      onAuth: (auth, session, done) =>
        authenticate(auth) && session.secure ? done(null, { user: auth.username }) : done(new Error('no')),
    })
    expect(await attempt(required(peer.port, signIn))).toMatchObject({ kind: 'sent' })
    expect(peer.received).toMatchObject([{ isEncrypted: true, user: 'quorate' }])
  })

  it('is encrypted from the first byte with smtps:', async () => {
    await using peer = await startMailPeer({ secure: true })
    expect(await attempt(`smtps://127.0.0.1:${peer.port}`)).toMatchObject({ kind: 'sent' })
    expect(peer.received).toMatchObject([{ isEncrypted: true }])
  })

  it('says nothing to a server that does not offer TLS where it is required', async () => {
    await using peer = await startMailPeer({ disabledCommands: ['STARTTLS'] })
    const outcome = await attempt(required(peer.port, signIn))
    expect(outcome).toMatchObject({ kind: 'failed', isTransient: false })
    expect(outcome).toHaveProperty('reason', expect.stringContaining(`127.0.0.1:${peer.port} refused TLS: 5`))
    expect(peer.received).toEqual([])
  })

  it('goes without TLS where it is optional and not offered', async () => {
    await using peer = await startMailPeer({ disabledCommands: ['STARTTLS'] })
    expect(await attempt(`smtp://127.0.0.1:${peer.port}?tls=optional`)).toMatchObject({ kind: 'sent' })
    expect(peer.received).toMatchObject([{ isEncrypted: false }])
  })

  it.each([
    ['smtp:', (port: number) => required(port)],
    ['smtps:', (port: number) => `smtps://127.0.0.1:${port}`],
  ])('is given up for good when the certificate of %s is unknown', async (scheme, url) => {
    setDefaultCACertificates(usual)
    await using peer = await startMailPeer({ secure: scheme === 'smtps:' })
    const outcome = await attempt(url(peer.port))
    setDefaultCACertificates([certificate])
    expect(outcome).toMatchObject({ kind: 'failed', isTransient: false })
    expect(outcome).toHaveProperty('reason', expect.stringMatching(/self-signed|SELF_SIGNED/))
    expect(peer.received).toEqual([])
  })

  it('takes a certificate that nobody vouches for where TLS is optional', async () => {
    setDefaultCACertificates(usual)
    await using peer = await startMailPeer()
    const outcome = await attempt(`smtp://127.0.0.1:${peer.port}`)
    setDefaultCACertificates([certificate])
    expect(outcome).toMatchObject({ kind: 'sent' })
    expect(peer.received).toMatchObject([{ isEncrypted: true }])
  })

  it.each([
    [535, false],
    [454, true],
  ])('reports a sign-in that is refused with %i without the words of the server', async (responseCode, isTransient) => {
    await using peer = await startMailPeer({
      authOptional: false,
      onAuth: (auth, _session, done) =>
        done(Object.assign(new Error(`no ${auth.password} ${btoa('quorate')}`), { responseCode })),
    })
    const outcome = await attempt(required(peer.port, signIn))
    expect(outcome).toEqual(failed(`Signing in at 127.0.0.1:${peer.port} failed with ${responseCode}.`, isTransient))
  })

  it('is made for each message, so that one that hangs holds up no other', async () => {
    await using stuck = await startFailingMailPeer('message', 'hang')
    await using peer = await startMailPeer()
    const hanging = attempt(`smtp://127.0.0.1:${stuck.port}`, {}, { QUORATE_MAIL_TIMEOUT: '1' })
    const sent = await Promise.all(Array.from({ length: 5 }, () => attempt(`smtp://127.0.0.1:${peer.port}`)))
    expect(sent.map(({ kind }) => kind)).toEqual(['sent', 'sent', 'sent', 'sent', 'sent'])
    expect(await hanging).toMatchObject({ kind: 'failed' })
  })
})

describe('a server that fails', () => {
  const missteps: readonly (readonly [string, Misstep, boolean])[] = [
    ['hangs', 'hang', true],
    ['drips', 'drip', true],
    ['closes the connection', 'close', true],
    ['resets the connection', 'reset', true],
    ['answers 421', { say: '421 4.3.2 going down' }, true],
    ['answers 451', { say: '451 4.7.1 greylisted' }, true],
    ['answers 550', { say: '550 5.7.1 never' }, false],
    ['answers 554 in lines', { say: '554-5.7.1 never\r\n554 5.7.1 ever' }, false],
  ]

  describe.each(stages)('after %s', (stage) => {
    it.each(missteps)('and %s (%j), worth another try: %s', async (_, misstep, isTransient) => {
      await using peer = await startFailingMailPeer(stage, misstep)
      const outcome = await attempt(`smtp://127.0.0.1:${peer.port}`, {}, { QUORATE_MAIL_TIMEOUT: '0.3' })
      expect(outcome).toMatchObject({ kind: 'failed', response: null })
      expect(outcome).toHaveProperty('isTransient', isTransient)
      expect(outcome).toHaveProperty(
        'reason',
        expect.stringMatching(new RegExp(`^[^\\p{Cc}]*127.0.0.1:${peer.port}[^\\p{Cc}]*$`, 'u')),
      )
    })
  })

  it.each(stages)('is left after the limit, over all stages, when it hangs after %s', async (stage) => {
    await using peer = await startFailingMailPeer(stage, 'hang')
    const before = performance.now()
    const outcome = await attempt(`smtp://127.0.0.1:${peer.port}`, {}, { QUORATE_MAIL_TIMEOUT: '0.3' })
    expect(outcome).toEqual(failed(`127.0.0.1:${peer.port} did not take the message within 0.3 s.`, true))
    expect(performance.now() - before).toBeGreaterThanOrEqual(290)
  })

  it('is one that nobody listens for', async () => {
    const { port, ...peer } = await startFailingMailPeer('connect', 'hang')
    await peer[Symbol.asyncDispose]()
    const outcome = await attempt(`smtp://127.0.0.1:${port}`)
    expect(outcome).toEqual(failed(`The message did not reach 127.0.0.1:${port}: ECONNREFUSED.`, true))
  })

  it('has 200 characters to say why, on one line', async () => {
    await using peer = await startFailingMailPeer('RCPT', { say: `550-\u0007no\r\n550 ${'x'.repeat(500)}` })
    const { reason } = (await attempt(`smtp://127.0.0.1:${peer.port}`)) as { reason: string }
    const start = `127.0.0.1:${peer.port} refused the recipients: `
    expect(reason.startsWith(`${start}550`)).toBe(true)
    expect(reason).not.toMatch(/\p{Cc}/u)
    expect(reason).toHaveLength(start.length + 200)
  })

  it.each<[string, Misstep, boolean]>([
    ['hangs', { say: '220 go on' }, true],
    ['closes the connection', { say: '220 go on', thenCloses: true }, true],
    ['answers 454', { say: '454 4.7.0 not now' }, true],
    ['answers 502', { say: '502 5.5.1 never' }, false],
  ])('on the way to TLS and %s (%j), is worth another try: %s', async (_, misstep, isTransient) => {
    await using peer = await startFailingMailPeer('STARTTLS', misstep)
    const outcome = await attempt(`smtp://127.0.0.1:${peer.port}`, {}, { QUORATE_MAIL_TIMEOUT: '0.3' })
    expect(outcome).toMatchObject({ kind: 'failed', isTransient })
  })

  it.each([
    ['MAIL', 'the sender'],
    ['RCPT', 'the recipients'],
    ['DATA', 'the message'],
    ['message', 'the message'],
    ['connect', 'the connection'],
  ] as const)('after %s refused %s', async (stage, what) => {
    await using peer = await startFailingMailPeer(stage, { say: '550 5.7.1 never' })
    const outcome = await attempt(`smtp://127.0.0.1:${peer.port}`)
    expect(outcome).toEqual(failed(`127.0.0.1:${peer.port} refused ${what}: 550 5.7.1 never`, false))
  })
})

describe('recipients that are refused', () => {
  const refusing = (refused: Readonly<Record<string, number>>) =>
    startMailPeer({
      onRcptTo({ address }, _session, done) {
        const responseCode = refused[address]
        done(responseCode === undefined ? null : Object.assign(new Error('unknown'), { responseCode }))
      },
    })

  it.each([550, 451])('with %i beside others make no failure, since the others have the message', async (code) => {
    await using peer = await refusing({ 'bob@corp.example': code })
    const outcome = await attempt(`smtp://127.0.0.1:${peer.port}`)
    expect(outcome).toEqual({
      kind: 'sent',
      response: { status: 250, body: '250 queued (1 of 3 recipients refused)', bodyState: 'OK' },
    })
    expect(peer.received.map(({ to }) => to)).toEqual([['ada@corp.example', 'cleo@corp.example']])
  })

  it('make a final failure when they are all', async () => {
    await using peer = await refusing(Object.fromEntries(recipients.map((address) => [address, 550])))
    const outcome = await attempt(`smtp://127.0.0.1:${peer.port}`)
    expect(outcome).toEqual(failed(`127.0.0.1:${peer.port} refused the recipients: 550 unknown`, false))
    expect(peer.received).toEqual([])
  })

  it('make one that is tried again when one of them may be taken later', async () => {
    await using peer = await refusing({
      ...Object.fromEntries(recipients.map((address) => [address, 550])),
      'bob@corp.example': 451,
    })
    expect(await attempt(`smtp://127.0.0.1:${peer.port}`)).toMatchObject({ kind: 'failed', isTransient: true })
  })
})

it('an e-mail without a server is a final failure that says what to set', async () => {
  expect(await attempt(null)).toEqual(failed('E-mail is not configured: set SMTP_URL.', false))
})
