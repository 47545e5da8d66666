import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { giveRole, insertGroup, insertPolicy, seats } from '../../helpers/quorum.ts'
import { insertAgent } from '../../helpers/rows.ts'
import { engine, hold, role, startAccessScene, step, type AccessScene } from '../../helpers/access.ts'
import type { Answer, Client } from '../../helpers/world.ts'

let scene: AccessScene
beforeAll(async () => void (scene = await startAccessScene()))
afterAll(() => scene[Symbol.asyncDispose]())

const path = `${engine}/requests`
const nobody = '00000000-0000-7000-8000-00000000dead'
const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/)
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/)
const handle = (client: Client, name: string) => ({ id: client.id, display_name: name })

let wanted: string
beforeEach(async () => void (wanted = await role(scene.world.ctx, `wanted ${scene.world.ctx.newId()}`)))

/** A workflow for the role of this very test. */
const offer = async (members: object = {}): Promise<string> =>
  await scene.workflow({ target_roles: [{ id: wanted }], ...members })
const ask = async (members: object = {}, client: Client = scene.ben): Promise<Answer> =>
  await client.post(path, { requested_role: { id: wanted }, ...members })
const refusal = ({ status, body }: Answer) => [status, body.error_code, body.property]
const at = (iso: string) => new Date(iso).toISOString().replace('.000Z', 'Z')
const inHours = (hours: number) => at(new Date(scene.world.clock.now().getTime() + hours * 3_600_000).toISOString())

describe('asking for a role', () => {
  it('answers 201 with the id, and says where the request is', async () => {
    await offer()
    const { status, headers, body } = await ask()
    expect([status, body]).toEqual([201, { id: uuid }])
    expect(headers['location']).toBe(`${path}/${body.id}`)
    expect((await scene.ben.get(String(headers['location']))).status).toBe(200)
  })

  it('makes a request with every member that one has', async () => {
    const { first, second } = scene.roles
    const workflow = await offer({
      name: 'For everybody',
      grant_types: ['FLOATING', 'PERMANENT'],
      max_floating_duration: 12,
      steps: [step('ANY', first, second), step('ALL', second)],
    })
    const told = { request_justification: 'for the migration', comment: 'please', floating_length: 12 }
    const { body } = await ask({ ...told, grant_type: 'FLOATING' })
    const { name } = await scene.world.ctx.db
      .selectFrom('groups')
      .select('name')
      .where('id', '=', wanted)
      .executeTakeFirstOrThrow()
    const slot = (id: string, roleName: string) => ({
      id: uuid,
      role: { id, name: roleName },
      decision: 'WAITING',
      user: null,
      decision_time: null,
      comment: '',
    })
    expect((await scene.ben.get(`${path}/${body.id}`)).body).toEqual({
      id: body.id,
      author: scene.ben.id,
      created: time,
      updated: time,
      updated_by: scene.ben.id,
      name: 'For everybody',
      comment: 'please',
      workflow,
      action: 'GRANT',
      status: 'WAITING',
      requester: handle(scene.ben, 'Ben'),
      target_user: handle(scene.ben, 'Ben'),
      requested_role: { id: wanted, name },
      target_roles: [{ id: wanted, name }],
      request_justification: 'for the migration',
      grant_type: 'FLOATING',
      floating_length: 12,
      requested_grant_type: 'FLOATING',
      requested_floating_length: 12,
      approver_can_revoke: false,
      target_role_revoked: false,
      target_role_revoked_by: null,
      target_role_revocation_time: null,
      steps: [
        { id: uuid, name: 'step', match: 'ANY', approvers: [slot(first, 'team leads'), slot(second, 'security')] },
        { id: uuid, name: 'step', match: 'ALL', approvers: [slot(second, 'security')] },
      ],
    })
  })

  it('shows the steps and approvers under the ids that the workflow has', async () => {
    const workflow = await offer()
    const { body } = await ask()
    const template = (await scene.ada.get(`${engine}/workflows/${workflow}`)).body
    const request = await scene.request(body.id)
    const idsOf = (steps: { id: string; approvers: { id: string }[] }[]) =>
      steps.map(({ id, approvers }) => [id, approvers.map((approver) => approver.id)])
    expect(idsOf(request.steps)).toEqual(idsOf(template.steps))
  })

  it('is for an API client too', async () => {
    await offer()
    const client = await scene.world.signedIn(await insertAgent(scene.world.ctx, `robot ${wanted}`))
    const { status, body } = await ask({}, client)
    expect(status).toBe(201)
    expect((await scene.request(body.id)).requester).toEqual({ id: client.id, display_name: `robot ${wanted}` })
  })

  it.each([
    ['a removal of', 'REMOVE'],
    ['a grant of', 'GRANT'],
  ])('takes %s the role as the workflow for both does', async (_, action) => {
    await offer({ action: 'BOTH' })
    if (action === 'REMOVE') await hold(scene.world.ctx, wanted, scene.ben.id)
    const { body } = await ask({ action })
    expect((await scene.request(body.id)).action).toBe(action)
  })

  it('shows no type of grant on a removal, whatever was sent', async () => {
    await offer({ action: 'REMOVE', can_bypass_revoke_workflow: true })
    await hold(scene.world.ctx, wanted, scene.ben.id)
    const sent = { grant_type: 'FLOATING', floating_length: -3, grant_start: 'x', requested_grant_end: 5 }
    const { status, body } = await ask({ action: 'REMOVE', ...sent })
    expect(status).toBe(201)
    const request = await scene.request(body.id)
    expect(Object.keys(request).filter((member) => /grant_|floating/.test(member))).toEqual([])
    expect(request.approver_can_revoke).toBe(false)
  })

  it('lets approvers take the role back where the workflow says so, whatever was sent', async () => {
    await offer({ can_bypass_revoke_workflow: true })
    const { body } = await ask({ approver_can_revoke: false })
    expect((await scene.request(body.id)).approver_can_revoke).toBe(true)
  })

  it('ignores what the server owns and what belongs to workflows', async () => {
    await offer()
    const sent = {
      id: nobody,
      name: 'x',
      status: 'APPROVED',
      steps: 'none',
      author: '',
      created: '',
      target_role_revoked: true,
      approver_can_revoke: true,
      grant_types: 5,
      max_active_requests: -1,
      can_bypass_revoke_workflow: true,
      requester: { id: nobody },
    }
    const { status, body } = await ask(sent)
    expect(status).toBe(201)
    const shown = await scene.request(body.id)
    expect(shown).toMatchObject({
      name: 'Database access',
      status: 'WAITING',
      approver_can_revoke: false,
      target_role_revoked: false,
      requester: handle(scene.ben, 'Ben'),
    })
  })
})

describe('whom and what', () => {
  it.each<[string, object, string]>([
    ['no role', { requested_role: undefined }, 'requested_role'],
    ['a role that is no object', { requested_role: 'database' }, 'requested_role'],
    ['a role without an id', { requested_role: { name: 'database' } }, 'requested_role.id'],
    ['a role that does not exist', { requested_role: { id: nobody } }, 'requested_role'],
    ['a role whose id is none', { requested_role: { id: 'db' } }, 'requested_role'],
    ['a target that does not exist', { target_user: { id: nobody } }, 'target_user'],
    ['a target whose id is none', { target_user: { id: 'ben' } }, 'target_user'],
    ['an action that is none', { action: 'BOTH' }, 'action'],
  ])('refuses %s', async (_, members, property) => {
    await offer()
    expect(refusal(await ask(members))).toEqual([400, 'BAD_REQUEST', property])
  })

  it.each([
    ['left out', undefined],
    ['null', null],
    ['without an id', {}],
    ['with an empty id', { id: '', deleted: false }],
  ])('is for oneself where the target is %s', async (_, target) => {
    await offer()
    const { body } = await ask({ target_user: target })
    expect((await scene.request(body.id)).target_user).toEqual(handle(scene.ben, 'Ben'))
  })

  it('for somebody else needs the permission to ask on behalf of others', async () => {
    await offer()
    const forEli = { target_user: { id: scene.eli.id } }
    expect(refusal(await ask(forEli))).toEqual([403, 'PERMISSION_DENIED', undefined])
    const helper = await scene.world.person(`Helper ${wanted.slice(-8)}`)
    await role(scene.world.ctx, `helpers ${wanted}`, [helper], ['workflows-requests-on-behalf'])
    const { status, body } = await ask(forEli, helper)
    expect(status).toBe(201)
    expect((await scene.request(body.id)).target_user).toEqual(handle(scene.eli, 'Eli'))
    expect((await ask({ target_user: { id: scene.dana.id } }, scene.ada)).status).toBe(201)
  })

  it('tells of a role that does not exist before a target that does not, and of both before the permission', async () => {
    const both = { requested_role: { id: nobody }, target_user: { id: nobody } }
    expect((await ask(both)).body.property).toBe('requested_role')
    expect((await ask({ target_user: { id: nobody } })).body.property).toBe('target_user')
    expect((await ask({ target_user: { id: scene.eli.id } })).status).toBe(403)
  })

  it('refuses a target who is disabled', async () => {
    await offer()
    const gone = await scene.world.person(`Gone ${wanted.slice(-8)}`)
    await scene.ada.post(`/users/${gone.id}/disable`, {})
    await scene.world.ctx.db
      .updateTable('principals')
      .set({ disabled_at: scene.world.clock.now() })
      .where('id', '=', gone.id)
      .execute()
    expect((await ask({ target_user: { id: gone.id } }, scene.ada)).body.property).toBe('target_user')
  })
})

describe('the workflow', () => {
  const workflowOf = async (answer: Promise<Answer>) => (await scene.request((await answer).body.id)).workflow

  it('is the oldest that is about the role and lets it be asked for', async () => {
    scene.world.clock.advance(1)
    await offer({ action: 'REMOVE' })
    scene.world.clock.advance(1)
    const oldest = await offer({ max_active_requests: 5 })
    scene.world.clock.advance(1)
    const younger = await offer({ action: 'BOTH', max_active_requests: 5 })
    expect(await workflowOf(ask())).toBe(oldest)
    expect(await workflowOf(ask({ workflow: '' }))).toBe(oldest)
    await scene.ada.put(`${engine}/workflows/${oldest}`, (await scene.ada.get(`${engine}/workflows/${oldest}`)).body)
    expect(await workflowOf(ask())).toBe(oldest)
    await scene.ada.delete(`${engine}/workflows/${oldest}`)
    expect(await workflowOf(ask())).toBe(younger)
  })

  it('is one that the caller may use', async () => {
    await offer({ requester_roles: [{ id: scene.roles.second }] })
    expect(refusal(await ask())).toEqual([400, 'BAD_REQUEST', 'requested_role'])
    expect((await ask({}, scene.dana)).status).toBe(201)
    scene.world.clock.advance(1)
    const open = await offer()
    expect(await workflowOf(ask())).toBe(open)
  })

  it('is the one that is named', async () => {
    await offer()
    const named = await offer()
    expect(await workflowOf(ask({ workflow: named }))).toBe(named)
  })

  it.each<[string, (id: string) => object, object, readonly unknown[]]>([
    ['does not exist', () => ({ workflow: nobody }), {}, [400, 'BAD_REQUEST', 'workflow']],
    ['is none', () => ({ workflow: 'mine' }), {}, [400, 'BAD_REQUEST', 'workflow']],
    [
      'is not for the caller',
      (workflow) => ({ workflow }),
      { requester_roles: true },
      [403, 'PERMISSION_DENIED', undefined],
    ],
    ['is not for this', (workflow) => ({ workflow }), { action: 'REMOVE' }, [403, 'PERMISSION_DENIED', undefined]],
  ])('that is named and %s is refused', async (_, members, offered, expected) => {
    const requesters = 'requester_roles' in offered && { requester_roles: [{ id: scene.roles.second }] }
    const id = await offer({ ...offered, ...requesters })
    expect(refusal(await ask(members(id)))).toEqual(expected)
  })

  it('that is named and about other roles is refused', async () => {
    await offer()
    const other = await scene.workflow()
    expect(refusal(await ask({ workflow: other }))).toEqual([400, 'BAD_REQUEST', 'workflow'])
  })

  it('has to be there', async () => {
    expect(refusal(await ask())).toEqual([400, 'BAD_REQUEST', 'requested_role'])
  })
})

describe('the justification', () => {
  it.each(['', '   ', '\n\t', null, undefined])('%j is none where one is needed', async (request_justification) => {
    await offer({ requires_justification: true })
    expect(refusal(await ask({ request_justification }))).toEqual([400, 'BAD_REQUEST', 'request_justification'])
  })

  it('is kept as it was written', async () => {
    await offer({ requires_justification: true })
    const { body } = await ask({ request_justification: ' because ' })
    expect((await scene.request(body.id)).request_justification).toBe(' because ')
  })
})

describe('the terms of a grant', () => {
  const all = { grant_types: ['PERMANENT', 'TIME_RESTRICTED', 'FLOATING'] }
  const limited = { ...all, max_floating_duration: 8, max_time_restricted_duration: 2 }
  const between = (from: number, to: number) => ({
    grant_type: 'TIME_RESTRICTED',
    grant_start: inHours(from),
    grant_end: inHours(to),
  })

  it.each<[string, object, () => object, () => object]>([
    ['none: permanent', all, () => ({}), () => ({ grant_type: 'PERMANENT' })],
    [
      'none: the only one',
      { grant_types: ['FLOATING'] },
      () => ({ floating_length: 1 }),
      () => ({ grant_type: 'FLOATING' }),
    ],
    [
      'permanent',
      all,
      () => ({ grant_type: 'PERMANENT', floating_length: 0, grant_start: '' }),
      () => ({ grant_type: 'PERMANENT' }),
    ],
    [
      'floating as long as may be',
      limited,
      () => ({ grant_type: 'FLOATING', floating_length: 8 }),
      () => ({ floating_length: 8 }),
    ],
    [
      'floating without a ceiling',
      all,
      () => ({ grant_type: 'FLOATING', floating_length: 5000 }),
      () => ({ floating_length: 5000 }),
    ],
    ['restricted to the ceiling', limited, () => between(1, 49), () => between(1, 49)],
    ['restricted without a ceiling', all, () => between(1, 10_000), () => between(1, 10_000)],
    ['restricted from the past on', limited, () => between(-40, 1), () => between(-40, 1)],
    [
      'the other spelling',
      all,
      () => ({ requested_grant_type: 'FLOATING', requested_floating_length: 3 }),
      () => ({ grant_type: 'FLOATING', floating_length: 3 }),
    ],
    [
      'both spellings',
      all,
      () => ({ grant_type: 'FLOATING', floating_length: 3, requested_floating_length: 4, requested_grant_start: '' }),
      () => ({ grant_type: 'FLOATING', floating_length: 4, requested_floating_length: 4 }),
    ],
    [
      'a time of another offset',
      all,
      () => ({
        grant_type: 'TIME_RESTRICTED',
        grant_start: '2027-03-01T02:30:00+02:30',
        grant_end: '2027-03-01T01:00:00.5Z',
      }),
      () => ({ grant_start: '2027-03-01T00:00:00Z', grant_end: '2027-03-01T01:00:00.500Z' }),
    ],
  ])('may be %s', async (_, offered, sent, shown) => {
    await offer(offered)
    const { status, body } = await ask(sent())
    expect([status, body]).toEqual([201, { id: uuid }])
    const request = await scene.request(body.id)
    expect(request).toMatchObject(shown())
    for (const member of ['grant_type', 'grant_start', 'grant_end', 'floating_length']) {
      expect(request[`requested_${member}`]).toEqual(request[member])
    }
  })

  it.each<[string, object, () => object, string]>([
    ['a type that is none', all, () => ({ grant_type: 'ETERNAL' }), 'grant_type'],
    ['a type that is not offered', { grant_types: ['FLOATING'] }, () => ({ grant_type: 'PERMANENT' }), 'grant_type'],
    [
      'no type where permanent is not offered',
      { grant_types: ['FLOATING', 'TIME_RESTRICTED'] },
      () => ({}),
      'grant_type',
    ],
    ['permanent with a start', all, () => ({ grant_type: 'PERMANENT', grant_start: inHours(1) }), 'grant_start'],
    ['permanent with an end', all, () => ({ grant_end: inHours(1) }), 'grant_end'],
    ['permanent with a length', all, () => ({ floating_length: 1 }), 'floating_length'],
    ['restricted without a start', all, () => ({ ...between(1, 2), grant_start: undefined }), 'grant_start'],
    ['restricted without an end', all, () => ({ ...between(1, 2), grant_end: '' }), 'grant_end'],
    ['restricted with a length', all, () => ({ ...between(1, 2), floating_length: 1 }), 'floating_length'],
    ['an end that is the start', all, () => between(2, 2), 'grant_end'],
    ['an end before the start', all, () => between(2, 1), 'grant_end'],
    ['an end that is now', all, () => between(-1, 0), 'grant_end'],
    ['an end that is over', all, () => between(-2, -1), 'grant_end'],
    [
      'a millisecond past the ceiling',
      limited,
      () => ({ ...between(1, 49), grant_end: inHours(49 + 1 / 3_600_000) }),
      'grant_end',
    ],
    ['floating without a length', all, () => ({ grant_type: 'FLOATING' }), 'floating_length'],
    ['floating for 0 hours', all, () => ({ grant_type: 'FLOATING', floating_length: 0 }), 'floating_length'],
    ['floating for less', all, () => ({ grant_type: 'FLOATING', floating_length: -1 }), 'floating_length'],
    ['floating past the ceiling', limited, () => ({ grant_type: 'FLOATING', floating_length: 9 }), 'floating_length'],
    [
      'floating with a start',
      all,
      () => ({ grant_type: 'FLOATING', floating_length: 1, grant_start: inHours(1) }),
      'grant_start',
    ],
    ['a time that is none', all, () => ({ ...between(1, 2), grant_end: '2027-02-30T00:00:00Z' }), 'grant_end'],
    ['a time without an offset', all, () => ({ ...between(1, 2), grant_end: '2027-02-03T00:00:00' }), 'grant_end'],
    ['a length that is a text', all, () => ({ grant_type: 'FLOATING', floating_length: '3' }), 'floating_length'],
    ['a length of half an hour', all, () => ({ grant_type: 'FLOATING', floating_length: 0.5 }), 'floating_length'],
  ])('may not be %s', async (_, offered, sent, property) => {
    await offer(offered)
    expect(refusal(await ask(sent()))).toEqual([400, 'BAD_REQUEST', property])
  })
})

describe('what makes no sense', () => {
  it('is a grant of what is held for good', async () => {
    await offer()
    await hold(scene.world.ctx, wanted, scene.ben.id)
    expect(refusal(await ask())).toEqual([400, 'BAD_REQUEST', undefined])
  })

  it('is not a grant of what is held for a while', async () => {
    await offer()
    await hold(scene.world.ctx, wanted, scene.ben.id, { kind: 'floating', floatingHours: 1 })
    expect((await ask()).status).toBe(201)
  })

  it('is a removal of what is not held by a grant', async () => {
    await offer({ action: 'REMOVE' })
    expect(refusal(await ask({ action: 'REMOVE' }))).toEqual([400, 'BAD_REQUEST', undefined])
    const endsAt = scene.world.clock.now().getTime() + 1000
    await hold(scene.world.ctx, wanted, scene.ben.id, { kind: 'time-restricted', startsAt: endsAt - 2000, endsAt })
    scene.world.clock.advance(1000)
    expect(refusal(await ask({ action: 'REMOVE' }))).toEqual([400, 'BAD_REQUEST', undefined])
  })

  it('is more open requests for one person and role than the workflow allows', async () => {
    await offer({ max_active_requests: 2 })
    const ids = [(await ask()).body.id, (await ask({ target_user: { id: scene.ben.id } }, scene.ada)).body.id]
    expect(refusal(await ask())).toEqual([400, 'BAD_REQUEST', undefined])
    expect((await ask({}, scene.eli)).status).toBe(201)
    await scene.decide(scene.cleo, ids[0], 'DENIED')
    expect((await ask()).status).toBe(201)
  })

  it('is told after what is wrong with the terms', async () => {
    await offer()
    await hold(scene.world.ctx, wanted, scene.ben.id)
    expect((await ask({ grant_type: 'FLOATING', floating_length: 1 })).body.property).toBe('grant_type')
  })
})

it('of many who ask at once as many get through as the workflow allows', async () => {
  await offer({ max_active_requests: 3 })
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask()))
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    ...Array(3).fill(201),
    ...Array(9).fill(400),
  ])
})

describe('reading a request', () => {
  it('is for who asked, whom it is for, who may decide in any step, and who may see all', async () => {
    const { first, second } = scene.roles
    const viewer = await scene.world.person(`Viewer ${wanted.slice(-8)}`)
    await role(scene.world.ctx, `viewers ${wanted}`, [viewer], ['requests-view'])
    await offer({ steps: [step('ANY', first), step('ANY', second)] })
    const { body } = await ask({ target_user: { id: scene.eli.id } }, scene.ada)
    const read = async (client: Client) => (await client.get(`${path}/${body.id}`)).status
    for (const client of [scene.ada, scene.eli, scene.cleo, scene.dana, viewer]) expect(await read(client)).toBe(200)
    const { status, body: refused } = await scene.ben.get(`${path}/${body.id}`)
    expect([status, refused.error_code]).toEqual([403, 'PERMISSION_DENIED'])
    expect((await scene.world.anyone.get(`${path}/${body.id}`)).status).toBe(401)
  })

  it('stays for who decided, though they lost the role', async () => {
    const lead = await scene.world.person(`Lead ${wanted.slice(-8)}`)
    const leads = await role(scene.world.ctx, `leads ${wanted}`, [lead])
    await offer({ steps: [step('ANY', leads)] })
    const { body } = await ask()
    await scene.decide(lead, body.id, 'APPROVED')
    await scene.world.ctx.db.deleteFrom('memberships').where('group_id', '=', leads).execute()
    expect((await lead.get(`${path}/${body.id}`)).status).toBe(200)
  })

  it.each([nobody, 'no-uuid', '%00'])('that does not exist (%s) is 404 or unreadable', async (id) => {
    const { status } = await scene.ada.get(`${path}/${id}`)
    expect(status).toBe(id === '%00' ? 400 : 404)
  })

  it('of another API is 404', async () => {
    const { ctx } = scene.world
    const policyId = await insertPolicy(ctx, seats(await insertGroup(ctx, []), 1))
    await giveRole(ctx, scene.ben.id, 'WorkflowTemplateInstantiator')
    const opened = await scene.ben.post('/workflows', { name: `n-${wanted}`, workflowTemplateId: policyId })
    const id = String(opened.headers['location']).split('/').at(-1)
    expect([opened.status, (await scene.ben.get(`/workflows/${id}`)).status]).toEqual([201, 200])
    for (const call of [scene.ada.get(`${path}/${id}`), scene.ada.delete(`${path}/${id}`)]) {
      expect((await call).status).toBe(404)
    }
  })
})
