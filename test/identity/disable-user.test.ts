import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { machine, proofFor, signedInAgent } from '../helpers/agents.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { giveRole, orgId } from '../helpers/quorum.ts'
import { startedSignIn } from '../helpers/sign-in.ts'
import { expectRefusal, nowhere } from '../helpers/templates.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

/** Two servers on one PostgreSQL: whom one shuts out the other shuts out. */
let world: WorkflowWorld
let other: World
beforeAll(async () => {
  const databaseUrl = await freshDatabase()
  world = await startWorkflowWorld({ databaseUrl })
  other = await startWorld({ databaseUrl })
})
afterAll(async () => {
  await other.close()
  await world.close()
})

const disable = (by: Client, id: string) => by.post(`/v1/users/${id}/disable`)
const enable = (by: Client, id: string) => by.post(`/v1/users/${id}/enable`)
const signIn = async (email: string, at: World = world) =>
  await at.anyone.post('/auth/cli/token', await startedSignIn(at, email))
const leavesOf = async (principalId: string) =>
  (
    await world.ctx.db
      .selectFrom('audit_leaves')
      .select('kind')
      .where('subject_id', '=', principalId)
      .where('kind', 'in', ['user.disabled', 'user.enabled', 'sessions.ended'])
      .orderBy('id')
      .execute()
  ).map(({ kind }) => kind)

describe('POST /v1/users/{userId}/disable', () => {
  it('204: refused on the next call on every server, whatever they call with, and can neither refresh nor sign in', async () => {
    const { body } = await signIn('shut@example.com')
    const id = decodeJwt(body.accessToken).sub ?? ''
    const unbound = await world.signedIn(id)
    const clients = [world.withToken(id, body.accessToken), other.withToken(id, body.accessToken), unbound]
    for (const client of clients) expect((await client.get('/auth/info')).status).toBe(200)
    const answer = await disable(world.ada, id.toUpperCase())
    expect([answer.status, answer.body]).toEqual([204, ''])
    for (const client of clients) expectRefusal(await client.get('/auth/info'), 401, 'USER_NOT_FOUND')
    const renewal = await other.anyone.post('/auth/cli/refresh', { refreshToken: body.refreshToken })
    expectRefusal(renewal, 401, 'REFRESH_TOKEN_REVOKED')
    for (const at of [world, other]) expectRefusal(await signIn('shut@example.com', at), 401, 'USER_NOT_FOUND')
    expect(await leavesOf(id)).toEqual(['sessions.ended', 'user.disabled'])
  })

  it('204 and nothing more for whoever is disabled already', async () => {
    const { id } = await world.person('Twice')
    for (let time = 0; time < 2; time++) expect((await disable(world.ada, id)).status).toBe(204)
    expect(await leavesOf(id)).toEqual(['user.disabled'])
  })

  it.each(['disable', 'enable'])(
    '%s: 403 for anyone but an admin, 404 for who is no user, 401 for nobody',
    async (verb) => {
      const url = (id: string) => `/v1/users/${id}/${verb}`
      for (const client of [world.ben, world.robot]) {
        expectRefusal(await client.post(url(world.cleo.id)), 403, 'REQUESTOR_NOT_AUTHORIZED')
        expectRefusal(await client.post(url(nowhere)), 403, 'REQUESTOR_NOT_AUTHORIZED')
      }
      for (const id of [nowhere, 'x', world.robot.id])
        expectRefusal(await world.ada.post(url(id)), 404, 'USER_NOT_FOUND')
      expectRefusal(await world.anyone.post(url(world.cleo.id)), 401, 'MISSING_JWT_TOKEN')
    },
  )

  it('409 ORGANIZATION_ADMIN_IS_LAST for the only admin, 409 USER_CANNOT_DISABLE_SELF for one of two', async () => {
    expectRefusal(await disable(world.ada, world.ada.id), 409, 'ORGANIZATION_ADMIN_IS_LAST')
    const second = await world.person('Second', { admin: true })
    expectRefusal(await disable(world.ada, world.ada.id), 409, 'USER_CANNOT_DISABLE_SELF')
    expect((await world.ada.get('/auth/info')).status).toBe(200)
    expect((await disable(world.ada, second.id)).status).toBe(204)
    expectRefusal(await disable(world.ada, world.ada.id), 409, 'ORGANIZATION_ADMIN_IS_LAST')
  })

  it('of two admins who disable each other at once on two servers, one is left', async () => {
    for (let round = 0; round < 5; round++) {
      const [one, two] = [
        await world.person(`One${round}`, { admin: true }),
        await world.person(`Two${round}`, { admin: true }),
      ]
      const there = await other.signedIn(two.id)
      const answers = await Promise.all([disable(one, two.id), disable(there, one.id)])
      expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['204', '401'])
    }
  })

  it('no session of a sign-in that was under way comes back with the person', async () => {
    for (let round = 0; round < 8; round++) {
      const email = `underway${round}@example.com`
      const { id } = await world.person(`Underway${round}`)
      const proof = await startedSignIn(other, email)
      const [signedIn] = await Promise.all([other.anyone.post('/auth/cli/token', proof), disable(world.ada, id)])
      expect((await enable(world.ada, id)).status).toBe(204)
      if (signedIn.status !== 200) continue
      const { accessToken, refreshToken } = signedIn.body
      expectRefusal(await world.anyone.post('/auth/cli/refresh', { refreshToken }), 401, 'REFRESH_TOKEN_REVOKED')
      expectRefusal(await world.withToken(id, accessToken).get('/auth/info'), 401, 'SESSION_ENDED')
    }
  })
})

describe('POST /v1/users/{userId}/enable', () => {
  it('204: they sign in again, with the roles they had; what ended stays ended', async () => {
    const { body } = await signIn('eli@example.com')
    await disable(world.ada, world.eli.id)
    expect((await enable(world.ada, world.eli.id)).status).toBe(204)
    expect((await enable(world.ada, world.eli.id)).status).toBe(204)
    expectRefusal(await world.withToken('', body.accessToken).get('/auth/info'), 401, 'SESSION_ENDED')
    const renewal = await world.anyone.post('/auth/cli/refresh', { refreshToken: body.refreshToken })
    expectRefusal(renewal, 401, 'REFRESH_TOKEN_REVOKED')
    const { body: fresh } = await signIn('eli@example.com')
    const { body: info } = await other.withToken('', fresh.accessToken).get('/auth/info')
    expect(info).toMatchObject({ id: world.eli.id, roles: [{ roleName: 'OrgWideWorkflowTemplateVoter' }] })
    expect(await leavesOf(world.eli.id)).toEqual(['sessions.ended', 'user.disabled', 'user.enabled'])
  })
})

describe('what a disabled person voted', () => {
  const workflowOf = async (recheckEligibility: boolean) =>
    await world.opened({ approvalRule: world.rule(2), options: { recheckEligibility } })

  it('stays readable, and counts no longer in an open decision where the policy checks again', async () => {
    const [left, second, third] = [
      await world.voter('Left', [world.guards]),
      await world.voter('Stay', [world.guards]),
      await world.voter('Last', [world.guards]),
    ]
    const [checked, unchecked] = [await workflowOf(true), await workflowOf(false)]
    for (const id of [checked, unchecked]) expect(await world.voted(left, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    await disable(world.ada, left.id)
    expect(await world.voted(second, unchecked, 'APPROVE')).toBe('APPROVED')
    expect(await world.voted(second, checked, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    for (const id of [checked, unchecked]) {
      const { body } = await world.ada.get(`/workflows/${id}/votes`)
      expect(body.votes).toMatchObject([{ voterId: left.id }, { voterId: second.id }])
    }
    expect((await world.ada.get(`/users/${left.id}`)).body).toMatchObject({ id: left.id, displayName: 'Left' })
    expect(await world.voted(third, checked, 'APPROVE')).toBe('APPROVED')
  })

  it('and they cast no more, also where a server remembers them as they were', async () => {
    const voter = await world.voter('Remembered', [world.guards])
    const there = await other.signedIn(voter.id)
    const id = await world.opened({ approvalRule: world.rule(3) })
    for (const client of [voter, there, voter, there]) {
      expect((await world.vote(client, id, 'APPROVE')).status).toBe(200)
    }
    await disable(world.ada, voter.id)
    for (const client of [voter, there]) expectRefusal(await world.vote(client, id, 'APPROVE'), 401, 'USER_NOT_FOUND')
  })
})

describe('the agents of a disabled person', () => {
  it('are shut out with them: signed in, with their key, with a refresh token, and as voters', async () => {
    const owner = await world.voter('Owner', [world.guards])
    const agent = await machine(world, 'worker', owner)
    const { accessToken, refreshToken } = await signedInAgent(world, agent)
    const { ctx } = world
    await giveRole(ctx, agent.id, 'OrgWideWorkflowTemplateVoter')
    const member = { org_id: orgId, group_id: world.guards, principal_id: agent.id, added_at: ctx.clock.now() }
    await ctx.db.insertInto('memberships').values(member).execute()
    const [checked, open] = [
      await world.opened({ approvalRule: world.rule(2), options: { recheckEligibility: true } }),
      await world.opened({ approvalRule: world.rule(3) }),
    ]
    const clients = [world, other].map((at) => at.withToken(agent.id, accessToken))
    for (const client of clients) expect((await world.vote(client, open, 'APPROVE')).status).toBe(200)
    expect(await world.voted(clients[0]!, checked, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')

    expect((await disable(world.ada, owner.id)).status).toBe(204)
    for (const client of clients) {
      expectRefusal(await client.get('/auth/info'), 401, 'AGENT_NOT_FOUND')
      expectRefusal(await world.vote(client, open, 'APPROVE'), 401, 'AGENT_NOT_FOUND')
    }
    const proof = await proofFor(world, agent, 'POST', '/auth/agents/refresh')
    const renewal = await world.anyone.post('/auth/agents/refresh', { refreshToken }, { dpop: proof })
    expect(renewal.status).toBeGreaterThanOrEqual(400)
    await expect(signedInAgent(world, agent)).rejects.toThrow()
    expect(await world.voted(world.cleo, checked, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    const leaves = await ctx.db
      .selectFrom('audit_leaves')
      .select('kind')
      .where('subject_id', '=', agent.id)
      .where('kind', 'in', ['agent.revoked', 'sessions.ended'])
      .orderBy('id')
      .execute()
    expect(leaves.map(({ kind }) => kind)).toEqual(['sessions.ended', 'agent.revoked'])
  })

  it('come back by an admin alone, once the person is back or somebody else answers for them', async () => {
    const [owner, heir] = [await world.person('Gone'), await world.person('Heir')]
    const [kept, passed] = [await machine(world, 'kept', owner), await machine(world, 'passed', owner)]
    await disable(world.ada, owner.id)
    const restore = (by: Client, id: string) => by.post(`/v1/agents/${id}/restore`)
    for (const { id } of [kept, passed]) {
      const { status, body } = await restore(world.ada, id)
      expect([status, body.code]).toEqual([400, 'USER_NOT_FOUND'])
    }
    await world.ada.patch(`/v1/agents/${passed.id}`, { ownerId: heir.id })
    expectRefusal(await restore(heir, passed.id), 403, 'REQUESTOR_NOT_AUTHORIZED')
    expect((await restore(world.ada, passed.id)).status).toBeLessThan(300)
    await signedInAgent(world, passed)
    await enable(world.ada, owner.id)
    await expect(signedInAgent(world, kept)).rejects.toThrow()
    expectRefusal(await restore(await world.signedIn(owner.id), kept.id), 403, 'REQUESTOR_NOT_AUTHORIZED')
    expect((await restore(world.ada, kept.id)).status).toBeLessThan(300)
    await signedInAgent(world, kept)
  })

  it('are none of those that were being registered', async () => {
    for (let round = 0; round < 3; round++) {
      const owner = await world.person(`Registrar${round}`)
      const [registered] = await Promise.all([
        owner.post('/agents/register', { agentName: `late-${round}` }),
        disable(world.ada, owner.id),
      ])
      if (registered.status !== 201) continue
      const client = await world.signedIn(registered.body.agentId)
      expectRefusal(await client.get('/auth/info'), 401, 'AGENT_NOT_FOUND')
    }
  })
})
