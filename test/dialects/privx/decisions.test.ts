import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { engine, hold, role, startAccessScene, step, type AccessScene } from '../../helpers/access.ts'
import { insertAgent } from '../../helpers/rows.ts'
import type { Answer, Client } from '../../helpers/world.ts'

let scene: AccessScene
beforeAll(async () => void (scene = await startAccessScene()))
afterAll(() => scene[Symbol.asyncDispose]())

const path = `${engine}/requests`
const nobody = '00000000-0000-7000-8000-00000000dead'
const refusal = ({ status, body }: Answer) => [status, body.error_code, body.property]
const denied = [403, 'PERMISSION_DENIED', undefined]

let wanted: string
beforeEach(async () => void (wanted = await role(scene.world.ctx, `wanted ${scene.world.ctx.newId()}`)))

/** A request of Ben under a workflow with these steps. */
async function asked(steps: readonly object[], members: object = {}, question: object = {}): Promise<string> {
  await scene.workflow({ target_roles: [{ id: wanted }], steps, ...members })
  return await scene.ask(scene.ben, { requested_role: { id: wanted }, ...question })
}

const any = () => step('ANY', scene.roles.first)
/** The decisions of every slot, step by step. */
const slots = async (id: string) =>
  (await scene.request(id)).steps.map((each: { approvers: { decision: string }[] }) =>
    each.approvers.map(({ decision }) => decision),
  )
const status = async (id: string) => (await scene.request(id)).status
const holds = async (client: Client) => {
  const rows = await scene.world.ctx.db
    .selectFrom('memberships')
    .select('principal_id')
    .where('group_id', '=', wanted)
    .where('principal_id', '=', client.id)
    .execute()
  return rows.length === 1
}

describe('a decision', () => {
  it('fills one place with who decided, when, and what they said', async () => {
    const id = await asked([step('ALL', scene.roles.first, scene.roles.second)])
    scene.world.clock.advance(5000)
    const { status: answered } = await scene.decide(scene.cleo, id, 'APPROVED', { comment: 'go on' })
    expect(answered).toBe(200)
    const { steps, updated, updated_by } = await scene.request(id)
    const now = scene.world.clock.now().toISOString().replace('.000Z', 'Z')
    expect(steps[0].approvers[0]).toMatchObject({
      role: { id: scene.roles.first, name: 'team leads' },
      decision: 'APPROVED',
      user: { id: scene.cleo.id, display_name: 'Cleo' },
      decision_time: now,
      comment: 'go on',
    })
    expect(steps[0].approvers[1]).toMatchObject({ decision: 'WAITING', user: null, decision_time: null, comment: '' })
    expect([updated, updated_by]).toEqual([now, scene.cleo.id])
  })

  it('of one is enough in a step that wants any', async () => {
    const id = await asked([step('ANY', scene.roles.first, scene.roles.second)])
    await scene.decide(scene.dana, id, 'APPROVED')
    expect([await status(id), await slots(id)]).toEqual(['APPROVED', [['WAITING', 'APPROVED']]])
    expect(await holds(scene.ben)).toBe(true)
  })

  it('of everyone is needed in a step that wants all', async () => {
    const id = await asked([step('ALL', scene.roles.first, scene.roles.second)])
    await scene.decide(scene.dana, id, 'APPROVED')
    expect([await status(id), await holds(scene.ben)]).toEqual(['WAITING', false])
    await scene.decide(scene.carl, id, 'APPROVED')
    expect([await status(id), await holds(scene.ben)]).toEqual(['APPROVED', true])
  })

  it('against is the end, whatever the step wants; the other places stay as they are', async () => {
    for (const match of ['ANY', 'ALL'] as const) {
      const id = await asked([step(match, scene.roles.first, scene.roles.second), any()])
      expect((await scene.decide(scene.dana, id, 'DENIED', { comment: 'no' })).status).toBe(200)
      expect(await status(id)).toBe('DENIED')
      expect(await slots(id)).toEqual([['WAITING', 'DENIED'], ['WAITING']])
      expect(await holds(scene.ben)).toBe(false)
    }
  })

  it('opens the next step, in which who decided before may act again', async () => {
    const id = await asked([any(), any(), step('ALL', scene.roles.second)])
    await scene.decide(scene.cleo, id, 'APPROVED')
    expect(await slots(id)).toEqual([['APPROVED'], ['WAITING'], ['WAITING']])
    expect((await scene.decide(scene.cleo, id, 'APPROVED', { step: 1 })).status).toBe(200)
    expect(await status(id)).toBe('WAITING')
    expect((await scene.decide(scene.dana, id, 'APPROVED', { step: 2 })).status).toBe(200)
    expect([await status(id), await holds(scene.ben)]).toEqual(['APPROVED', true])
  })

  it('fills the first free place, and one place alone, of who holds two', async () => {
    const both = await scene.world.person(`Both ${wanted.slice(-8)}`)
    const { first, second } = scene.roles
    for (const id of [first, second]) await hold(scene.world.ctx, id, both.id)
    const id = await asked([step('ALL', first, second)])
    expect((await scene.decide(both, id, 'APPROVED')).status).toBe(200)
    expect(await slots(id)).toEqual([['APPROVED', 'WAITING']])
    expect(refusal(await scene.decide(both, id, 'APPROVED'))).toEqual(denied)
    expect(await slots(id)).toEqual([['APPROVED', 'WAITING']])
    const other = await asked([step('ALL', first, second)], {}, { target_user: { id: scene.ben.id } }).catch(() => null)
    expect(other).toBeNull()
  })

  it('may be that of an API client', async () => {
    const robot = await insertAgent(scene.world.ctx, `robot ${wanted}`)
    await hold(scene.world.ctx, scene.roles.second, robot)
    const id = await asked([step('ANY', scene.roles.second)])
    expect((await scene.decide(await scene.world.signedIn(robot), id, 'APPROVED')).status).toBe(200)
    expect(await status(id)).toBe('APPROVED')
  })

  it('is judged by the roles that the request was made with', async () => {
    const old = await role(scene.world.ctx, `old approvers ${wanted}`, [scene.carl])
    await scene.workflow({ target_roles: [{ id: wanted }], steps: [step('ANY', old)] })
    const id = await scene.ask(scene.ben, { requested_role: { id: wanted } })
    const { workflow } = await scene.request(id)
    const template = (await scene.ada.get(`${engine}/workflows/${workflow}`)).body
    await scene.ada.put(`${engine}/workflows/${workflow}`, { ...template, steps: [step('ANY', scene.roles.second)] })
    expect(refusal(await scene.decide(scene.dana, id, 'APPROVED'))).toEqual(denied)
    expect((await scene.decide(scene.carl, id, 'APPROVED')).status).toBe(200)
  })
})

describe('a decision is refused', () => {
  it('on a request that does not exist', async () => {
    for (const id of [nobody, 'x']) {
      expect(refusal(await scene.decide(scene.cleo, id, 'APPROVED'))).toEqual([404, 'NOT_FOUND', undefined])
    }
  })

  it.each<[string, object, string]>([
    ['no decision', { decision: undefined }, 'decision'],
    ['an empty decision', { decision: '' }, 'decision'],
    ['a decision that is none', { decision: 'MAYBE' }, 'decision'],
    ['a decision in small letters', { decision: 'approved' }, 'decision'],
    ['the word of who waits', { decision: 'WAITING' }, 'decision'],
    ['no step', { step: undefined }, 'step'],
    ['a step that is null', { step: null }, 'step'],
    ['a step before the first', { step: -1 }, 'step'],
    ['a step after the last', { step: 2 }, 'step'],
    ['a step of half', { step: 0.5 }, 'step'],
    ['a step that is a text', { step: '0' }, 'step'],
    ['a step that is not open yet', { step: 1 }, 'step'],
    ['a comment that is no text', { comment: 5 }, 'comment'],
  ])('with %s', async (_, members, property) => {
    const id = await asked([any(), any()])
    const sent = { step: 0, decision: 'APPROVED', ...members }
    expect(refusal(await scene.cleo.post(`${path}/${id}/decision`, sent))).toEqual([400, 'BAD_REQUEST', property])
    expect(await slots(id)).toEqual([['WAITING'], ['WAITING']])
  })

  it('on a step that is done', async () => {
    const id = await asked([any(), any()])
    await scene.decide(scene.cleo, id, 'APPROVED')
    expect(refusal(await scene.decide(scene.carl, id, 'APPROVED'))).toEqual([400, 'BAD_REQUEST', 'step'])
  })

  it.each(['APPROVED', 'DENIED'] as const)('on a request that is %s', async (decision) => {
    const id = await asked([any()])
    await scene.decide(scene.cleo, id, decision)
    for (const client of [scene.carl, scene.ben, scene.eli]) {
      expect(refusal(await scene.decide(client, id, 'DENIED'))).toEqual([400, 'BAD_REQUEST', undefined])
    }
    expect(await status(id)).toBe(decision)
  })

  it('from who asked and from whom it is for, whatever they hold', async () => {
    await scene.workflow({ target_roles: [{ id: wanted }], steps: [any()] })
    const own = await scene.ask(scene.cleo, { requested_role: { id: wanted } })
    expect(refusal(await scene.decide(scene.cleo, own, 'APPROVED'))).toEqual(denied)
    expect(refusal(await scene.decide(scene.cleo, own, 'DENIED'))).toEqual(denied)
    const forCarl = await scene.ask(scene.ada, { requested_role: { id: wanted }, target_user: { id: scene.carl.id } })
    expect(refusal(await scene.decide(scene.carl, forCarl, 'APPROVED'))).toEqual(denied)
    const { first } = scene.roles
    await hold(scene.world.ctx, first, scene.ada.id)
    expect(refusal(await scene.decide(scene.ada, forCarl, 'APPROVED'))).toEqual(denied)
    expect((await scene.decide(scene.cleo, forCarl, 'APPROVED')).status).toBe(200)
    await scene.world.ctx.db.deleteFrom('memberships').where('principal_id', '=', scene.ada.id).execute()
  })

  it('from who holds none of the roles of the step', async () => {
    const id = await asked([any(), step('ANY', scene.roles.second)])
    for (const client of [scene.dana, scene.eli, scene.ada]) {
      expect(refusal(await scene.decide(client, id, 'APPROVED'))).toEqual(denied)
    }
  })

  it('from who held the role until now, or will hold it later', async () => {
    const id = await asked([any()])
    const now = scene.world.clock.now().getTime()
    const late = await scene.world.person(`Late ${wanted.slice(-8)}`)
    const early = await scene.world.person(`Early ${wanted.slice(-8)}`)
    const { ctx } = scene.world
    await hold(ctx, scene.roles.first, late.id, { kind: 'time-restricted', startsAt: now - 10, endsAt: now + 10 })
    await hold(ctx, scene.roles.first, early.id, { kind: 'time-restricted', startsAt: now + 20, endsAt: now + 90 })
    scene.world.clock.advance(10)
    expect(refusal(await scene.decide(late, id, 'APPROVED'))).toEqual(denied)
    expect(refusal(await scene.decide(early, id, 'APPROVED'))).toEqual(denied)
    scene.world.clock.advance(10)
    expect((await scene.decide(early, id, 'APPROVED')).status).toBe(200)
  })

  it('from who has decided in the step already, and where the place of the role is taken', async () => {
    const id = await asked([step('ALL', scene.roles.first, scene.roles.second)])
    await scene.decide(scene.cleo, id, 'APPROVED')
    for (const client of [scene.cleo, scene.carl]) {
      for (const decision of ['APPROVED', 'DENIED'] as const) {
        expect(refusal(await scene.decide(client, id, decision))).toEqual(denied)
      }
    }
    expect(await status(id)).toBe('WAITING')
  })

  it('for an approval of a role that is gone; a denial is not', async () => {
    const id = await asked([any()])
    const { ctx } = scene.world
    await ctx.db.updateTable('groups').set({ deleted_at: ctx.clock.now() }).where('id', '=', wanted).execute()
    expect(refusal(await scene.decide(scene.cleo, id, 'APPROVED'))).toEqual([400, 'BAD_REQUEST', undefined])
    expect(await status(id)).toBe('WAITING')
    expect((await scene.request(id)).requested_role).toMatchObject({ id: wanted, deleted: true })
    expect((await scene.decide(scene.cleo, id, 'DENIED')).status).toBe(200)
  })
})

describe('terms that a decision puts in place of others', () => {
  const offered = {
    grant_types: ['PERMANENT', 'TIME_RESTRICTED', 'FLOATING'],
    max_floating_duration: 8,
    max_time_restricted_duration: 1,
  }
  const start = '2027-01-01T00:00:00Z'
  const end = '2027-01-01T12:00:00Z'
  const floating = { grant_type: 'FLOATING', floating_length: 8 }
  const restricted = { grant_type: 'TIME_RESTRICTED', grant_start: start, grant_end: end }

  it.each<[string, object, object, object]>([
    ['another length', floating, { floating_length: 2 }, { grant_type: 'FLOATING', floating_length: 2 }],
    [
      'another end',
      restricted,
      { grant_end: '2027-01-01T06:00:00Z' },
      { ...restricted, grant_end: '2027-01-01T06:00:00Z' },
    ],
    ['another type', floating, restricted, restricted],
    ['a type that needs nothing', floating, { grant_type: 'PERMANENT' }, { grant_type: 'PERMANENT' }],
    [
      'nothing but empty members',
      floating,
      { grant_type: '', grant_start: '', floating_length: 0, grant_end: null },
      floating,
    ],
  ])('%s: they stand, and what was asked for is still shown', async (_, question, override, stands) => {
    const id = await asked([any()], offered, question)
    const before = await scene.request(id)
    expect((await scene.decide(scene.cleo, id, 'APPROVED', override)).status).toBe(200)
    const after = await scene.request(id)
    const members = (request: Record<string, unknown>, of: RegExp) =>
      Object.fromEntries(Object.entries(request).filter(([name]) => of.test(name)))
    expect(members(after, /^(grant_|floating_)/)).toEqual(stands)
    expect(members(after, /^requested_(grant|floating)/)).toEqual(members(before, /^requested_(grant|floating)/))
  })

  it.each<[string, object, object, string]>([
    ['a length past the ceiling', floating, { floating_length: 9 }, 'floating_length'],
    ['another type without what it needs', floating, { grant_type: 'TIME_RESTRICTED' }, 'grant_start'],
    ['another type with what the other had', restricted, { grant_type: 'FLOATING' }, 'floating_length'],
    ['an end past the ceiling', restricted, { grant_end: '2027-01-02T00:00:00.001Z' }, 'grant_end'],
    [
      'an end that is over',
      restricted,
      { grant_start: '2020-01-01T00:00:00Z', grant_end: '2020-01-01T01:00:00Z' },
      'grant_end',
    ],
    ['a type that is none', floating, { grant_type: 'LATER' }, 'grant_type'],
    ['a length for a type that has none', restricted, { floating_length: 2 }, 'floating_length'],
  ])('%s: refused, and nothing is decided', async (_, question, override, property) => {
    const id = await asked([any()], offered, question)
    const answer = await scene.decide(scene.cleo, id, 'APPROVED', override)
    expect(refusal(answer)).toEqual([400, 'BAD_REQUEST', property])
    expect(await slots(id)).toEqual([['WAITING']])
  })

  it('with a denial are refused', async () => {
    const id = await asked([any()], offered, floating)
    expect(refusal(await scene.decide(scene.cleo, id, 'DENIED', { floating_length: 2 }))).toEqual([
      400,
      'BAD_REQUEST',
      'floating_length',
    ])
    expect(await status(id)).toBe('WAITING')
  })

  it('of a removal mean nothing', async () => {
    await hold(scene.world.ctx, wanted, scene.ben.id)
    const id = await asked([any()], { action: 'REMOVE' }, { action: 'REMOVE' })
    expect((await scene.decide(scene.cleo, id, 'APPROVED', floating)).status).toBe(200)
    expect([await status(id), await holds(scene.ben)]).toEqual(['APPROVED', false])
  })

  it('of a type that the workflow did not offer are refused, though it offers it by now', async () => {
    const id = await asked([any()], { ...offered, grant_types: ['FLOATING'] }, floating)
    const { workflow } = await scene.request(id)
    const template = (await scene.ada.get(`${engine}/workflows/${workflow}`)).body
    await scene.ada.put(`${engine}/workflows/${workflow}`, { ...template, grant_types: ['PERMANENT'] })
    const answer = await scene.decide(scene.cleo, id, 'APPROVED', { grant_type: 'PERMANENT' })
    expect(refusal(answer)).toEqual([400, 'BAD_REQUEST', 'grant_type'])
  })

  it('that have run out before the approval grant nothing', async () => {
    const now = scene.world.clock.now().getTime()
    const ends = new Date(now + 5000).toISOString()
    const id = await asked([any()], offered, {
      ...restricted,
      grant_start: new Date(now).toISOString(),
      grant_end: ends,
    })
    scene.world.clock.advance(5000)
    expect((await scene.decide(scene.cleo, id, 'APPROVED')).status).toBe(200)
    expect([await status(id), await holds(scene.ben)]).toEqual(['APPROVED', false])
  })
})

describe('taking a role back', () => {
  const revoke = async (client: Client, id: string) => await client.post(`${path}/${id}/role/revoke`)
  const revocable = { can_bypass_revoke_workflow: true }

  it('ends the grant and says who did it and when; the request stays approved', async () => {
    const id = await asked([any()], revocable)
    await scene.decide(scene.cleo, id, 'APPROVED')
    expect(await holds(scene.ben)).toBe(true)
    scene.world.clock.advance(1000)
    const { status: answered } = await revoke(scene.cleo, id)
    const now = scene.world.clock.now().toISOString().replace('.000Z', 'Z')
    expect(answered).toBe(200)
    expect(await holds(scene.ben)).toBe(false)
    expect(await scene.request(id)).toMatchObject({
      status: 'APPROVED',
      target_role_revoked: true,
      target_role_revoked_by: { id: scene.cleo.id, display_name: 'Cleo' },
      target_role_revocation_time: now,
      updated: now,
      updated_by: scene.cleo.id,
    })
  })

  it('is for who approved in any step, and for nobody else', async () => {
    const id = await asked([any(), step('ANY', scene.roles.second)], revocable)
    await scene.decide(scene.cleo, id, 'APPROVED')
    await scene.decide(scene.dana, id, 'APPROVED', { step: 1 })
    for (const client of [scene.carl, scene.ben, scene.eli, scene.ada]) {
      expect(refusal(await revoke(client, id))).toEqual(denied)
    }
    expect((await revoke(scene.cleo, id)).status).toBe(200)
  })

  it.each<[string, (role: string) => Promise<unknown>]>([
    [
      'another request',
      async (id) => {
        const question = { requested_role: { id }, grant_type: 'PERMANENT' }
        await scene.decide(scene.carl, await scene.ask(scene.ben, question), 'APPROVED')
      },
    ],
    ['an administrator', async (id) => await hold(scene.world.ctx, id, scene.ben.id)],
  ])('ends the grant that stands, also one that %s has made since', async (_, giveAgain) => {
    const { clock } = scene.world
    const start = clock.now().getTime()
    const [grant_start, grant_end] = [new Date(start), new Date(start + 60_000)]
    const terms = { grant_type: 'TIME_RESTRICTED', grant_start, grant_end }
    const id = await asked([any()], { ...revocable, grant_types: ['TIME_RESTRICTED', 'PERMANENT'] }, terms)
    await scene.decide(scene.cleo, id, 'APPROVED')
    await giveAgain(wanted)
    expect(await holds(scene.ben)).toBe(true)
    expect((await revoke(scene.cleo, id)).status).toBe(200)
    expect(await holds(scene.ben)).toBe(false)
  })

  it('is no error where the role has ended before', async () => {
    const id = await asked([any()], revocable)
    await scene.decide(scene.cleo, id, 'APPROVED')
    await scene.ada.put(`/role-store/api/v1/users/${scene.ben.id}/roles`, [])
    expect((await revoke(scene.cleo, id)).status).toBe(200)
    expect((await scene.request(id)).target_role_revoked).toBe(true)
  })

  it('is done once', async () => {
    const id = await asked([any()], revocable)
    await scene.decide(scene.cleo, id, 'APPROVED')
    await revoke(scene.cleo, id)
    expect(refusal(await revoke(scene.cleo, id))).toEqual([400, 'BAD_REQUEST', undefined])
  })

  it.each<[string, object, 'APPROVED' | 'DENIED' | null]>([
    ['waits', revocable, null],
    ['was denied', revocable, 'DENIED'],
    ['was made by a workflow that does not allow it', {}, 'APPROVED'],
  ])('is refused where the request %s', async (_, members, decision) => {
    const id = await asked([any()], members)
    if (decision !== null) await scene.decide(scene.cleo, id, decision)
    expect(refusal(await revoke(scene.cleo, id))).toEqual([400, 'BAD_REQUEST', undefined])
  })

  it('is refused of a removal, and of what does not exist', async () => {
    await hold(scene.world.ctx, wanted, scene.ben.id)
    const id = await asked([any()], { ...revocable, action: 'REMOVE' }, { action: 'REMOVE' })
    await scene.decide(scene.cleo, id, 'APPROVED')
    expect((await revoke(scene.cleo, id)).status).toBe(400)
    for (const unknown of [nobody, 'x']) expect((await revoke(scene.cleo, unknown)).status).toBe(404)
  })
})

describe('deleting a request', () => {
  it('is for who asked while it waits, and for an admin always', async () => {
    const waiting = await asked([any()], { max_active_requests: 9 })
    for (const client of [scene.eli, scene.cleo]) {
      expect(refusal(await client.delete(`${path}/${waiting}`))).toEqual(denied)
    }
    expect((await scene.ben.delete(`${path}/${waiting}`)).status).toBe(200)
    const decided = await scene.ask(scene.ben, { requested_role: { id: wanted } })
    await scene.decide(scene.cleo, decided, 'APPROVED')
    expect(refusal(await scene.ben.delete(`${path}/${decided}`))).toEqual(denied)
    const admin = await scene.world.person(`Admin ${wanted.slice(-8)}`)
    await role(scene.world.ctx, `admins ${wanted}`, [admin], ['privx-admin'])
    expect((await admin.delete(`${path}/${decided}`)).status).toBe(200)
    expect(await holds(scene.ben)).toBe(true)
  })

  it('leaves nothing that could be read, decided or deleted again', async () => {
    const id = await asked([any()])
    await scene.ben.delete(`${path}/${id}`)
    const after = [
      await scene.ben.get(`${path}/${id}`),
      await scene.ben.delete(`${path}/${id}`),
      await scene.decide(scene.cleo, id, 'APPROVED'),
      await scene.cleo.post(`${path}/${id}/role/revoke`),
    ]
    expect(after.map(({ status: answered }) => answered)).toEqual([404, 404, 404, 404])
    expect((await scene.ada.delete(`${path}/x`)).status).toBe(404)
  })
})

describe('at once', () => {
  it('two decisions on one place: one takes effect, and one grant is made', async () => {
    const id = await asked([any()])
    const answers = await Promise.all([
      scene.decide(scene.cleo, id, 'APPROVED'),
      scene.decide(scene.carl, id, 'APPROVED'),
      scene.decide(scene.cleo, id, 'APPROVED'),
      scene.decide(scene.carl, id, 'DENIED'),
    ])
    const statuses = answers.map(({ status: answered }) => answered).toSorted((a, b) => a - b)
    expect(statuses[0]).toBe(200)
    expect(statuses.slice(1).every((answered) => answered === 400 || answered === 403)).toBe(true)
    const grants = await scene.world.ctx.db.selectFrom('grants').selectAll().where('request_id', '=', id).execute()
    expect(grants.length).toBe((await status(id)) === 'APPROVED' ? 1 : 0)
  })
})

describe('who is gone', () => {
  it('is told so wherever a request names them, with the name that they had', async () => {
    const { world, ada, roles } = scene
    const [asks, gets, decides] = [
      await world.person('Asks'),
      await world.person('Gets'),
      await world.person('Decides'),
    ]
    await hold(world.ctx, roles.first, decides.id)
    await scene.workflow({ target_roles: [{ id: wanted }], steps: [step('ALL', roles.first, roles.second)] })
    await role(world.ctx, `for others ${wanted}`, [asks], ['workflows-requests-on-behalf'])
    const id = await scene.ask(asks, { requested_role: { id: wanted }, target_user: { id: gets.id } })
    await scene.decide(decides, id, 'APPROVED')
    const told = async () => {
      const { requester, target_user, steps } = await scene.request(id)
      return [requester, target_user, steps[0].approvers[0].user]
    }
    const names = ['Asks', 'Gets', 'Decides']
    expect(await told()).toEqual([asks, gets, decides].map((who, n) => ({ id: who.id, display_name: names[n] })))
    for (const { id: gone } of [asks, gets, decides]) await ada.post(`/v1/users/${gone}/disable`)
    expect(await told()).toMatchObject(names.map((display_name) => ({ display_name, deleted: true })))
  })
})
