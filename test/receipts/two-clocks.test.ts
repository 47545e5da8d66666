import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { machine } from '../helpers/agents.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { logKeyOf, receiptFile, statementIn, trusting, verdictOn, voterKeys } from '../helpers/receipts.ts'
import { goodClaims, signedVote, signer, voteWith } from '../helpers/vote-signatures.ts'
import { startWorkflowWorld, workflows, type WorkflowWorld } from '../helpers/workflows.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

/** Seconds. */
const behindBy = 90

describe('a server whose clock is behind that of another', () => {
  let world: WorkflowWorld
  let behind: World
  beforeAll(async () => {
    const databaseUrl = await freshDatabase()
    world = await startWorkflowWorld({ databaseUrl })
    behind = await startWorld({ databaseUrl, start: new Date(world.clock.now().getTime() - behindBy * 1000) })
  })
  afterAll(async () => {
    await behind.close()
    await world.close()
  })

  const there = async (client: Client) => await behind.signedIn(client.id)
  const voteThere = async (client: Client, id: string, type = 'APPROVE') => {
    const voteType = { type, ...(type === 'APPROVE' && { votedForGroups: [world.guards] }) }
    const answer = await (await there(client)).post(`${workflows}/${id}/vote`, { voteType })
    expect(answer).toMatchObject({ status: 200 })
  }
  /** The receipt verifies, and of everything that happened the log has a time that is not before the last one. */
  const timesOf = async (id: string, more: Parameters<typeof trusting>[1] = {}) => {
    const file = await receiptFile(world, world.ada, id)
    expect(verdictOn(file, trusting([await logKeyOf(world.ctx)], more))).toBe('verified')
    const { request, votes, changes } = statementIn(file).predicate
    const events = [...votes, ...changes].toSorted((a, b) => a.leaf.index - b.leaf.index)
    const times = [request.createdAt, ...events.map(({ at }) => at)]
    expect(times).toEqual(times.toSorted())
    return times
  }
  const stored = async (id: string) =>
    await world.ctx.db
      .selectFrom('requests')
      .select(['created_at', 'updated_at'])
      .where('id', '=', id)
      .executeTakeFirst()

  it('takes votes at the time of what happened last, also those that it casts from memory', async () => {
    const id = await world.opened({ approvalRule: world.rule(3) })
    await voteThere(world.cleo, id, 'VETO')
    await voteThere(world.cleo, id, 'WITHDRAW')
    world.clock.advance(1_000)
    const now = world.clock.now().toISOString()
    await world.voted(world.dan, id, 'APPROVE')
    await voteThere(world.cleo, id)
    await voteThere(world.dan, id, 'WITHDRAW')
    await voteThere(world.dan, id)
    await voteThere(world.eli, id)
    expect((await timesOf(id)).slice(3)).toEqual([now, now, now, now, now])
    expect((await stored(id))?.updated_at.toISOString()).toBe(now)
  })

  it('and so does one whose own clock is set back, of voters that it remembers', async () => {
    const id = await world.opened({ approvalRule: world.rule(3) })
    await world.voted(world.cleo, id, 'APPROVE')
    await world.voted(world.dan, id, 'APPROVE')
    world.clock.advance(10_000)
    await world.voted(world.dan, id, 'WITHDRAW')
    world.clock.advance(-10_000)
    await world.voted(world.cleo, id, 'WITHDRAW')
    await world.voted(world.cleo, id, 'APPROVE')
    await world.voted(world.dan, id, 'APPROVE')
    await world.voted(world.eli, id, 'APPROVE')
    world.clock.advance(10_000)
    expect((await timesOf(id)).at(-1)).toBe(world.clock.now().toISOString())
  })

  it('and so takes commands', async () => {
    const advisory = { advisory: true, approvalRule: world.rule(3) }
    const id = await world.opened({ approvalRule: undefined, stages: [advisory, { approvalRule: world.rule(3) }] })
    world.clock.advance(1_000)
    await world.voted(world.cleo, id, 'APPROVE')
    const ada = await there(world.ada)
    expect(await ada.post(`/v1/workflows/${id}/close-stage`)).toMatchObject({ status: 200 })
    await voteThere(world.cleo, id)
    world.clock.advance(1_000)
    await world.voted(world.dan, id, 'APPROVE')
    expect(await ada.post(`/v1/workflows/${id}/cancel`)).toMatchObject({ status: 200 })
    expect((await timesOf(id)).at(-1)).toBe(world.clock.now().toISOString())
  })

  it('and so cancels with the template, each workflow at a time of its own', async () => {
    const template = await world.made({ approvalRule: world.rule(3) })
    const [early, late] = [await world.openedUnder(template.id), await world.openedUnder(template.id)]
    world.clock.advance(1_000)
    await world.voted(world.cleo, late, 'APPROVE')
    const answer = await (
      await there(world.ada)
    ).post(`/workflow-templates/${template.id}/deprecate`, {
      cancelWorkflows: true,
    })
    expect(answer.status).toBeLessThan(300)
    const [first, second] = [await timesOf(early), await timesOf(late)]
    expect(first.at(-1)).toBe(first[0])
    expect(second.at(-1)).toBe(world.clock.now().toISOString())
    for (const [id, times] of [
      [early, first],
      [late, second],
    ] as const) {
      expect((await stored(id))?.updated_at.toISOString()).toBe(times.at(-1))
    }
  })

  it('judges a signature by that time too', async () => {
    const bot = await signer(world, await machine(world, 'bot', world.ada))
    const id = await world.opened({ approvalRule: { ...world.rule(1), requireSignature: true } })
    const client = await there(bot.client)
    const iat = Number((await goodClaims(world, bot, id))['iat'])
    const old = await signedVote(world, bot, id, { claims: { iat: iat - 301 } })
    expect(await voteWith(client, id, old, 'APPROVE', [world.guards])).toMatchObject({
      body: { code: 'VOTE_SIGNATURE_EXPIRED' },
    })
    const good = await signedVote(world, bot, id, { claims: { iat: iat - behindBy } })
    expect(await voteWith(client, id, good, 'APPROVE', [world.guards])).toMatchObject({ status: 200 })
    await timesOf(id, { voterKeys: voterKeys(bot) })
  })
})
