import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteRequest } from '../../src/approvals/delete-request.ts'
import { revokeGrantOfRequest } from '../../src/approvals/revoke-grant.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { lockFacts } from '../../src/store/fact-locks.ts'
import { endGrantsOf } from '../../src/identity/grants/end-grant.ts'
import { orgId } from '../helpers/quorum.ts'
import { callerOf, startRoleWorld, type Asked, type RoleWorld } from '../helpers/role-requests.ts'
import type { Client } from '../helpers/world.ts'

const hour = 3_600_000
const day = 24 * hour

let world: RoleWorld
let ann: Client
let bob: Client
let cat: Client
let dan: Client
let owners: string
let guards: string
let serial = 0

beforeAll(async () => {
  world = await startRoleWorld()
  ;[ann, bob, cat, dan] = await Promise.all(
    ['Ann', 'Bob', 'Cat', 'Dan'].map((name) => world.person(name)) as [
      Promise<Client>,
      Promise<Client>,
      Promise<Client>,
      Promise<Client>,
    ],
  )
  owners = await world.role('owners', bob, dan)
  guards = await world.role('guards', cat, dan)
})
afterAll(() => world.close())

const newRole = async () => await world.role(`role ${++serial}`)
const now = () => world.clock.now().getTime()
const asking = async (asked: Partial<Asked> = {}): Promise<[request: string, role: string]> => {
  const role = asked.role ?? (await newRole())
  return [await world.ask({ by: ann, role, steps: [[owners]], ...asked }), role]
}
const refused = async (what: Promise<unknown>, code: string, field: string | null = null) =>
  await expect(what).rejects.toMatchObject({ code, field })
const requestGrant = async (id: string) =>
  await world.ctx.db.selectFrom('request_grants').selectAll().where('request_id', '=', id).executeTakeFirst()
const leavesOf = async (id: string) => {
  const rows = await world.ctx.db
    .selectFrom('audit_leaves')
    .select(['kind', 'content'])
    .where('subject_id', '=', id)
    .orderBy('id')
    .execute()
  return rows.map(({ kind, content }) => ({ kind, ...(JSON.parse(content) as { facts: Record<string, unknown> }) }))
}

describe('deciding on a role', () => {
  it('grants it with the approval that completes the last step, and not before', async () => {
    const [request, role] = await asking({ steps: [[owners], [guards]] })
    expect(await world.decide(bob, request)).toMatchObject({ status: 'open' })
    expect(await world.standing(ann, role)).toEqual([])
    expect(await world.decide(cat, request)).toMatchObject({ status: 'approved' })
    const [grant] = await world.standing(ann, role)
    expect(grant).toMatchObject({ kind: 'permanent', request_id: request, starts_at: null, ends_at: null })
    expect(await world.rolesOf(ann)).toContain(role)
    expect(await requestGrant(request)).toMatchObject({ grant_id: grant?.id })
    expect(await leavesOf(grant?.id ?? '')).toMatchObject([
      { kind: 'grant.made', facts: { principal: ann.id, group: role, grantKind: 'permanent', request } },
    ])
  })

  it('grants nothing with a denial, which ends the request', async () => {
    const [request, role] = await asking({ steps: [[owners, guards]] })
    expect(await world.decide(bob, request, 'veto')).toMatchObject({ status: 'rejected' })
    await refused(world.decide(cat, request), 'WORKFLOW_ALREADY_REJECTED')
    expect(await world.standing(ann, role)).toEqual([])
  })

  it('lets nobody decide who asked or is the target, though they hold the seat', async () => {
    const [request] = await asking({ by: bob, target: dan })
    await refused(world.decide(bob, request), 'ENTITY_NOT_ELIGIBLE_TO_VOTE')
    await refused(world.decide(dan, request), 'ENTITY_NOT_ELIGIBLE_TO_VOTE')
    await refused(world.decide(dan, request, 'veto'), 'ENTITY_NOT_ELIGIBLE_TO_VOTE')
    expect(await world.statusOf(request)).toBe('open')
  })

  it('asks for no role binding: the seat is the right', async () => {
    const [request] = await asking()
    await refused(world.decide(cat, request), 'ENTITY_NOT_IN_REQUIRED_GROUP')
    expect(await world.decide(bob, request)).toMatchObject({ status: 'approved' })
  })

  it('fills one slot with one call, however many seats the voter holds', async () => {
    const [request] = await asking({ steps: [[owners, guards]] })
    expect(await world.decide(dan, request)).toMatchObject({ status: 'open' })
    await refused(world.decide(dan, request), 'ALREADY_VOTED')
    await refused(world.decide(bob, request), 'NO_FREE_SEAT')
    expect(await world.decide(cat, request)).toMatchObject({ status: 'approved' })
  })

  it('refuses a decision about another step than the open one, and says first what is over', async () => {
    const [request] = await asking({ steps: [[owners], [guards]] })
    await refused(world.decide(bob, request, 'approve', { stage: 1 }), 'STAGE_NOT_OPEN')
    await world.decide(bob, request, 'approve', { stage: 0 })
    await refused(world.decide(bob, request, 'approve', { stage: 0 }), 'STAGE_NOT_OPEN')
    await world.decide(cat, request, 'approve', { stage: 1 })
    await refused(world.decide(cat, request, 'approve', { stage: 0 }), 'WORKFLOW_ALREADY_APPROVED')
  })

  it('counts a role for as long as it is in force, and no longer', async () => {
    const ivy = await world.person(`Ivy${++serial}`)
    await world.give(ivy, owners, { kind: 'time-restricted', startsAt: now() + hour, endsAt: now() + 2 * hour })
    const [first] = await asking()
    await refused(world.decide(ivy, first), 'ENTITY_NOT_IN_REQUIRED_GROUP')
    world.clock.advance(hour)
    expect(await world.decide(ivy, first)).toMatchObject({ status: 'approved' })
    const [second] = await asking()
    world.clock.advance(hour)
    // Nothing has written yet that it is over.
    await refused(world.decide(ivy, second), 'ENTITY_NOT_IN_REQUIRED_GROUP')
  })

  it('moves the time of the request with every decision', async () => {
    const [request] = await asking({ steps: [[owners, guards]] })
    world.clock.advance(1000)
    await world.decide(bob, request)
    const row = await world.ctx.db.selectFrom('requests').selectAll().where('id', '=', request).executeTakeFirst()
    expect(row?.updated_at).toEqual(world.clock.now())
  })

  it('does what the dialect writes beside in the same transaction', async () => {
    const [request] = await asking()
    const alongside = async () => {
      throw new Error('no')
    }
    await expect(world.decide(bob, request, 'approve', { alongside })).rejects.toThrow('no')
    expect(await world.statusOf(request)).toBe('open')
    expect(await world.standing(ann)).not.toContainEqual(expect.objectContaining({ request_id: request }))
  })
})

describe('the terms of what is granted', () => {
  const restricted = (days: number) =>
    ({ kind: 'time-restricted', startsAt: now(), endsAt: now() + days * day }) as const

  it('are those that were asked for', async () => {
    const terms = restricted(2)
    const [request, role] = await asking({ grant: { terms } })
    await world.decide(bob, request)
    const grant = { starts_at: new Date(terms.startsAt), ends_at: new Date(terms.endsAt) }
    expect(await world.standing(ann, role)).toMatchObject([{ kind: 'time-restricted', ...grant }])
    expect(
      await world.ctx.db.selectFrom('memberships').selectAll().where('group_id', '=', role).execute(),
    ).toMatchObject([grant])
  })

  it('are replaced by those of an approval, which must keep to the limits', async () => {
    const limits = { kinds: ['time-restricted', 'floating'], maxFloatingHours: 8, maxRestrictedDays: 3 } as const
    const [request, role] = await asking({ steps: [[owners], [guards]], grant: { terms: restricted(1), limits } })
    const cases = [
      [{ kind: 'permanent' }, 'kind'],
      [{ kind: 'floating' }, 'floatingHours'],
      [{ kind: 'floating', floatingHours: 9 }, 'floatingHours'],
      [{ endsAt: now() + 3 * day + 1 }, 'endsAt'],
      [{ startsAt: now() + 2 * day }, 'endsAt'],
      [{ floatingHours: 2 }, 'floatingHours'],
    ] as const
    for (const [terms, field] of cases) {
      await refused(world.decide(bob, request, 'approve', { terms }), 'GRANT_TERMS_INVALID', field)
    }
    await refused(world.decide(bob, request, 'veto', { terms: restricted(1) }), 'GRANT_TERMS_INVALID', 'kind')
    expect(await world.statusOf(request)).toBe('open')
    await world.decide(bob, request, 'approve', { terms: { kind: 'floating', floatingHours: 8 } })
    await world.decide(cat, request, 'approve', { terms: { floatingHours: 4 } })
    expect(await world.standing(ann, role)).toMatchObject([
      { kind: 'floating', floating_hours: 4, starts_at: null, ends_at: null },
    ])
    expect((await requestGrant(request))?.asked).toMatchObject({ kind: 'time-restricted' })
    expect((await leavesOf(request)).map(({ kind }) => kind)).toEqual([
      'request.created',
      'vote.cast',
      'request.terms-changed',
      'vote.cast',
      'request.terms-changed',
    ])
  })

  it('that are over when the approval comes grant nothing, and the request is approved', async () => {
    const [request, role] = await asking({ grant: { terms: restricted(1) } })
    world.clock.advance(day)
    expect(await world.decide(bob, request)).toMatchObject({ status: 'approved' })
    expect(await world.standing(ann, role)).toEqual([])
    expect(await requestGrant(request)).toMatchObject({ grant_id: null })
  })

  it('of a grant that stands for a while are replaced', async () => {
    const role = await newRole()
    const before = await world.give(ann, role, restricted(5))
    const [request] = await asking({ role, grant: { terms: restricted(9) } })
    await world.decide(bob, request)
    const grants = await world.standing(ann, role)
    expect(grants).toMatchObject([{ request_id: request, ends_at: new Date(now() + 9 * day) }])
    expect((await leavesOf(before ?? '')).map(({ kind, facts }) => [kind, facts['because']])).toEqual([
      ['grant.made', undefined],
      ['grant.ended', 'replaced'],
    ])
    const group = await world.ctx.db
      .selectFrom('groups')
      .select('member_count')
      .where('id', '=', role)
      .executeTakeFirst()
    expect(group?.member_count).toBe(1)
  })

  it('of a grant that stands for good are left as they are', async () => {
    const role = await newRole()
    const before = await world.give(ann, role)
    const [request] = await asking({ role, grant: { terms: restricted(9) } })
    expect(await world.decide(bob, request)).toMatchObject({ status: 'approved' })
    expect(await world.standing(ann, role)).toMatchObject([{ id: before, kind: 'permanent' }])
  })

  it('do not matter once the role is deleted: it can only be denied', async () => {
    const [request, role] = await asking()
    await world.ctx.db.updateTable('groups').set({ deleted_at: world.clock.now() }).where('id', '=', role).execute()
    await refused(world.decide(bob, request), 'ROLE_DELETED')
    expect(await world.statusOf(request)).toBe('open')
    expect(await world.decide(bob, request, 'veto')).toMatchObject({ status: 'rejected' })
  })
})

describe('a removal', () => {
  it('takes the role away with the approval', async () => {
    const role = await newRole()
    const grant = await world.give(ann, role)
    const [request] = await asking({ role, grant: { operation: 'remove' } })
    await refused(
      world.decide(bob, request, 'approve', { terms: { kind: 'permanent' } }),
      'GRANT_TERMS_INVALID',
      'kind',
    )
    await world.decide(bob, request)
    expect(await world.standing(ann, role)).toEqual([])
    expect(await world.rolesOf(ann)).not.toContain(role)
    expect((await leavesOf(grant ?? '')).at(-1)).toMatchObject({ kind: 'grant.ended', facts: { because: 'removed' } })
  })

  it('is approved also when the role has ended in between', async () => {
    const role = await newRole()
    await world.give(ann, role)
    const [request] = await asking({ role, grant: { operation: 'remove' } })
    await transact(world.ctx, null, async (tx) => {
      await lockFacts(tx, orgId)
      const end = { actor: { kind: 'system' }, because: 'removed', at: world.clock.now() } as const
      await endGrantsOf(world.ctx, tx, { orgId, of: { groupId: role }, ...end })
    })
    expect(await world.decide(bob, request)).toMatchObject({ status: 'approved' })
  })
})

describe('taking back what a request granted', () => {
  const revoke = (who: Client, request: string) => revokeGrantOfRequest(world.ctx, callerOf(who), request)

  it('is for those who approved, once, and leaves the request approved', async () => {
    const [request, role] = await asking({ steps: [[owners], [guards]], grant: { isRevocable: true } })
    await world.decide(bob, request)
    await refused(revoke(bob, request), 'GRANT_NOT_REVOCABLE')
    await world.decide(cat, request)
    await refused(revoke(dan, request), 'REQUESTOR_NOT_AUTHORIZED')
    await refused(revoke(ann, request), 'REQUESTOR_NOT_AUTHORIZED')
    await revoke(bob, request)
    expect(await world.standing(ann, role)).toEqual([])
    expect(await requestGrant(request)).toMatchObject({ revoked_by: bob.id, revoked_at: world.clock.now() })
    expect(await world.statusOf(request)).toBe('approved')
    await refused(revoke(cat, request), 'GRANT_NOT_REVOCABLE')
    expect((await leavesOf(request)).at(-1)).toMatchObject({ kind: 'request.grant-revoked', facts: { hasEnded: true } })
  })

  it.each([
    ['of one that is not revocable', {}],
    ['of a removal', { operation: 'remove', isRevocable: true } as const],
  ])('is refused %s', async (_, grant) => {
    const [request] = await asking({ grant })
    await world.decide(bob, request)
    await refused(revoke(bob, request), 'GRANT_NOT_REVOCABLE')
  })

  it('takes the role away, also where another request has granted it anew', async () => {
    const terms = { kind: 'time-restricted', startsAt: now(), endsAt: now() + day } as const
    const [first, role] = await asking({ grant: { isRevocable: true, terms } })
    await world.decide(bob, first)
    const [second] = await asking({ role })
    await world.decide(dan, second)
    await revoke(bob, first)
    expect(await world.standing(ann, role)).toEqual([])
    expect((await leavesOf(first)).at(-1)).toMatchObject({ facts: { hasEnded: true } })
    expect(await requestGrant(second)).toMatchObject({ revoked_at: null })
  })

  it('of what does not exist is refused', async () => {
    await refused(revoke(bob, world.ctx.newId()), 'WORKFLOW_NOT_FOUND')
  })
})

describe('deleting a request', () => {
  const remove = (who: Client, request: string, isAdmin = false) =>
    deleteRequest(world.ctx, callerOf(who), request, { dialect: 'privx', isAdmin: async () => isAdmin })
  const countOf = async (request: string) => {
    const rows = await world.ctx.db
      .selectFrom('request_counts as c')
      .innerJoin('policies as p', 'p.id', 'c.policy_id')
      .selectAll('c')
      .where('p.dialect', '=', 'privx')
      .execute()
    const of = await world.ctx.db.selectFrom('requests').selectAll().where('dialect', '=', 'privx').execute()
    expect(rows.reduce((sum, row) => sum + Number(row.difference), 0)).toBe(of.length)
    return of.filter(({ id }) => id === request).length
  }

  it('is for whoever asked while it is open, with its votes and grants of it', async () => {
    const [request] = await asking({ steps: [[owners, guards]] })
    await world.decide(bob, request)
    await refused(remove(bob, request), 'REQUESTOR_NOT_AUTHORIZED')
    await remove(ann, request)
    expect(await countOf(request)).toBe(0)
    expect(await world.ctx.db.selectFrom('votes').selectAll().where('request_id', '=', request).execute()).toEqual([])
    expect(await requestGrant(request)).toBeUndefined()
    await refused(remove(ann, request), 'WORKFLOW_NOT_FOUND')
    await refused(world.decide(cat, request), 'WORKFLOW_NOT_FOUND')
  })

  it('is for an admin always, and what it granted stays', async () => {
    const [request, role] = await asking()
    await world.decide(bob, request)
    await refused(remove(ann, request), 'REQUESTOR_NOT_AUTHORIZED')
    await remove(dan, request, true)
    expect(await countOf(request)).toBe(0)
    expect(await world.standing(ann, role)).toHaveLength(1)
  })
})

describe('the native dialect', () => {
  it('knows nothing of requests of another one', async () => {
    const [request] = await asking()
    // The first sign-in is long over by this clock.
    const caller = await world.signedIn(bob.id)
    const vote = { voteType: { type: 'APPROVE', votedForGroups: [owners] } }
    const calls = [
      caller.post(`/workflows/${request}/vote`, vote),
      caller.get(`/workflows/${request}`),
      caller.get(`/workflows/${request}/canVote`),
      caller.get(`/workflows/${request}/votes`),
      caller.post(`/v1/workflows/${request}/cancel`),
    ]
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ status: 404, body: { code: 'WORKFLOW_NOT_FOUND' } })
    }
  })

  it('puts nobody into a role of another one', async () => {
    const admin = await world.person('Admin', { admin: true })
    const entities = [{ entity: { entityType: 'human', entityId: ann.id } }]
    expect(await admin.post(`/groups/${owners}/entities`, { entities })).toMatchObject({ status: 404 })
    expect(await admin.get(`/groups/${owners}`)).toMatchObject({ status: 404 })
    expect((await admin.get('/groups')).body.groups).toEqual([])
  })

  it('opens no request under a policy of another one', async () => {
    const [request] = await asking()
    const row = await world.ctx.db
      .selectFrom('requests')
      .selectAll()
      .where('id', '=', request)
      .executeTakeFirstOrThrow()
    const admin = await world.person('Opener', { admin: true })
    const answer = await admin.post('/workflows', { name: 'x', workflowTemplateId: row.policy_id })
    expect(answer).toMatchObject({ status: 400, body: { code: 'WORKFLOW_TEMPLATE_NOT_FOUND' } })
  })
})
