import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDueJobs } from '../../src/jobs/worker.ts'
import { startHttpSink, type HttpSink, type SinkAnswer } from '../helpers/http-sink.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'

let sink: HttpSink
let world: WorkflowWorld
let answer: SinkAnswer

beforeAll(async () => {
  sink = await startHttpSink((response) => answer(response))
  answer = (response) => response.end('thanks')
  world = await startWorkflowWorld({ network: sink.network, env: { QUORATE_DELIVERY_WAIT: '0.01' } })
})

afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

const hook = (members: object = {}) => ({
  type: 'WEBHOOK',
  url: 'https://hooks.example/in',
  ...members,
})

/** A workflow with these actions, and whatever the sink heard of it after the jobs ran. */
async function opened(...actions: object[]): Promise<string> {
  return await world.opened({ approvalRule: world.rule(1), actions })
}

async function heardOf(id: string) {
  await runDueJobs(world.ctx)
  return sink.calls.map(({ body }) => JSON.parse(body)).filter(({ workflowId }) => workflowId === id)
}

describe('after a decision', () => {
  it('an approval calls the webhook once', async () => {
    const id = await opened(hook())
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
    expect(await heardOf(id)).toMatchObject([{ status: 'APPROVED' }])
    expect(await heardOf(id)).toHaveLength(1)
    const rows = await world.ctx.db.selectFrom('deliveries').selectAll().where('request_id', '=', id).execute()
    expect(rows).toMatchObject([{ status: 'completed', attempts: 1, response: { status: 200, body: 'thanks' } }])
  })
})
