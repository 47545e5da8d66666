import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engine, hold, role, startAccessScene, step, workflowBody, type AccessScene } from '../../helpers/access.ts'
import { insertGroup } from '../../helpers/quorum.ts'
import type { Answer, Client } from '../../helpers/world.ts'

let scene: AccessScene
let manager: Client
let viewer: Client
beforeAll(async () => {
  scene = await startAccessScene()
  const { world } = scene
  manager = await world.person('Mia')
  viewer = await world.person('Vera')
  await role(world.ctx, 'workflow managers', [manager], ['workflows-manage'])
  await role(world.ctx, 'workflow viewers', [viewer], ['workflows-view'])
})
afterAll(() => scene[Symbol.asyncDispose]())

const path = `${engine}/workflows`
const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/)
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/)
const nobody = '00000000-0000-7000-8000-00000000dead'

const make = async (members: object = {}): Promise<Answer> =>
  await manager.post(path, workflowBody(scene.roles, members))
const read = async (id: string) => (await manager.get(`${path}/${id}`)).body

describe('making a workflow', () => {
  it('answers 201 with its id, and says where it is', async () => {
    const { status, headers, body } = await make()
    expect([status, body]).toEqual([201, { id: uuid }])
    expect(headers['location']).toBe(`${path}/${body.id}`)
    expect((await manager.get(String(headers['location']))).status).toBe(200)
  })

  it('gives back a workflow with every member that one has', async () => {
    const { first, second, target } = scene.roles
    const { body } = await make({
      comment: 'for a while',
      action: 'BOTH',
      grant_types: ['TIME_RESTRICTED', 'FLOATING'],
      max_floating_duration: 8,
      max_time_restricted_duration: 30,
      requester_roles: [{ id: second }],
      requires_justification: true,
      max_active_requests: 3,
      can_bypass_revoke_workflow: true,
      steps: [step('ALL', first, second), { match: 'ANY', approvers: [{ role: { id: second } }] }],
    })
    expect(await read(body.id)).toEqual({
      id: body.id,
      workflow: body.id,
      author: manager.id,
      created: time,
      updated: time,
      updated_by: manager.id,
      name: 'Database access',
      comment: 'for a while',
      action: 'BOTH',
      grant_types: ['TIME_RESTRICTED', 'FLOATING'],
      max_floating_duration: 8,
      max_time_restricted_duration: 30,
      target_roles: [{ id: target, name: 'database' }],
      requester_roles: [{ id: second, name: 'security' }],
      requires_justification: true,
      max_active_requests: 3,
      can_bypass_revoke_workflow: true,
      steps: [
        {
          id: uuid,
          name: 'step',
          match: 'ALL',
          approvers: [
            { id: uuid, role: { id: first, name: 'team leads' } },
            { id: uuid, role: { id: second, name: 'security' } },
          ],
        },
        { id: uuid, name: '', match: 'ANY', approvers: [{ id: uuid, role: { id: second, name: 'security' } }] },
      ],
    })
  })

  it('fills in what is left out', async () => {
    const { body } = await make()
    expect(await read(body.id)).toMatchObject({
      comment: '',
      action: 'GRANT',
      grant_types: ['PERMANENT'],
      max_floating_duration: 0,
      max_time_restricted_duration: 0,
      requester_roles: [],
      requires_justification: false,
      max_active_requests: 1,
      can_bypass_revoke_workflow: false,
    })
  })

  it.each([
    ['no kind of grant', { grant_types: [] }, { grant_types: ['PERMANENT'] }],
    ['0 active requests', { max_active_requests: 0 }, { max_active_requests: 1 }],
    ['null members', { comment: null, grant_types: null, action: null }, { comment: '', action: 'GRANT' }],
    ['an empty action', { action: '' }, { action: 'GRANT' }],
    ['a name of 4096 characters', { name: 'n'.repeat(4096) }, { name: 'n'.repeat(4096) }],
    ['a name beyond every alphabet', { name: 'Доступ 🗝️' }, { name: 'Доступ 🗝️' }],
    ['members that nobody knows', { colour: 'red' }, {}],
  ])('takes %s', async (_, members, shown) => {
    const { status, body } = await make(members)
    expect(status).toBe(201)
    expect(await read(body.id)).toMatchObject(shown)
  })

  it('takes the roles of requesters under the spelling of the vendor’s pages', async () => {
    const { body } = await make({ requestor_roles: [{ id: scene.roles.first }] })
    expect((await read(body.id)).requester_roles).toEqual([{ id: scene.roles.first, name: 'team leads' }])
  })

  it('ignores what the server owns, and what belongs to requests', async () => {
    const members = { id: nobody, author: nobody, created: 'x', updated: '', updated_by: '', status: 7, requester: 1 }
    const { status, body } = await make({ ...members, workflow: 5, requested_role: {}, grant_start: 'tomorrow' })
    expect(status).toBe(201)
    expect(body.id).not.toBe(nobody)
    const shown = await read(body.id)
    expect(shown.author).toBe(manager.id)
    expect(Object.keys(shown)).not.toContain('status')
    expect(Object.keys(shown)).not.toContain('grant_start')
  })

  it.each<[string, object, string]>([
    ['without a name', { name: undefined }, 'name'],
    ['with a name that is null', { name: null }, 'name'],
    ['with a name of 3 characters', { name: 'abc' }, 'name'],
    ['with an empty name', { name: '' }, 'name'],
    ['with a name of 4097 characters', { name: 'n'.repeat(4097) }, 'name'],
    ['with a name that is no text', { name: 4 }, 'name'],
    ['with a comment that is no text', { comment: {} }, 'comment'],
    ['without steps', { steps: undefined }, 'steps'],
    ['with no steps', { steps: [] }, 'steps'],
    ['with steps that are no list', { steps: 'ANY' }, 'steps'],
    ['with a step that is no object', { steps: [1] }, 'steps[0]'],
    ['with a step that has no approvers', { steps: [{ match: 'ANY', approvers: [] }] }, 'steps[0].approvers'],
    ['with a step whose approvers are left out', { steps: [{ match: 'ANY' }] }, 'steps[0].approvers'],
    ['with an unknown action', { action: 'TAKE' }, 'action'],
    ['with an action in small letters', { action: 'grant' }, 'action'],
    ['with an unknown kind of grant', { grant_types: ['PERMANENT', 'SOMETIMES'] }, 'grant_types[1]'],
    ['with kinds of grants that are no list', { grant_types: 'PERMANENT' }, 'grant_types'],
    ['without target roles', { target_roles: undefined }, 'target_roles'],
    ['with no target roles', { target_roles: [] }, 'target_roles'],
    ['with a target role that has no id', { target_roles: [{ name: 'database' }] }, 'target_roles[0].id'],
    ['with a target role that does not exist', { target_roles: [{ id: nobody }] }, 'target_roles[0].id'],
    ['with a target role whose id is none', { target_roles: [{ id: 'db' }] }, 'target_roles[0].id'],
    ['with a requester role that does not exist', { requester_roles: [{ id: nobody }] }, 'requester_roles[0].id'],
    ['with a ceiling below 0', { max_floating_duration: -1 }, 'max_floating_duration'],
    ['with a ceiling of half a day', { max_time_restricted_duration: 0.5 }, 'max_time_restricted_duration'],
    ['with a ceiling that is a text', { max_floating_duration: '8' }, 'max_floating_duration'],
    ['with a ceiling past every number', { max_floating_duration: 1e12 }, 'max_floating_duration'],
    ['with fewer than no active requests', { max_active_requests: -1 }, 'max_active_requests'],
    ['with a flag that is a text', { requires_justification: 'yes' }, 'requires_justification'],
  ])('%s is refused, naming the member', async (_, members, property) => {
    const { status, body } = await make(members)
    expect([status, body.error_code, body.property]).toEqual([400, 'BAD_REQUEST', property])
  })

  it('refuses a match that is none, more than three steps, a role twice in a step and one that does not exist', async () => {
    const { first, second } = scene.roles
    const refused = async (...steps: unknown[]) => (await make({ steps })).body.property
    expect(await refused({ ...step('ANY', first), match: 'SOME' })).toBe('steps[0].match')
    expect(await refused({ ...step('ANY', first), match: undefined })).toBe('steps[0].match')
    expect(await refused(...Array(4).fill(step('ANY', first)))).toBe('steps')
    expect(await refused(step('ANY', second), step('ALL', first, second, first))).toBe('steps[1].approvers[2].role.id')
    expect(await refused(step('ANY', first, nobody))).toBe('steps[0].approvers[1].role.id')
    expect(await refused(step('ANY', 'team leads'))).toBe('steps[0].approvers[0].role.id')
    expect(await refused({ match: 'ANY', approvers: [{ role: { name: 'team leads' } }] })).toBe(
      'steps[0].approvers[0].role.id',
    )
    expect(await refused({ match: 'ANY', approvers: [{}] })).toBe('steps[0].approvers[0].role')
  })

  it('names everything that is wrong when it is more than one thing', async () => {
    const { status, body } = await make({ name: 'abc', action: 'TAKE', steps: [{ ...step('ANY', nobody), match: '' }] })
    expect(status).toBe(400)
    expect(body).not.toHaveProperty('property')
    expect(body.details).toEqual([
      { error_code: 'BAD_REQUEST', error_message: expect.any(String), property: 'name' },
      { error_code: 'BAD_REQUEST', error_message: expect.any(String), property: 'action' },
      { error_code: 'BAD_REQUEST', error_message: expect.any(String), property: 'steps[0].match' },
    ])
  })

  it('refuses a role of another API, and one that was deleted', async () => {
    const { ctx } = scene.world
    const native = await insertGroup(ctx, [])
    expect((await make({ target_roles: [{ id: native }] })).body.property).toBe('target_roles[0].id')
    const gone = await role(ctx, 'gone')
    await ctx.db.updateTable('groups').set({ deleted_at: ctx.clock.now() }).where('id', '=', gone).execute()
    expect((await make({ steps: [step('ANY', gone)] })).body.property).toBe('steps[0].approvers[0].role.id')
  })

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['nothing', undefined],
  ])('refuses a body that is %s', async (_, body) => {
    const { status, body: refusal } = await manager.post(path, body)
    expect([status, refusal.error_code]).toEqual([400, 'BAD_REQUEST'])
  })
})

describe('changing a workflow', () => {
  it('replaces what its writer owns and leaves what the server owns', async () => {
    const { body } = await make({ comment: 'before', max_floating_duration: 5, requires_justification: true })
    const before = await read(body.id)
    scene.world.clock.advance(60_000)
    const change = workflowBody(scene.roles, { name: 'Renamed', author: nobody, created: '2020-01-01T00:00:00Z' })
    const { status } = await scene.ada.put(`${path}/${body.id}`, change)
    expect(status).toBe(200)
    const after = await read(body.id)
    expect(after).toMatchObject({
      name: 'Renamed',
      comment: '',
      max_floating_duration: 0,
      requires_justification: false,
    })
    expect([after.id, after.author, after.created]).toEqual([before.id, before.author, before.created])
    expect(after.updated_by).toBe(scene.ada.id)
    expect(Date.parse(after.updated) - Date.parse(before.updated)).toBe(60_000)
  })

  it('keeps the ids of steps and approvers that were read, and makes new ones of all others', async () => {
    const { first, second } = scene.roles
    const { body } = await make({ steps: [step('ALL', first, second)] })
    const before = await read(body.id)
    const [kept] = before.steps
    const steps = [{ ...kept, id: nobody }, kept, { ...kept }]
    expect((await manager.put(`${path}/${body.id}`, { ...before, steps })).status).toBe(200)
    const after = await read(body.id)
    const ids = after.steps.flatMap((each: { id: string; approvers: { id: string }[] }) => [
      each.id,
      ...each.approvers.map(({ id }) => id),
    ])
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).not.toContain(nobody)
    expect(after.steps[1].id).toBe(kept.id)
    expect(after.steps[0].approvers.map(({ id }: { id: string }) => id)).toEqual(
      kept.approvers.map(({ id }: { id: string }) => id),
    )
  })

  it('takes back what was read', async () => {
    const { body } = await make({
      grant_types: ['FLOATING'],
      steps: [step('ALL', scene.roles.first, scene.roles.second)],
    })
    const before = await read(body.id)
    expect((await manager.put(`${path}/${body.id}`, before)).status).toBe(200)
    expect(await read(body.id)).toEqual({ ...before, updated: time })
  })

  it('is refused whole when a member is wrong', async () => {
    const { body } = await make()
    const before = await read(body.id)
    const change = workflowBody(scene.roles, { name: 'Changed', steps: [step('ANY', nobody)] })
    expect((await manager.put(`${path}/${body.id}`, change)).status).toBe(400)
    expect(await read(body.id)).toEqual(before)
  })

  it('leaves the requests that were made by it as they are', async () => {
    const { first, second, target } = scene.roles
    const id = await scene.workflow({ name: 'Before', grant_types: ['FLOATING'], max_floating_duration: 4 })
    const asked = await scene.ask(scene.ben, { workflow: id, floating_length: 4 })
    const before = await scene.request(asked)
    const change = { name: 'After', steps: [step('ALL', first, second), step('ANY', second)] }
    await manager.put(`${path}/${id}`, workflowBody({ first, second, target }, change))
    expect(await scene.request(asked)).toEqual(before)
    await manager.delete(`${path}/${id}`)
    expect(await scene.request(asked)).toEqual(before)
    expect((await scene.decide(scene.cleo, asked, 'APPROVED')).status).toBe(200)
    expect((await scene.request(asked)).status).toBe('APPROVED')
  })
})

describe('a workflow that is deleted', () => {
  it('is gone, and is so once', async () => {
    const { body } = await make()
    expect((await manager.delete(`${path}/${body.id}`)).status).toBe(200)
    const after = [
      await manager.get(`${path}/${body.id}`),
      await manager.put(`${path}/${body.id}`, workflowBody(scene.roles)),
      await manager.delete(`${path}/${body.id}`),
    ]
    expect(after.map(({ status }) => status)).toEqual([404, 404, 404])
    const list = await manager.get(`${path}?limit=100`)
    expect(list.body.items.map(({ id }: { id: string }) => id)).not.toContain(body.id)
  })

  it.each(['get', 'put', 'delete'] as const)('%s of an id that names nothing, or is none, is 404', async (method) => {
    for (const id of [nobody, 'no-uuid', '%20', "';--"]) {
      const { status, body } = await manager[method](`${path}/${id}`, method === 'get' ? undefined : {})
      expect([status, body.error_code]).toEqual([404, 'NOT_FOUND'])
    }
  })
})

describe('the list of workflows', () => {
  const sorted = ['Alpha', 'Beta', 'Gamma', 'alpha']
  let list: AccessScene
  beforeAll(async () => {
    list = await startAccessScene()
    for (const name of ['Gamma', 'alpha', 'Alpha', 'Beta']) {
      list.world.clock.advance(1000)
      await list.workflow({ name: `${name}.....`, action: name === 'Beta' ? 'REMOVE' : 'GRANT' })
    }
  })
  afterAll(() => list[Symbol.asyncDispose]())

  const names = async (query: string): Promise<string[]> => {
    const { status, body } = await list.ada.get(`${path}${query}`)
    expect([status, body.count]).toEqual([200, 4])
    return body.items.map(({ name }: { name: string }) => name.replace('.....', ''))
  }

  it.each([
    ['', sorted],
    ['?', sorted],
    ['?sortkey=name', sorted],
    ['?sortdir=DESC&sortkey=name', sorted.toReversed()],
    ['?sortkey=created', ['Gamma', 'alpha', 'Alpha', 'Beta']],
    ['?sortkey=updated&sortdir=desc', ['Beta', 'Alpha', 'alpha', 'Gamma']],
    ['?sortkey=id', ['Gamma', 'alpha', 'Alpha', 'Beta']],
    ['?sortkey=status', ['Gamma', 'alpha', 'Alpha', 'Beta']],
    ['?sortkey=action&sortdir=DESC', ['Beta', 'Alpha', 'alpha', 'Gamma']],
    ['?offset=1&limit=2', sorted.slice(1, 3)],
    ['?limit=1', sorted.slice(0, 1)],
    ['?offset=4', []],
    ['?offset=100000', []],
  ])('is %s in order and counts all', async (query, expected) => {
    expect(await names(query)).toEqual(expected)
  })

  it.each([
    ['offset=-1', 'offset'],
    ['offset=x', 'offset'],
    ['offset=1.5', 'offset'],
    ['limit=101', 'limit'],
    ['limit=-5', 'limit'],
    ['limit=ten', 'limit'],
    ['sortkey=colour', 'sortkey'],
    ['sortkey=requester', 'sortkey'],
    ['sortdir=UP', 'sortdir'],
  ])('refuses %s', async (query, property) => {
    const { status, body } = await list.ada.get(`${path}?${query}`)
    expect([status, body.property]).toEqual([400, property])
  })
})

describe('who may', () => {
  const calls: Readonly<Record<string, (client: Client, id: string) => Promise<Answer>>> = {
    list: (client) => client.get(path),
    read: (client, id) => client.get(`${path}/${id}`),
    make: (client) => client.post(path, workflowBody(scene.roles)),
    change: (client, id) => client.put(`${path}/${id}`, workflowBody(scene.roles)),
    delete: (client, id) => client.delete(`${path}/${id}`),
  }

  it.each(Object.keys(calls))('%s a workflow', async (name) => {
    const call = calls[name]!
    const reads = name === 'list' || name === 'read'
    for (const [client, may] of [
      [scene.ada, true],
      [manager, true],
      [viewer, reads],
      [scene.ben, false],
    ] as const) {
      const { status, body } = await call(client, await scene.workflow())
      expect([name, status < 300]).toEqual([name, may])
      if (!may) expect([status, body.error_code]).toEqual([403, 'PERMISSION_DENIED'])
    }
    expect((await call(scene.world.anyone as Client, await scene.workflow())).status).toBe(401)
  })

  it('is asked before what was sent is looked at', async () => {
    expect((await scene.ben.post(path, '{}')).status).toBe(403)
    expect((await scene.ben.put(`${path}/${nobody}`, '{}')).status).toBe(403)
  })

  it('ends with the role that gives it', async () => {
    const { world } = scene
    const id = await role(world.ctx, 'managers for a minute', [], ['privx-admin'])
    const endsAt = world.clock.now().getTime() + 60_000
    await hold(world.ctx, id, scene.eli.id, { kind: 'time-restricted', startsAt: endsAt - 60_000, endsAt })
    expect((await scene.eli.get(path)).status).toBe(200)
    world.clock.advance(60_000)
    expect((await scene.eli.get(path)).status).toBe(403)
  })
})

describe('a role that makes an administrator', () => {
  let boss: Client
  let power: string
  beforeAll(async () => {
    const { ctx } = scene.world
    boss = await scene.world.person('Boss')
    power = await role(ctx, 'rulers', [boss], ['requests-view', 'privx-admin'])
  })
  const target = (...ids: readonly string[]) =>
    workflowBody(scene.roles, { target_roles: ids.map((id) => ({ id })), action: 'BOTH' })
  const denied = [403, 'PERMISSION_DENIED']
  const answered = ({ status, body }: Answer) => (status < 300 ? 'done' : [status, body.error_code])
  const asked = async (more: object = {}) =>
    await scene.ben.post(`${engine}/requests`, { requested_role: { id: power }, ...more })
  const requestable = async (wanted = power) => {
    const { body } = await scene.ben.get(`${path}/roles?limit=1000`)
    return body.items.some(({ id }: { id: string }) => id === wanted)
  }

  it('is asked for by workflows of administrators alone', async () => {
    for (const ids of [[power], [scene.roles.target, power]]) {
      expect(answered(await manager.post(path, target(...ids)))).toEqual(denied)
    }
    expect([answered(await asked()), await requestable()]).toEqual([[400, 'BAD_REQUEST'], false])
    const { body } = await boss.post(path, target(power))
    expect(answered(await manager.put(`${path}/${body.id}`, target(power)))).toEqual(denied)
    expect(answered(await manager.put(`${path}/${body.id}`, target(scene.roles.target)))).toEqual(denied)
    expect(answered(await boss.put(`${path}/${body.id}`, target(power)))).toBe('done')
    expect([answered(await asked()), await requestable()]).toEqual(['done', true])
    expect(answered(await manager.delete(`${path}/${body.id}`))).toBe('done')
  })

  it('is not put into a workflow by an API key, whoever it acts as', async () => {
    const { ada } = scene
    const { body } = await ada.post('/v1/api-keys', { name: 'workflows', scopes: ['privx'] })
    const machine = scene.world.withToken(ada.id, body.key)
    expect(answered(await machine.post(path, target(scene.roles.target)))).toBe('done')
    expect(answered(await machine.post(path, target(power)))).toEqual(denied)
  })

  it('is not asked for by a workflow that was there before it made one', async () => {
    const { db } = scene.world.ctx
    const later = await role(scene.world.ctx, 'harmless', [])
    const { body } = await manager.post(path, target(later))
    const named = { requested_role: { id: later }, workflow: body.id }
    expect(await requestable(later)).toBe(true)
    await db
      .updateTable('groups')
      .set({ permissions: ['privx-admin'] })
      .where('id', '=', later)
      .execute()
    expect(await requestable(later)).toBe(false)
    expect(answered(await asked({ requested_role: { id: later } }))).toEqual([400, 'BAD_REQUEST'])
    expect(answered(await asked(named))).toEqual(denied)
    expect(answered(await boss.put(`${path}/${body.id}`, target(later)))).toBe('done')
    expect(answered(await asked(named))).toBe('done')
  })
})

describe('the names of roles', () => {
  it('are those that the roles have now, and the last ones of those that are deleted', async () => {
    const { ctx } = scene.world
    const renamed = await role(ctx, 'old name')
    const gone = await role(ctx, 'goner')
    const id = await scene.workflow({ target_roles: [{ id: renamed, name: 'ignored' }], steps: [step('ANY', gone)] })
    await ctx.db.updateTable('groups').set({ name: 'new name' }).where('id', '=', renamed).execute()
    await ctx.db.updateTable('groups').set({ deleted_at: ctx.clock.now() }).where('id', '=', gone).execute()
    const shown = await read(id)
    expect(shown.target_roles).toEqual([{ id: renamed, name: 'new name' }])
    expect(shown.steps[0].approvers[0].role).toEqual({ id: gone, name: 'goner', deleted: true })
  })
})

describe('the roles that can be asked for', () => {
  let list: AccessScene
  beforeAll(async () => {
    list = await startAccessScene()
    const { ctx } = list.world
    const other = await role(ctx, 'archive')
    const gone = await role(ctx, 'was')
    await list.workflow({
      target_roles: [{ id: list.roles.target }, { id: other }, { id: gone }],
      action: 'BOTH',
      grant_types: ['FLOATING'],
      max_floating_duration: 8,
      max_time_restricted_duration: 2,
    })
    await list.workflow({ requester_roles: [{ id: list.roles.second }] })
    await list.ada.delete(`${path}/${await list.workflow({ target_roles: [{ id: other }] })}`)
    await ctx.db.updateTable('groups').set({ deleted_at: ctx.clock.now() }).where('id', '=', gone).execute()
  })
  afterAll(() => list[Symbol.asyncDispose]())

  const both = { action: 'BOTH', grant_types: ['FLOATING'], max_floating_duration: 8, max_time_restricted_duration: 2 }
  const plain = {
    action: 'GRANT',
    grant_types: ['PERMANENT'],
    max_floating_duration: 0,
    max_time_restricted_duration: 0,
  }

  it('are listed once for each workflow that the caller may use', async () => {
    const { target } = list.roles
    const { status, body } = await list.ben.get(`${path}/roles`)
    expect([status, body.count]).toEqual([200, 2])
    expect(body.items).toEqual([
      { id: expect.any(String), name: 'archive', ...both },
      { id: target, name: 'database', ...both },
    ])
    const dana = await list.dana.get(`${path}/roles`)
    expect(dana.body.count).toBe(3)
    expect(dana.body.items.slice(1)).toEqual([
      { id: target, name: 'database', ...both },
      { id: target, name: 'database', ...plain },
    ])
  })

  it('come in pages of up to a thousand', async () => {
    const { body } = await list.dana.get(`${path}/roles?offset=1&limit=1`)
    expect([body.count, body.items.length, body.items[0].name]).toEqual([3, 1, 'database'])
    expect((await list.dana.get(`${path}/roles?limit=1000`)).status).toBe(200)
    expect((await list.dana.get(`${path}/roles?limit=1001`)).body.property).toBe('limit')
  })
})
