import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endDueGrants } from '../../src/identity/grants/end-due-grants.ts'
import { giveRoles } from '../../src/identity/grants/give-roles.ts'
import { listGrants } from '../../src/identity/grants/list-grants.ts'
import { startGrantEnds } from '../../src/jobs/grant-ends.ts'
import type { GrantTerms } from '../../src/kernel/grant-terms.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { orgId } from '../helpers/quorum.ts'
import { permanent, startRoleWorld, type RoleWorld } from '../helpers/role-requests.ts'
import type { Client } from '../helpers/world.ts'

const hour = 3_600_000

let world: RoleWorld
let serial = 0
beforeAll(async () => void (world = await startRoleWorld()))
afterAll(() => world.close())

const now = () => world.clock.now().getTime()
const newRole = () => world.role(`role ${++serial}`)
const newPerson = () => world.person(`Person${++serial}`)
const forHours = (hours: number, from = now()): GrantTerms => ({
  kind: 'time-restricted',
  startsAt: from,
  endsAt: from + hours * hour,
})
const give = async (who: Client, roles: readonly (readonly [string, GrantTerms | null])[]) =>
  await transact(world.ctx, null, (tx) =>
    giveRoles(world.ctx, tx, {
      orgId,
      actor: { kind: 'system' },
      principalId: who.id,
      roles: roles.map(([groupId, terms]) => ({ groupId, terms })),
    }),
  )
const groupsOf = async (who: Client) => (await world.standing(who)).map((grant) => grant.group_id).toSorted()
const endOf = async (id: string | null) =>
  await world.ctx.db
    .selectFrom('grants')
    .select(['ended_at', 'ended_because'])
    .where('id', '=', id ?? '')
    .executeTakeFirst()
const membersOf = async (role: string) => {
  const rows = await world.ctx.db.selectFrom('memberships').selectAll().where('group_id', '=', role).execute()
  const group = await world.ctx.db.selectFrom('groups').select('member_count').where('id', '=', role).executeTakeFirst()
  expect(group?.member_count).toBe(rows.length)
  return rows.map((row) => row.principal_id)
}

describe('giving roles', () => {
  it('makes the set that is given, ends what is not in it, and leaves alone what stays', async () => {
    const [who, one, two, three] = [await newPerson(), await newRole(), await newRole(), await newRole()]
    await give(who, [
      [one, permanent],
      [two, forHours(2)],
    ])
    const [before] = (await world.standing(who)).filter((grant) => grant.group_id === two)
    await give(who, [
      [two, forHours(2)],
      [three, null],
    ])
    expect(await groupsOf(who)).toEqual([two, three].toSorted())
    expect((await world.standing(who, two))[0]?.id).toBe(before?.id)
    expect(await world.standing(who, three)).toMatchObject([{ kind: 'permanent', request_id: null }])
    expect([await membersOf(one), await membersOf(two)]).toEqual([[], [who.id]])
  })

  it('replaces a grant by one on other terms, and keeps it when none are given', async () => {
    const [who, role] = [await newPerson(), await newRole()]
    const id = await world.give(who, role, forHours(2))
    await give(who, [[role, null]])
    expect(await world.standing(who, role)).toMatchObject([{ id }])
    await give(who, [[role, permanent]])
    expect(await world.standing(who, role)).toMatchObject([{ kind: 'permanent' }])
    expect(await endOf(id)).toMatchObject({ ended_because: 'replaced' })
    expect(await membersOf(role)).toEqual([who.id])
  })

  it('never makes what is over, nor gives anything to someone who is disabled', async () => {
    const [who, role] = [await newPerson(), await newRole()]
    expect(await world.give(who, role, forHours(1, now() - hour))).toBeNull()
    await world.ctx.db
      .updateTable('principals')
      .set({ disabled_at: world.clock.now() })
      .where('id', '=', who.id)
      .execute()
    expect(await world.give(who, role)).toBeNull()
    expect(await membersOf(role)).toEqual([])
  })

  it('of a role that is deleted is refused', async () => {
    const [who, role] = [await newPerson(), await newRole()]
    await world.ctx.db.updateTable('groups').set({ deleted_at: world.clock.now() }).where('id', '=', role).execute()
    await expect(give(who, [[role, null]])).rejects.toMatchObject({ code: 'ROLE_DELETED' })
  })
})

describe('GET /v1/grants and POST /v1/grants/:id/use', () => {
  it('shows one’s own, and sets a floating one running with the first use alone', async () => {
    const [who, role] = [await newPerson(), await newRole()]
    const id = await world.give(who, role, { kind: 'floating', floatingHours: 2 })
    const dormant = { id, role: { id: role }, kind: 'FLOATING', floatingHours: 2 }
    expect(await who.get('/v1/grants')).toMatchObject({ status: 200, body: { grants: [dormant] } })
    const startsAt = world.clock.now().toISOString()
    const endsAt = new Date(now() + 2 * hour).toISOString()
    const used = { id, kind: 'TIME_RESTRICTED', startsAt, endsAt, usedAt: startsAt }
    const first = await who.post(`/v1/grants/${id}/use`)
    expect(first).toMatchObject({ status: 200, body: used })
    expect(first.body).not.toHaveProperty('floatingHours')
    world.clock.advance(1000)
    expect(await who.post(`/v1/grants/${id}/use`)).toMatchObject({ status: 200, body: used })
    const [row] = await world.ctx.db.selectFrom('memberships').selectAll().where('group_id', '=', role).execute()
    expect(row).toMatchObject({ starts_at: new Date(startsAt), ends_at: new Date(endsAt) })
  })

  it.each<readonly [string, GrantTerms]>([
    ['permanent', permanent],
    ['restricted', { kind: 'time-restricted', startsAt: 0, endsAt: Date.parse('2100-01-01T00:00:00Z') }],
  ])('changes nothing of a %s one', async (_, terms) => {
    const [who, role] = [await newPerson(), await newRole()]
    const id = await world.give(who, role, terms)
    const before = await world.standing(who)
    expect(await who.post(`/v1/grants/${id}/use`)).toMatchObject({ status: 200, body: { id } })
    expect(await world.standing(who)).toEqual(before)
  })

  it('of several at once one begins it', async () => {
    const [who, role] = [await newPerson(), await newRole()]
    const id = await world.give(who, role, { kind: 'floating', floatingHours: 2 })
    const answers = await Promise.all(Array.from({ length: 8 }, () => who.post(`/v1/grants/${id}/use`)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    const leaves = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('kind')
      .where('subject_id', '=', id ?? '')
      .execute()
    expect(leaves.map(({ kind }) => kind)).toEqual(['grant.made', 'grant.used'])
  })

  it.each(['GRANT_NOT_FOUND', 'GRANT_NOT_IN_FORCE'])('is refused as %s', async (code) => {
    const [who, other, role] = [await newPerson(), await newPerson(), await newRole()]
    const id = await world.give(who, role, forHours(1, now() + hour))
    const calls =
      code === 'GRANT_NOT_FOUND'
        ? [other.post(`/v1/grants/${id}/use`), who.post('/v1/grants/no-id/use'), who.post(`/v1/grants/${role}/use`)]
        : [who.post(`/v1/grants/${id}/use`)]
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ status: code === 'GRANT_NOT_FOUND' ? 404 : 409, body: { code } })
    }
  })

  it('of what is over is refused before anything has written so, and it is shown no more', async () => {
    const [who, role] = [await newPerson(), await newRole()]
    const id = await world.give(who, role, forHours(1))
    const { clock } = world
    clock.advance(hour)
    const again = await world.signedIn(who.id)
    expect(await again.post(`/v1/grants/${id}/use`)).toMatchObject({
      status: 409,
      body: { code: 'GRANT_NOT_IN_FORCE' },
    })
    expect((await again.get('/v1/grants')).body.grants).toEqual([])
    expect(await listGrants(world.ctx, orgId, who.id)).toEqual([])
  })
})

describe('the end by the clock', () => {
  it('is written with the very instant, of all that are due and of no other', async () => {
    const [who, role, other, later] = [await newPerson(), await newRole(), await newRole(), await newRole()]
    // What the tests before have left.
    world.clock.advance(24 * hour)
    await endDueGrants(world.ctx)
    const due = await world.give(who, role, forHours(1))
    const floating = await world.give(who, other, { kind: 'floating', floatingHours: 1 })
    const last = await world.give(who, later, forHours(3))
    const end = new Date(now() + hour)
    world.clock.advance(2 * hour)
    expect(await endDueGrants(world.ctx)).toBe(1)
    expect(await endOf(due)).toEqual({ ended_at: end, ended_because: 'expired' })
    expect([await endOf(floating), await endOf(last)]).toMatchObject([{ ended_at: null }, { ended_at: null }])
    expect([await membersOf(role), await membersOf(later)]).toEqual([[], [who.id]])
    expect(await endDueGrants(world.ctx)).toBe(0)
  })

  it('is written once, however many processes look', async () => {
    const role = await newRole()
    for (let count = 0; count < 5; count++) await world.give(await newPerson(), role, forHours(1))
    world.clock.advance(hour)
    await Promise.all(Array.from({ length: 6 }, () => endDueGrants(world.ctx)))
    expect(await membersOf(role)).toEqual([])
    const ended = await world.ctx.db
      .selectFrom('audit_leaves as l')
      .innerJoin('grants as g', (join) => join.onRef('g.org_id', '=', 'l.org_id'))
      .select('l.subject_id')
      .whereRef('l.subject_id', '=', 'g.id')
      .where('g.group_id', '=', role)
      .where('l.kind', '=', 'grant.ended')
      .execute()
    expect(ended).toHaveLength(5)
  })

  it('is what is written, also where somebody takes the role away before the job has come to it', async () => {
    const [who, role, other] = [await newPerson(), await newRole(), await newRole()]
    const ends = [await world.give(who, role, forHours(1)), await world.give(who, other, forHours(1))]
    const end = { ended_at: new Date(now() + hour), ended_because: 'expired' }
    world.clock.advance(hour + 1)
    await give(who, [[other, permanent]])
    expect(await Promise.all(ends.map(endOf))).toEqual([end, end])
    expect(await groupsOf(who)).toEqual([other])
  })

  it('is written within a second by the job', async () => {
    const live = await startRoleWorld({ start: new Date() })
    try {
      // The clock of the world stands still; what is due at it is due at once.
      const who = await live.person('Live')
      const role = await live.role('live')
      const end = startGrantEnds(live.ctx)
      const startsAt = live.clock.now().getTime()
      await live.give(who, role, { kind: 'time-restricted', startsAt, endsAt: startsAt + 60_000 })
      live.clock.advance(60_000)
      await expect.poll(() => live.standing(who, role), { timeout: 2_000 }).toEqual([])
      await end()
    } finally {
      await live.close()
    }
  })
})

describe('what a process remembers of a voter', () => {
  it('ends with the next of their roles that begins or ends', async () => {
    const who = await newPerson()
    const role = await newRole()
    await world.give(who, role, forHours(1, now() + hour))
    const [request] = [await world.ask({ by: await newPerson(), role: await newRole(), steps: [[role]] })]
    // Three times, so that the memory is asked at each boundary.
    await expect(world.decide(who, request)).rejects.toMatchObject({ code: 'ENTITY_NOT_IN_REQUIRED_GROUP' })
    const { votingMemory } = world.ctx.store
    const { findVotingFacts } = await import('../../src/store/voting.ts')
    const seen = async () => {
      const row = await findVotingFacts(world.ctx.db, orgId, { id: request }, who.id, world.clock.now())
      votingMemory.learn(orgId, who.id, row as never)
      return row
    }
    expect(await seen()).toMatchObject({ voter_until: new Date(now() + hour) })
    const before = (await seen())?.voter_groups
    expect(before).not.toContain(role)
    expect(votingMemory.recallVoter(orgId, who.id, world.clock.now())).toBeDefined()
    world.clock.advance(hour)
    expect(votingMemory.recallVoter(orgId, who.id, world.clock.now())).toBeUndefined()
    expect(await seen()).toMatchObject({ voter_groups: [role], voter_until: new Date(now() + hour) })
    world.clock.advance(hour)
    expect(votingMemory.recallVoter(orgId, who.id, world.clock.now())).toBeUndefined()
    expect(await seen()).toMatchObject({ voter_groups: [], voter_until: null })
  })
})
