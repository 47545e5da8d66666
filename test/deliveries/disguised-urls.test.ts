import { isIP } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { delivered, type Delivery } from '../helpers/delivered.ts'
import { disguisedNames, disguisedUrls } from '../helpers/disguised-urls.ts'
import { http, startListening, type Listening } from '../helpers/listening.ts'
import { roads, type Roads } from '../helpers/roads.ts'
import { expectRefusal, templates } from '../helpers/templates.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'

/** Where every road leads; it hears whatever is dialled, also when nothing is said. */
let canary: Listening
let everyRoad: Roads
let world: WorkflowWorld
/** What hooks.slack.com resolves to. */
let slackAddresses: readonly string[]

beforeAll(async () => {
  canary = await startListening(http((_, reply) => reply.end('reached')))
  everyRoad = roads({
    ...disguisedNames,
    'allowed.example': ['127.0.0.1'],
    'hooks.slack.com': () => slackAddresses,
  })
  const env = { QUORATE_DELIVERY_WAIT: '0.001', QUORATE_WEBHOOK_ALLOW: 'allowed.example' }
  world = await startWorkflowWorld({ network: everyRoad, env })
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

const hook = (url: string) => ({ type: 'WEBHOOK', url })

describe('a webhook of a template at a forbidden address is refused when it is written, or when it is sent', () => {
  it.each(disguisedUrls)('$form', async ({ url }) => {
    const action = hook(url(canary.port))
    const { status, body } = await world.ada.post(templates, world.draft({ actions: [action] }))
    if (status === 201) {
      expect(await sent(action)).toMatchObject([{ status: 'error', attempts: 1, response: null }])
    } else {
      expect(body).toMatchObject({ code: 'WORKFLOW_ACTION_URL_INVALID', details: [{ field: 'actions[0].url' }] })
    }
    expect(everyRoad.dialled).toEqual([])
    expect(canary.connections).toBe(0)
  })

  it('most of them only when it is sent, so the guard was asked', async () => {
    const accepted = disguisedUrls.filter(({ url }) => /^https?:$/.test(URL.parse(url(canary.port))?.protocol ?? ''))
    expect(accepted.length).toBeGreaterThanOrEqual(120)
  })
})

describe('a Slack action', () => {
  it.each(disguisedUrls)('is refused when it is written as $form', async ({ url }) => {
    const action = { type: 'SLACK', webhookUrl: url(canary.port) }
    const answer = await world.ada.post(templates, world.draft({ actions: [action] }))
    expectRefusal(answer, 400, 'WORKFLOW_ACTION_WEBHOOK_URL_INVALID', 'actions[0].webhookUrl')
  })

  const answers = Object.entries(disguisedNames)
  it.each(answers)('is not sent when its name resolves as %s: %j', async (_, addresses) => {
    slackAddresses = addresses
    const deliveries = await sent({ type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T/B/X' })
    expect(deliveries).toMatchObject([{ status: 'error', attempts: 1, response: null }])
    expect(deliveries[0]?.reason).toContain('hooks.slack.com')
    expect(everyRoad.dialled).toEqual([])
    expect(canary.connections).toBe(0)
  })

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
    const id = await world.opened({
      approvalRule: world.rule(1),
      actions: [{ type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T/B/X' }],
    })
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
