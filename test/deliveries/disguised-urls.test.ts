import { isIP } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WebhookAction } from '../../src/approvals/actions.ts'
import { delivered, type Delivery } from '../helpers/delivered.ts'
import { disguisedNames, disguisedUrls, type DisguisedUrl } from '../helpers/disguised-urls.ts'
import { http, startListening, type Listening } from '../helpers/listening.ts'
import { roads, type Roads } from '../helpers/roads.ts'
import { expectRefusal, templates } from '../helpers/templates.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import type { Answer } from '../helpers/world.ts'

/** Where every road leads; it hears whatever is dialled, also when nothing is said. */
let canary: Listening
let everyRoad: Roads
let world: WorkflowWorld
/** What hooks.slack.com resolves to. */
let slackAddresses: readonly string[]
/** What came of each URL as the webhook of a template. */
let written: ReadonlyMap<string, Answer>
let deliveries: ReadonlyMap<string, Delivery>

const hook = (url: string) => ({ type: 'WEBHOOK', url })
const slack = { type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T/B/X' }
/** No text may hold a NUL, wherever it stands. */
const codeOf = ({ url }: DisguisedUrl, code: string) => (url(8).includes('\0') ? 'MALFORMED_REQUEST' : code)

beforeAll(async () => {
  canary = await startListening(http((_, reply) => reply.end('reached')))
  everyRoad = roads({
    ...disguisedNames,
    'allowed.example': ['127.0.0.1'],
    'hooks.slack.com': () => slackAddresses,
  })
  const env = { QUORATE_DELIVERY_WAIT: '0.001', QUORATE_WEBHOOK_ALLOW: 'allowed.example' }
  world = await startWorkflowWorld({ network: everyRoad, env })
  written = new Map(
    await Promise.all(
      disguisedUrls.map(async ({ form, url }) => {
        const draft = world.draft({ actions: [hook(url(canary.port))] })
        return [form, await world.ada.post(templates, draft)] as const
      }),
    ),
  )
  const accepted = disguisedUrls.filter(({ form }) => written.get(form)?.status === 201)
  const rows = await sent(...accepted.map(({ url }) => hook(url(canary.port))))
  deliveries = new Map(rows.map((row) => [(row.action as WebhookAction).url, row]))
})

afterAll(async () => {
  await world.close()
  await canary[Symbol.asyncDispose]()
})

async function sent(...actions: object[]): Promise<Delivery[]> {
  const id = await world.opened({ approvalRule: world.rule(1), actions })
  await world.voted(world.cleo, id, 'APPROVE')
  return await delivered(world.ctx, id)
}

let minutes = 0
/** The answer to a sample, each asked for in a minute of its own, since ten a minute are allowed. */
async function sampled(action: object): Promise<Answer> {
  const now = world.clock.now()
  world.clock.advance(60_000 * ++minutes)
  const ada = await world.signedIn(world.ada.id)
  const answer = await ada.post('/v1/actions/test', { action })
  world.clock.set(now)
  return answer
}

function expectSilence(): void {
  expect(everyRoad.dialled).toEqual([])
  expect(canary.connections).toBe(0)
}

describe('a webhook of a template at a forbidden address is refused when it is written, or when it is sent', () => {
  it.each(disguisedUrls)('$form', ({ form, url }) => {
    const { status, ...answer } = written.get(form) ?? expect.fail('not written')
    if (status === 201) {
      expect(deliveries.get(url(canary.port))).toMatchObject({ status: 'error', attempts: 1, response: null })
    } else {
      const code = codeOf({ form, url }, 'WORKFLOW_ACTION_URL_INVALID')
      expectRefusal({ status, ...answer }, 400, code, 'actions[0].url')
    }
    expectSilence()
  })

  it('most of them only when it is sent, so the guard was asked', () => {
    expect(deliveries.size).toBeGreaterThanOrEqual(120)
  })
})

describe('a sample of a webhook at a forbidden address is not sent', () => {
  it.each(disguisedUrls)('$form', async ({ form, url }) => {
    const answer = await sampled(hook(url(canary.port)))
    if (written.get(form)?.status === 201) {
      expect(answer).toMatchObject({ status: 200, body: { status: 'ERROR', reason: expect.any(String) } })
    } else {
      const code = codeOf({ form, url }, 'WORKFLOW_ACTION_URL_INVALID')
      expectRefusal(answer, 400, code, 'action.url')
    }
    expectSilence()
  })
})

describe('a Slack action', () => {
  it.each(disguisedUrls)('is refused when it is written as $form', async ({ form, url }) => {
    const action = { type: 'SLACK', webhookUrl: url(canary.port) }
    const answer = await world.ada.post(templates, world.draft({ actions: [action] }))
    const code = codeOf({ form, url }, 'WORKFLOW_ACTION_WEBHOOK_URL_INVALID')
    expectRefusal(answer, 400, code, 'actions[0].webhookUrl')
  })

  const answers = Object.entries(disguisedNames)
  it.each(answers)(
    'is not sent, as a sample or after a decision, when its name resolves as %s: %j',
    async (_, found) => {
      slackAddresses = found
      expect((await sampled(slack)).body).toMatchObject({ status: 'ERROR' })
      const reason = expect.stringContaining('hooks.slack.com')
      expect(await sent(slack)).toMatchObject([{ status: 'error', attempts: 1, response: null, reason }])
      expectSilence()
    },
  )

  it('is not sent either when the first attempt finds no name and the second a forbidden address', async () => {
    const found = [[], ['127.0.0.1']]
    slackAddresses = ['127.0.0.1']
    const asked = everyRoad.asked.length
    const network = {
      ...everyRoad,
      resolve: async (name: string) => {
        const next = found.shift()
        if (next?.length === 0) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
        return await everyRoad.resolve(name)
      },
    }
    const id = await world.opened({ approvalRule: world.rule(1), actions: [slack] })
    await world.voted(world.cleo, id, 'APPROVE')
    expect(await delivered({ ...world.ctx, network }, id)).toMatchObject([{ status: 'error', attempts: 2 }])
    expect(everyRoad.asked.slice(asked)).toEqual(['hooks.slack.com'])
    expect(everyRoad.dialled).toEqual([])
  })
})

// Connections are taken in the order in which they came: an earlier one would have been counted before this one.
it('the canary hears what is allowed, so it would have heard these', async () => {
  expect(await sent(hook(`http://allowed.example:${canary.port}/`))).toMatchObject([
    { status: 'completed', attempts: 1, response: { status: 200, body: 'reached' } },
  ])
  expect(everyRoad.dialled.map(isIP)).toEqual([4])
  expect(canary.connections).toBe(1)
})
