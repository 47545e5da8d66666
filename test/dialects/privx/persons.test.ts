import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { engine, hold, role, startAccessScene, step, type AccessScene } from '../../helpers/access.ts'
import { machine } from '../../helpers/agents.ts'
import type { Answer, Client } from '../../helpers/world.ts'

let scene: AccessScene
beforeAll(async () => void (scene = await startAccessScene()))
afterAll(() => scene[Symbol.asyncDispose]())

const refusal = ({ status, body }: Answer) => [status, body.error_code]
const denied = [403, 'PERMISSION_DENIED']

let wanted: string
let first: string
let second: string
beforeEach(async () => {
  const { ctx } = scene.world
  wanted = await role(ctx, `wanted ${ctx.newId()}`)
  first = await role(ctx, `first ${ctx.newId()}`)
  second = await role(ctx, `second ${ctx.newId()}`)
})

/** A signed-in agent that a person answers for. */
async function agentOf(owner: Client | null): Promise<Client> {
  const { world } = scene
  return await world.signedIn((await machine(world, `agent ${world.ctx.newId()}`, owner)).id)
}

async function holding(groupId: string, ...clients: readonly Client[]): Promise<void> {
  for (const { id } of clients) await hold(scene.world.ctx, groupId, id)
}

async function askedBy(client: Client, steps: readonly object[], question: object = {}): Promise<string> {
  await scene.workflow({ target_roles: [{ id: wanted }], steps })
  return await scene.ask(client, { requested_role: { id: wanted }, ...question })
}

async function waitsFor(client: Client, id: string): Promise<boolean> {
  const { body } = await client.get(`${engine}/requests?filter=active_approvals&limit=100`)
  const { body: inbox } = await client.get('/v1/inbox?limit=100')
  const isIn = (items: { id: string }[]) => items.some((item) => item.id === id)
  const [queued, inInbox] = [isIn(body.items), isIn(inbox.requests)]
  // Two readers of what the engine would say.
  expect(inInbox).toBe(queued)
  return queued
}

describe('a person and the agents that they answer for are one', () => {
  it('whoever asks through an agent does not approve it, nor does another agent of theirs', async () => {
    const { ben, cleo } = scene
    const [asks, stands] = [await agentOf(ben), await agentOf(ben)]
    await holding(first, ben, stands, cleo)
    const id = await askedBy(asks, [step('ANY', first)])
    for (const client of [asks, ben, stands]) {
      expect(await waitsFor(client, id)).toBe(false)
      for (const decision of ['APPROVED', 'DENIED'] as const) {
        expect(refusal(await scene.decide(client, id, decision))).toEqual(denied)
      }
    }
    expect(await waitsFor(cleo, id)).toBe(true)
    expect((await scene.decide(cleo, id, 'APPROVED')).status).toBe(200)
  })

  it('what a person asks for none of their agents approves', async () => {
    const { ben } = scene
    const agent = await agentOf(ben)
    await holding(first, agent)
    const id = await askedBy(ben, [step('ANY', first)])
    expect(await waitsFor(agent, id)).toBe(false)
    expect(refusal(await scene.decide(agent, id, 'APPROVED'))).toEqual(denied)
  })

  it('what is for an agent its person does not approve, nor what is for a person their agent', async () => {
    const { ada, ben, cleo } = scene
    const agent = await agentOf(ben)
    await holding(first, ben, agent, cleo)
    const forAgent = await askedBy(ada, [step('ANY', first)], { target_user: { id: agent.id } })
    const forBen = await scene.ask(ada, { requested_role: { id: wanted }, target_user: { id: ben.id } })
    for (const id of [forAgent, forBen]) {
      for (const client of [ben, agent]) {
        expect(await waitsFor(client, id)).toBe(false)
        expect(refusal(await scene.decide(client, id, 'APPROVED'))).toEqual(denied)
      }
      expect(await waitsFor(cleo, id)).toBe(true)
    }
  })

  it('they take one place in a step between them, and may act again in the next', async () => {
    const { ben, cleo, carl } = scene
    const agent = await agentOf(cleo)
    await holding(first, cleo, agent)
    await holding(second, agent, carl)
    const id = await askedBy(ben, [step('ALL', first, second), step('ANY', first)])
    expect([await waitsFor(cleo, id), await waitsFor(agent, id)]).toEqual([true, true])
    expect((await scene.decide(cleo, id, 'APPROVED')).status).toBe(200)
    expect([await waitsFor(agent, id), await waitsFor(carl, id)]).toEqual([false, true])
    const { body: shown } = await agent.get(`/v1/requests/${id}`)
    expect([shown.canVote, shown.cantVoteReason]).toEqual([false, 'ALREADY_VOTED'])
    for (const decision of ['APPROVED', 'DENIED'] as const) {
      expect(refusal(await scene.decide(agent, id, decision))).toEqual(denied)
    }
    expect((await scene.decide(carl, id, 'APPROVED')).status).toBe(200)
    expect(await waitsFor(agent, id)).toBe(true)
    expect((await scene.decide(agent, id, 'APPROVED', { step: 1 })).status).toBe(200)
    expect((await scene.request(id)).status).toBe('APPROVED')
  })

  it('the place that an agent took before another person answered for it stays that person’s', async () => {
    const { ada, ben, carl, cleo } = scene
    const agent = await agentOf(cleo)
    await holding(first, agent)
    await holding(second, cleo, carl)
    const id = await askedBy(ben, [step('ALL', first, second)])
    await scene.decide(agent, id, 'APPROVED')
    await ada.patch(`/v1/agents/${agent.id}`, { ownerId: carl.id })
    expect([await waitsFor(cleo, id), await waitsFor(carl, id)]).toEqual([false, true])
    expect(refusal(await scene.decide(cleo, id, 'APPROVED'))).toEqual(denied)
    expect((await scene.decide(carl, id, 'APPROVED')).status).toBe(200)
    expect((await scene.request(id)).status).toBe('APPROVED')
  })

  it('who nobody answers for is only themselves', async () => {
    const [asks, approves, also] = [await agentOf(null), await agentOf(null), await agentOf(null)]
    await holding(first, asks, approves)
    await holding(second, also)
    const id = await askedBy(asks, [step('ALL', first, second)])
    expect(refusal(await scene.decide(asks, id, 'APPROVED'))).toEqual(denied)
    const { body } = await scene.ada.get(`/v1/requests/${id}`)
    expect(body.open.finishingSets).toHaveLength(1)
    for (const client of [approves, also]) {
      expect(await waitsFor(client, id)).toBe(true)
      expect((await scene.decide(client, id, 'APPROVED')).status).toBe(200)
    }
    expect((await scene.request(id)).status).toBe('APPROVED')
  })
})
