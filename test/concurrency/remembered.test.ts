import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  inBatches,
  insertGroupOf,
  insertRequests,
  insertVoters,
  moments,
  send,
  type SentVote,
  type Voter,
} from '../helpers/crowd.ts'
import { dice } from '../helpers/dice.ts'
import { closePolicy, removeMember, removeRoles } from '../helpers/facts.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { faultsOf, loadHistories } from '../helpers/history.ts'
import { addMember, giveRole, insertPolicy, orgId, seats } from '../helpers/quorum.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

/**
 * A server that has seen a voter and a request votes from memory (ADR 2). Everything here happens to what it remembers, most
 * of it through another server on the same database, which cannot tell it.
 */
describe('what a server remembers is never relied on unproved', () => {
  let here: World
  let there: World
  let admin: Client
  let voters: readonly Voter[]
  let requester: Voter

  beforeAll(async () => {
    const databaseUrl = await freshDatabase()
    here = await startWorld({ databaseUrl })
    there = await startWorld({ databaseUrl })
    const boss = await there.person('Admin', { admin: true })
    admin = await there.signedIn(boss.id)
    voters = await insertVoters(
      here.ctx,
      Array.from({ length: 24 }, () => ({})),
    )
    requester = voters[0] as Voter
  })
  afterAll(async () => {
    await there.close()
    await here.close()
  })

  interface Scene {
    readonly requestId: string
    readonly policyId: string
    readonly group: string
    readonly mine: Client
    readonly mineThere: Client
    readonly colleague: Client
    readonly me: Voter
    readonly members: readonly string[]
    readonly sent: SentVote[]
  }

  /** A request that needs five of a group, and a voter of whom this server has seen all there is to see. */
  async function remembered(me = voters[1] as Voter): Promise<Scene> {
    const members = voters.map(({ id }) => id)
    const group = await insertGroupOf(here.ctx, members)
    const policyId = await insertPolicy(here.ctx, seats(group, 5))
    const [requestId] = (await insertRequests(here.ctx, policyId, requester, 1)) as [string]
    const mine = await here.signedIn(me.id)
    const mineThere = await there.signedIn(me.id)
    const colleague = await there.signedIn((voters[2] as Voter).id)
    expect((await mine.get(`/workflows/${requestId}/canVote`)).body.canVote).toBe(true)
    return { requestId, policyId, group, mine, mineThere, colleague, me, members, sent: [] }
  }

  async function approve(scene: Scene, client = scene.mine): Promise<string> {
    const answer = await send(client, scene.requestId, 'approve', [scene.group])
    scene.sent.push(answer)
    return `${answer.status} ${answer.said}`
  }

  async function tallyOf({ requestId, group, members, sent }: Scene): Promise<number[]> {
    const [history] = await loadHistories(here.ctx, [requestId])
    if (history === undefined) throw new Error('no history')
    expect(faultsOf(history, { voters, groups: { [group]: members } }, sent)).toEqual([])
    return [...history.request.tally.approvals]
  }

  it('a second approval from memory replaces the first', async () => {
    const scene = await remembered()
    for (let time = 0; time < 3; time++) expect(await approve(scene)).toBe('200 EVALUATION_IN_PROGRESS')
    expect(await tallyOf(scene)).toEqual([1])
  })

  it('a vote that the voter cast on another server is found', async () => {
    const scene = await remembered()
    await approve(scene, scene.mineThere)
    await approve(scene)
    expect(await tallyOf(scene)).toEqual([1])
    scene.sent.push(await send(scene.mineThere, scene.requestId, 'withdraw'))
    await approve(scene)
    expect(await tallyOf(scene)).toEqual([1])
  })

  it('a vote of the voter that is no longer remembered is found too', async () => {
    const scene = await remembered()
    await approve(scene)
    // The voter and the request are seen again, the voter's own vote is not.
    const { votingMemory } = here.ctx.store
    const colleague = await here.signedIn((voters[2] as Voter).id)
    await colleague.get(`/workflows/${scene.requestId}/canVote`)
    const kept = votingMemory.recall(orgId, scene.requestId, scene.me.id, here.ctx.clock.now())
    votingMemory.forget(orgId, scene.requestId, scene.me.id)
    votingMemory.learn(orgId, scene.me.id, { ...kept!, own_seq: null, own_stance: null })
    await approve(scene)
    expect(await tallyOf(scene)).toEqual([1])
  })

  it('the votes of others on another server are counted', async () => {
    const scene = await remembered()
    await approve(scene, scene.colleague)
    await approve(scene)
    expect(await tallyOf(scene)).toEqual([2])
  })

  it('the vote that completes the quorum decides, whoever cast the others where', async () => {
    const scene = await remembered()
    for (const voter of voters.slice(2, 6)) await approve(scene, await there.signedIn(voter.id))
    expect(await approve(scene)).toBe('200 APPROVED')
    expect(await approve(scene)).toBe('422 WORKFLOW_ALREADY_APPROVED')
  })

  it('someone who was taken out of the group is refused', async () => {
    const scene = await remembered()
    await approve(scene)
    expect((await removeMember(admin, scene.group, scene.me.id)).status).toBe(200)
    expect(await approve(scene)).toBe('422 ENTITY_NOT_IN_REQUIRED_GROUP')
  })

  it('someone who was let into the group after a refusal is taken', async () => {
    const scene = await remembered()
    expect((await removeMember(admin, scene.group, scene.me.id)).status).toBe(200)
    expect(await approve(scene)).toBe('422 ENTITY_NOT_IN_REQUIRED_GROUP')
    await addMember(there.ctx, scene.group, scene.me.id)
    expect(await approve(scene)).toBe('200 EVALUATION_IN_PROGRESS')
  })

  it('canVote says at once what was taken from someone and what they were given', async () => {
    const [voter] = (await insertVoters(there.ctx, [{}])) as [Voter]
    const scene = await remembered()
    const client = await here.signedIn(voter.id)
    const asked = async () => {
      const { canVote, cantVoteReason } = (await client.get(`/workflows/${scene.requestId}/canVote`)).body
      return canVote ? 'yes' : cantVoteReason
    }
    expect(await asked()).toBe('ENTITY_NOT_IN_GROUP')
    await addMember(there.ctx, scene.group, voter.id)
    expect(await asked()).toBe('yes')
    await removeMember(admin, scene.group, voter.id)
    expect(await asked()).toBe('ENTITY_NOT_IN_GROUP')
    await addMember(there.ctx, scene.group, voter.id)
    await removeRoles(there.ctx, voter.id)
    expect(await asked()).toBe('NO_PERMISSIONS')
    await giveRole(there.ctx, voter.id)
    expect(await asked()).toBe('yes')
  })

  it('someone who lost the right is refused', async () => {
    const [leaver] = (await insertVoters(here.ctx, [{}])) as [Voter]
    const scene = await remembered()
    const group = await insertGroupOf(here.ctx, [leaver.id])
    const policyId = await insertPolicy(here.ctx, seats(group, 5))
    const [requestId] = (await insertRequests(here.ctx, policyId, requester, 1)) as [string]
    const leaving = { ...scene, requestId, group, mine: await here.signedIn(leaver.id) }
    expect(await approve(leaving)).toBe('200 EVALUATION_IN_PROGRESS')
    await removeRoles(there.ctx, leaver.id)
    expect(await approve(leaving)).toBe('403 ENTITY_NOT_ELIGIBLE_TO_VOTE')
  })

  it('someone who was disabled is refused', async () => {
    const [leaver] = (await insertVoters(here.ctx, [{}])) as [Voter]
    const scene = await remembered()
    await addMember(here.ctx, scene.group, leaver.id)
    const client = await here.signedIn(leaver.id)
    expect(await approve(scene, client)).toBe('200 EVALUATION_IN_PROGRESS')
    await there.ctx.db.updateTable('principals').set({ disabled_at: new Date() }).where('id', '=', leaver.id).execute()
    expect(await approve(scene, client)).toMatch(/^40[14] /)
  })

  it('a workflow that was canceled, or is gone, takes no vote', async () => {
    const scene = await remembered()
    await approve(scene)
    const change = { status: 'canceled', is_final: true } as const
    await there.ctx.db.updateTable('requests').set(change).where('id', '=', scene.requestId).execute()
    expect(await approve(scene)).toBe('422 WORKFLOW_CANCELLED')
    await there.ctx.db.deleteFrom('requests').where('id', '=', scene.requestId).execute()
    expect(await approve(scene)).toBe('404 WORKFLOW_NOT_FOUND')
  })

  it('a template that takes no more votes takes none from memory', async () => {
    const scene = await remembered()
    await approve(scene)
    await closePolicy(there.ctx, scene.policyId)
    expect(await approve(scene)).toBe('422 WORKFLOW_TEMPLATE_NOT_ACTIVE')
  })

  it('a quota that was set, lowered or lifted meanwhile is the one that holds', async () => {
    const scene = await remembered()
    await approve(scene)
    const at = new Date()
    const quota = { org_id: orgId, id: here.ctx.newId(), quota_type: 'MAX_VOTES_PER_WORKFLOW', scope: 'Workflow' }
    const row = { ...quota, target_id: scene.requestId, limit: 1, created_at: at, updated_at: at }
    await there.ctx.db.insertInto('quotas').values(row).execute()
    expect(await approve(scene)).toMatch(/ QUOTA_EXCEEDED$/)
    await there.ctx.db.updateTable('quotas').set({ limit: 2 }).where('id', '=', quota.id).execute()
    expect(await approve(scene)).toBe('200 EVALUATION_IN_PROGRESS')
    expect(await approve(scene)).toMatch(/ QUOTA_EXCEEDED$/)
    await there.ctx.db.deleteFrom('quotas').where('id', '=', quota.id).execute()
    expect(await approve(scene)).toBe('200 EVALUATION_IN_PROGRESS')
  })

  it('a name leads to the same request as its id', async () => {
    const scene = await remembered()
    await approve(scene)
    await approve({ ...scene, requestId: `r-${scene.requestId}`, sent: [] })
    const [history] = await loadHistories(here.ctx, [scene.requestId])
    expect(history?.votes.map(({ seq }) => seq)).toEqual([1, 2])
    expect(history?.request.tally.approvals).toEqual([1])
  })

  it('the deadline needs no memory of its own', async () => {
    const scene = await remembered()
    await approve(scene)
    here.clock.advance(2 * 86_400_000)
    expect(await approve(scene, await here.signedIn(scene.me.id))).toBe('422 WORKFLOW_EXPIRED')
  })

  it('200 times, a removal beside a vote from memory comes wholly before it or wholly after', async () => {
    const chance = dice(5)
    const outcomes = new Set<string>()
    const scenes = Array.from({ length: 200 }, (_, round) => voters[1 + (round % 20)] as Voter)
    await inBatches(scenes, 8, async (me) => {
      const scene = await remembered(me)
      await approve(scene)
      const [said] = await Promise.all([
        moments(chance.roll(24)).then(() => approve(scene)),
        removeMember(admin, scene.group, me.id),
      ])
      outcomes.add(said)
      await tallyOf(scene)
    })
    expect([...outcomes].toSorted()).toEqual(['200 EVALUATION_IN_PROGRESS', '422 ENTITY_NOT_IN_REQUIRED_GROUP'])
  })

  it('twenty voters on two servers lose no vote to each other’s memory', async () => {
    const scene = await remembered()
    const crowd = voters.slice(1, 5)
    const clients = await Promise.all(crowd.flatMap(({ id }) => [here.signedIn(id), there.signedIn(id)]))
    for (let wave = 0; wave < 10; wave++) await Promise.all(clients.map((client) => approve(scene, client)))
    expect(await tallyOf(scene)).toEqual([4])
    expect(scene.sent.filter(({ status }) => status === 200)).toHaveLength(80)
  })
})
