import { describe, expect, it } from 'vitest'
import { deliveryConfig } from '../../src/config/delivery.ts'
import type { RawEnv } from '../../src/config/env.ts'
import type { Occurrence } from '../../src/deliveries/attempt.ts'
import { performAttempt } from '../../src/deliveries/perform.ts'
import { taskOf } from '../helpers/deliveries.ts'
import { startHttpSink, type HttpSink } from '../helpers/http-sink.ts'

const webhookUrl = 'https://hooks.slack.com/services/T000/B000/s3cret'

async function attempt({ network }: HttpSink, occurrence: Partial<Occurrence> = {}, env: RawEnv = {}) {
  const means = { network, config: deliveryConfig(env), signingKeys: [Buffer.alloc(32)], now: () => new Date() }
  return await performAttempt(means, taskOf({ type: 'SLACK', webhookUrl }, occurrence))
}

describe('a Slack message', () => {
  it('is a POST of the sentence to the address of the action', async () => {
    await using sink = await startHttpSink((response) => response.end('ok'))
    expect(await attempt(sink)).toEqual({ kind: 'sent', response: { status: 200, body: 'ok', bodyState: 'OK' } })
    expect(sink.calls).toMatchObject([{ method: 'POST', url: '/services/T000/B000/s3cret' }])
    const { headers, body = '' } = sink.calls[0] ?? {}
    expect(headers).toMatchObject({ host: 'hooks.slack.com', 'content-type': 'application/json' })
    expect(JSON.parse(body)).toEqual({
      text: 'The workflow release-2-1 has transitioned from EVALUATION_IN_PROGRESS to APPROVED at 2026-03-01T12:00:00.000Z.',
    })
  })

  it('is not signed: the receiver is not ours to convince', async () => {
    await using sink = await startHttpSink()
    await attempt(sink)
    expect(sink.calls[0]?.headers).not.toHaveProperty('webhook-signature')
  })

  it('mentions nobody and is not formatted by a name', async () => {
    await using sink = await startHttpSink()
    await attempt(sink, { requestName: '<!channel> *&* <https://evil.example|ok>' })
    expect(JSON.parse(sink.calls[0]?.body ?? '')).toEqual({
      text: expect.stringContaining(
        'The workflow &lt;!channel&gt; *&amp;* &lt;https://evil.example|ok&gt; has transitioned',
      ),
      mrkdwn: false,
    })
  })

  it.each([
    [429, true],
    [503, true],
    [403, false],
    [302, false],
  ])('that is answered with %i failed; worth another try: %s', async (status, isTransient) => {
    await using sink = await startHttpSink((response) => response.writeHead(status).end('no_service'))
    expect(await attempt(sink)).toEqual({
      kind: 'failed',
      reason: `hooks.slack.com answered ${status}.`,
      isTransient,
      response: { status, body: 'no_service', bodyState: 'OK' },
    })
  })

  it('has a time limit of its own', async () => {
    await using sink = await startHttpSink(() => {})
    const outcome = await attempt(sink, {}, { QUORATE_SLACK_TIMEOUT: '0.2', QUORATE_WEBHOOK_TIMEOUT: '2' })
    expect(outcome).toMatchObject({ kind: 'failed', isTransient: true })
    expect(outcome).toHaveProperty('reason', expect.stringContaining(' 0.2 s'))
    expect(JSON.stringify(outcome)).not.toContain('s3cret')
  })
})
