import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from 'kysely'
import { deliveryConfig } from '../../src/config/delivery.ts'
import type { RawEnv } from '../../src/config/env.ts'
import type { Ctx } from '../../src/context.ts'
import { waitSeconds } from '../../src/deliveries/retry.ts'
import { runDueJobs, startWorker } from '../../src/jobs/worker.ts'
import { systemNetwork, type Network } from '../../src/outgoing/network.ts'
import { delivered, deliveriesOf, type Delivery } from '../helpers/delivered.ts'
import { freePort } from '../helpers/free-port.ts'
import { startHttpSink, type HttpSink, type SinkAnswer } from '../helpers/http-sink.ts'
import { startFailingMailPeer, startMailPeer, type Misstep, type Stage } from '../helpers/mail-peer.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'

const publicAddress = '93.184.215.14'
/** Nobody listens there: whoever dials it is refused. */
const deadAddress = '93.184.215.99'

let sink: HttpSink
let world: WorkflowWorld
/** One after another; the last one stands for all that follow. */
let answers: SinkAnswer[]
let calls: number[]
let addresses: readonly string[] = [publicAddress]
let deadPort: number

beforeAll(async () => {
  const answer: SinkAnswer = (response, call) => {
    calls.push(performance.now())
    answers[Math.min(calls.length, answers.length) - 1]?.(response, call)
  }
  sink = await startHttpSink(answer)
  deadPort = await freePort()
  const network: Network = {
    async resolve() {
      if (addresses.length === 0) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
      return addresses.map((address) => ({ address, family: 4 }))
    },
    dial(options, isTls) {
      if (options.host === deadAddress)
        return systemNetwork.dial({ ...options, host: '127.0.0.1', port: deadPort }, false)
      return sink.network.dial(options, isTls)
    },
  }
  world = await startWorkflowWorld({ network })
})

afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

/** The world's context with other figures for deliveries. */
function configured(env: RawEnv): Ctx {
  return { ...world.ctx, config: { ...world.ctx.config, delivery: deliveryConfig(env) } }
}

const quick = { QUORATE_DELIVERY_WAIT: '0.001' }
const hook = { type: 'WEBHOOK', url: 'https://hooks.example/in' }
const slack = { type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T/B/X' }
const email = { type: 'EMAIL', recipients: ['ops@example.com'] }

/** Approves a workflow with this action. */
async function approved(action: object): Promise<string> {
  const id = await world.opened({ approvalRule: world.rule(1), actions: [action] })
  await world.voted(world.cleo, id, 'APPROVE')
  return id
}

/** Sends it to a receiver that gives these answers, until that ends. */
async function sent(action: object, given: readonly SinkAnswer[], env: RawEnv = {}): Promise<Delivery | undefined> {
  answers = [...given]
  calls = []
  const [delivery] = await delivered(configured({ ...quick, ...env }), await approved(action))
  return delivery
}

const says =
  (status: number): SinkAnswer =>
  (response) =>
    response.writeHead(status, { location: 'https://hooks.example/elsewhere' }).end()
const breaks: SinkAnswer = (response) => response.destroy()
const hangs: SinkAnswer = () => {}

describe('the wait before another attempt', () => {
  const [usual, other] = [
    deliveryConfig({}),
    deliveryConfig({ QUORATE_DELIVERY_WAIT: '3', QUORATE_DELIVERY_MAX_WAIT: '5' }),
  ]

  it.each([
    [1, 1, usual],
    [2, 2, usual],
    [3, 4, usual],
    [4, 8, usual],
    [5, 10, usual],
    [6, 10, usual],
    [2_000, 10, usual],
    [1, 3, other],
    [2, 5, other],
  ])('after %i is %d s and up to a quarter more, but never above the most', (attempts, least, config) => {
    expect(waitSeconds(config, attempts, 0)).toBe(least)
    for (const chance of [0.1, 0.5, 0.999]) {
      const wait = waitSeconds(config, attempts, chance)
      expect(wait).toBeGreaterThanOrEqual(least)
      expect(wait).toBeLessThanOrEqual(Math.min(least * 1.25, config.maxWaitSeconds))
    }
  })

  it('differs for what failed together', () => {
    expect(waitSeconds(usual, 1, 0.9)).toBeGreaterThan(waitSeconds(usual, 1, 0.1))
  })
})

describe('a call that may succeed another time is made three times in all', () => {
  it.each([429, 500, 501, 502, 503, 504, 599])('answered with %i', async (status) => {
    expect(await sent(hook, [says(status)])).toMatchObject({
      status: 'error',
      attempts: 3,
      reason: `hooks.example answered ${status}.`,
      response: { status },
    })
    expect(calls).toHaveLength(3)
  })

  it('not answered in time', async () => {
    const delivery = await sent(hook, [hangs], { QUORATE_WEBHOOK_TIMEOUT: '0.2' })
    expect(delivery).toMatchObject({ status: 'error', attempts: 3, response: null })
    expect(delivery?.reason).toContain('0.2 s')
    expect(calls).toHaveLength(3)
  })

  it('on a connection that breaks', async () => {
    expect(await sent(hook, [breaks])).toMatchObject({ status: 'error', attempts: 3, response: null })
    expect(calls).toHaveLength(3)
  })

  it.each([
    ['to an address where nobody listens', [deadAddress]],
    ['to a name that has no address', []],
  ])('%s', async (_, found) => {
    addresses = found
    const delivery = await sent(hook, [])
    addresses = [publicAddress]
    expect(delivery).toMatchObject({ status: 'error', attempts: 3, response: null })
    expect(calls).toEqual([])
  })

  it.each([429, 503])('to Slack, answered with %i', async (status) => {
    expect(await sent(slack, [says(status)])).toMatchObject({ status: 'error', attempts: 3 })
    expect(calls).toHaveLength(3)
  })

  it('to Slack, not answered in time', async () => {
    expect(await sent(slack, [hangs], { QUORATE_SLACK_TIMEOUT: '0.2' })).toMatchObject({ attempts: 3 })
    expect(calls).toHaveLength(3)
  })

  it('always with the same task id', async () => {
    const before = sink.calls.length
    const delivery = await sent(hook, [says(503)])
    const ids = sink.calls.slice(before).map(({ headers }) => headers['idempotency-key'])
    expect(ids).toEqual([delivery?.id, delivery?.id, delivery?.id])
  })
})

describe('a call that will not is made once', () => {
  it.each([301, 302, 303, 307, 308, 304, 400, 401, 403, 404, 405, 408, 409, 410, 413, 422, 425, 451])(
    'answered with %i',
    async (status) => {
      expect(await sent(hook, [says(status)])).toMatchObject({
        status: 'error',
        attempts: 1,
        reason: `hooks.example answered ${status}.`,
        response: { status },
      })
      expect(calls).toHaveLength(1)
    },
  )

  it.each([
    ['a webhook', hook],
    ['Slack', slack],
  ])('%s at a forbidden address, of which nobody hears', async (_, action) => {
    addresses = [publicAddress, '10.0.0.1']
    const delivery = await sent(action, [says(200)])
    addresses = [publicAddress]
    expect(delivery).toMatchObject({ status: 'error', attempts: 1, response: null })
    expect(delivery?.reason).toContain('10.0.0.1')
    expect(calls).toEqual([])
  })

  it.each([302, 404])('to Slack, answered with %i', async (status) => {
    expect(await sent(slack, [says(status)])).toMatchObject({ status: 'error', attempts: 1 })
    expect(calls).toHaveLength(1)
  })
})

describe('an attempt that succeeds is the last', () => {
  it.each<[string, SinkAnswer[], number]>([
    ['the first', [says(204)], 1],
    ['the second, after an error', [says(500), says(200)], 2],
    ['the second, after a broken connection', [breaks, says(202)], 2],
    ['the third, after two that differ', [says(429), breaks, says(299)], 3],
  ])('%s', async (_, given, attempts) => {
    expect(await sent(hook, given)).toMatchObject({ status: 'completed', attempts, reason: null })
    expect(calls).toHaveLength(attempts)
  })

  it('and one that fails for good ends it too', async () => {
    expect(await sent(hook, [says(503), says(404), says(200)])).toMatchObject({ status: 'error', attempts: 2 })
    expect(calls).toHaveLength(2)
  })
})

describe('an e-mail', () => {
  const missteps: readonly (readonly [string, Stage, Misstep, number])[] = [
    ['421 at the door', 'connect', { say: '421 4.3.2 going down' }, 3],
    ['451 for the sender', 'MAIL', { say: '451 4.7.1 greylisted' }, 3],
    ['452 for the recipients', 'RCPT', { say: '452 4.2.2 full' }, 3],
    ['450 for the message', 'message', { say: '450 4.2.0 later' }, 3],
    ['a reset connection', 'MAIL', 'reset', 3],
    ['a closed connection', 'DATA', 'close', 3],
    ['no answer', 'EHLO', 'hang', 3],
    ['550 for the recipients', 'RCPT', { say: '550 5.1.1 unknown' }, 1],
    ['553 for the sender', 'MAIL', { say: '553 5.1.8 no' }, 1],
    ['554 for the message', 'message', { say: '554 5.7.1 spam' }, 1],
  ]

  it.each(missteps)('answered with %s', async (_, stage, misstep, attempts) => {
    await using peer = await startFailingMailPeer(stage, misstep)
    const env = { SMTP_URL: `smtp://127.0.0.1:${peer.port}`, QUORATE_MAIL_TIMEOUT: '0.3' }
    const delivery = await sent(email, [], env)
    expect(delivery).toMatchObject({ status: 'error', attempts, response: null })
    expect(delivery?.reason).toContain(`127.0.0.1:${peer.port}`)
    expect(peer.connections()).toBe(attempts)
  })

  it('to a server that nobody started is tried three times', async () => {
    const { port, ...peer } = await startFailingMailPeer('connect', 'hang')
    await peer[Symbol.asyncDispose]()
    const delivery = await sent(email, [], { SMTP_URL: `smtp://127.0.0.1:${port}` })
    expect(delivery).toMatchObject({ status: 'error', attempts: 3 })
    expect(delivery?.reason).toContain('ECONNREFUSED')
  })

  it('that is taken at the second attempt arrived once', async () => {
    let refusals = 1
    await using peer = await startMailPeer({
      onMailFrom(_address, _session, done) {
        done(refusals-- > 0 ? Object.assign(new Error('greylisted'), { responseCode: 451 }) : null)
      },
    })
    const delivery = await sent(email, [], { SMTP_URL: `smtp://127.0.0.1:${peer.port}` })
    expect(delivery).toMatchObject({ status: 'completed', attempts: 2, reason: null, response: { status: 250 } })
    expect(peer.received).toMatchObject([{ to: ['ops@example.com'] }])
  })

  it('without a server is an error at once, that says what to set', async () => {
    expect(await sent(email, [])).toMatchObject({
      status: 'error',
      attempts: 1,
      reason: 'E-mail is not configured: set SMTP_URL.',
    })
  })
})

describe('the figures are configurable', () => {
  it.each([1, 2, 5])('%i attempts in all', async (attempts) => {
    const delivery = await sent(hook, [says(503)], { QUORATE_DELIVERY_ATTEMPTS: String(attempts) })
    expect(delivery).toMatchObject({ status: 'error', attempts })
    expect(calls).toHaveLength(attempts)
  })

  /** Seconds between an attempt and the time from which its successor may be made, as the queue has it. */
  async function scheduledWait(): Promise<number> {
    const { rows } = await sql<{ wait: number }>`
      select extract(epoch from start_after - created_on)::float8 as wait from jobs.job
      where name = 'deliver' and state in ('created', 'retry') and start_after > now()`.execute(world.ctx.db)
    expect(rows).toHaveLength(1)
    await sql`delete from jobs.job where name = 'deliver'`.execute(world.ctx.db)
    return rows[0]?.wait ?? Number.NaN
  }

  it.each([
    ['by default 1 s after the first', {}, 0, 1],
    ['by default 2 s after the second', {}, 1, 2],
    ['by default 8 s after the fourth', { QUORATE_DELIVERY_ATTEMPTS: '9' }, 3, 8],
    ['by default 10 s after the fifth', { QUORATE_DELIVERY_ATTEMPTS: '9' }, 4, 10],
    ['as long as is said', { QUORATE_DELIVERY_WAIT: '300', QUORATE_DELIVERY_MAX_WAIT: '1000' }, 0, 300],
    ['at most what is said', { QUORATE_DELIVERY_WAIT: '30', QUORATE_DELIVERY_MAX_WAIT: '40' }, 1, 40],
  ] as const)('the queue waits %s', async (_, env, attemptsBefore, least) => {
    answers = [says(503)]
    calls = []
    const id = await approved(hook)
    await world.ctx.db
      .updateTable('deliveries')
      .set({ attempts: attemptsBefore })
      .where('request_id', '=', id)
      .execute()
    const ctx = configured(env)
    await runDueJobs(ctx)
    expect(await deliveriesOf(world.ctx, id)).toMatchObject([{ status: 'pending', attempts: attemptsBefore + 1 }])
    const wait = await scheduledWait()
    expect(wait).toBeGreaterThanOrEqual(least)
    expect(wait).toBeLessThanOrEqual(Math.min(1.25 * least, ctx.config.delivery.maxWaitSeconds))
  })
})

it('a worker on the real clock calls three times, a second and then two apart', async () => {
  answers = [says(503)]
  calls = []
  const id = await approved(hook)
  const worker = startWorker(world.ctx)
  await expect
    .poll(async () => (await deliveriesOf(world.ctx, id))[0]?.status, { timeout: 20_000, interval: 100 })
    .toBe('error')
  await worker.stop(1_000)
  const [first = 0, second = 0, third = 0, ...more] = calls
  expect(more).toEqual([])
  expect(second - first).toBeGreaterThanOrEqual(995)
  expect(third - second).toBeGreaterThanOrEqual(1_995)
})
