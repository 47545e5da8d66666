import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { giveRole, insertSpace } from '../../helpers/quorum.ts'
import { expectRefusal, nowhere, startTemplateWorld, templates, type TemplateWorld } from '../../helpers/templates.ts'
import type { Client } from '../../helpers/world.ts'

let world: TemplateWorld
beforeAll(async () => void (world = await startTemplateWorld()))
afterAll(() => world.close())

const at = (key: string) => `${templates}/${key}`
const group = (minCount: number) => ({ type: 'GROUP_REQUIREMENT', groupId: world.security, minCount })
const read = async (key: string) => (await world.ada.get(at(key))).body
const leafKinds = async (id: string) =>
  (
    await world.ctx.db.selectFrom('audit_leaves').select('kind').where('subject_id', '=', id).orderBy('id').execute()
  ).map(({ kind }) => kind)

describe('GET /workflow-templates/{templateIdentifier}', () => {
  it('200 by name gives the active version, else the highest; by id the version itself; to anyone who is signed in', async () => {
    const { id, name } = await world.made()
    const { body: second } = await world.ada.put(at(name), {})
    for (const client of [world.ada, world.ben, world.robot]) {
      expect((await client.get(at(name))).body).toEqual(second)
      expect((await client.get(at(id))).body).toMatchObject({ id, version: '1', status: 'DEPRECATED' })
    }
    await world.ada.post(at(`${name}/deprecate`))
    expect(await read(name)).toMatchObject({ id: second.id, version: '2', status: 'DEPRECATED' })
  })

  it.each([nowhere, 'No such name', 'f47ac10b-58cc-4372-a567-0e02b2c3d479'])(
    'GET /workflow-templates/%s 404 WORKFLOW_TEMPLATE_NOT_FOUND',
    async (key) => {
      expectRefusal(await world.ben.get(at(key)), 404, 'WORKFLOW_TEMPLATE_NOT_FOUND')
    },
  )

  it('GET /workflow-templates/{templateIdentifier} 401 MISSING_JWT_TOKEN', async () => {
    expectRefusal(await world.anyone.get(at(nowhere)), 401, 'MISSING_JWT_TOKEN')
  })
})

describe('include=workflow-template', () => {
  it('gives the version that a workflow was opened under, with its secrets hidden', async () => {
    const actions = [{ type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T/B/X' }]
    const { id, name } = await world.made({ actions })
    await world.ada.post('/workflows', { name: 'included', workflowTemplateId: id })
    await world.ada.put(at(name), {})
    const template = await read(id)
    expect(template.actions).toEqual([{ type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/***' }])
    const included = await world.ben.get('/workflows/included?include=workflow-template')
    expect(included.body.ref).toEqual({ workflowTemplate: template })
    const listed = await world.ben.get('/workflows?include=workflow-template')
    expect(listed.body.data[0].ref).toEqual({ workflowTemplate: template })
    expect((await world.ben.get('/workflows/included')).body.ref).toEqual({})
  })
})

describe('PUT /workflow-templates/{templateIdentifier} 200', () => {
  const whole = () => ({
    description: 'First',
    metadata: { a: 1 },
    actions: [{ type: 'EMAIL', recipients: ['ops@example.com'] }],
    defaultExpiresInHours: 5,
    options: { veto: 'final' },
  })

  it('writes a new version with a new id, copies what is left out, and retires the one before', async () => {
    const first = await world.made(whole())
    world.clock.advance(1000)
    const { status, body: second } = await world.ada.put(at(first.name), {})
    expect(status).toBe(200)
    expect(second).toEqual({
      ...first,
      id: expect.not.stringMatching(first.id),
      version: '2',
      createdAt: expect.not.stringMatching(first.createdAt),
      updatedAt: world.clock.now().toISOString(),
      concurrencyControl: { version: expect.any(String) },
    })
    expect(await read(first.id)).toEqual({
      ...first,
      status: 'DEPRECATED',
      updatedAt: world.clock.now().toISOString(),
      concurrencyControl: { version: expect.any(String) },
    })
    expect(await leafKinds(first.id)).toEqual(['template.created', 'template.deprecated', 'template.closed'])
    expect(await leafKinds(second.id)).toEqual(['template.updated'])
  })

  it('replaces what is sent, by name or by id; name and space never change', async () => {
    const first = await world.made(whole())
    const changes = {
      description: '',
      metadata: {},
      actions: [],
      defaultExpiresInHours: 7,
      approvalRule: group(1),
      options: {},
    }
    const spaceId = await insertSpace(world.ctx)
    const { body } = await world.ada.put(at(first.id), { ...changes, name: 'Other name', spaceId })
    expect(body).toMatchObject({
      ...changes,
      options: { veto: 'withdrawable' },
      name: first.name,
      spaceId: world.space,
    })
    expect((await world.ada.put(at(first.name), { description: null })).body).toMatchObject({
      description: '',
      version: '3',
    })
  })

  it('leaves one version of a name ACTIVE at most, and the store would take no second', async () => {
    const { id, name } = await world.made()
    const { db } = world.ctx
    const active = async () =>
      (await db.selectFrom('policies').select('id').where('name', '=', name).where('status', '=', 'active').execute())
        .length
    expect(await active()).toBe(1)
    for (let round = 0; round < 2; round++) {
      await world.ada.put(at(name), {})
      expect(await active()).toBe(1)
    }
    const again = db.updateTable('policies').set({ status: 'active' }).where('id', '=', id).execute()
    await expect(again).rejects.toMatchObject({ constraint: 'policies_one_active' })
    await world.ada.post(at(`${name}/deprecate`))
    expect(await active()).toBe(0)
  })

  it('warns of a rule that nobody can satisfy today', async () => {
    const { id } = await world.made()
    const { body } = await world.ada.put(at(id), { approvalRule: group(3) })
    expect(body.warnings).toMatchObject([{ path: 'approvalRule' }])
  })

  it('compares concurrencyControl when it is there, and never takes one of an earlier version', async () => {
    const first = await world.made()
    const stale = [first.concurrencyControl]
    const second = (await world.ada.put(at(first.name), { concurrencyControl: first.concurrencyControl })).body
    expect(second.version).toBe('2')
    stale.push((await read(first.id)).concurrencyControl)
    for (const concurrencyControl of stale) {
      const refused = await world.ada.put(at(first.name), { concurrencyControl })
      expectRefusal(refused, 409, 'CONCURRENCY_ERROR')
    }
    const third = await world.ada.put(at(second.id), { concurrencyControl: second.concurrencyControl })
    expect(third.body.version).toBe('3')
  })
})

describe('PUT /workflow-templates/{templateIdentifier} refuses', () => {
  const cases: readonly (readonly [status: number, code: string, field: string | undefined, body: unknown])[] = [
    [400, 'WORKFLOW_TEMPLATE_DESCRIPTION_TOO_LONG', 'description', { description: 'x'.repeat(2049) }],
    [400, 'MALFORMED_REQUEST', 'description', { description: {} }],
    [400, 'WORKFLOW_TEMPLATE_METADATA_INVALID', 'metadata', { metadata: 'x' }],
    [400, 'WORKFLOW_TEMPLATE_EXPIRES_IN_HOURS_INVALID', 'defaultExpiresInHours', { defaultExpiresInHours: 0 }],
    [400, 'WORKFLOW_TEMPLATE_CANCEL_WORKFLOWS_INVALID', 'cancelWorkflows', { cancelWorkflows: 'yes' }],
    [400, 'WORKFLOW_TEMPLATE_OPTIONS_INVALID', 'options.veto', { options: { veto: 1 } }],
    [400, 'WORKFLOW_TEMPLATE_STAGES_INVALID', 'stages', { stages: [] }],
    [400, 'APPROVAL_RULE_INVALID_RULE_TYPE', 'approvalRule', { approvalRule: 'AND' }],
    [400, 'WORKFLOW_ACTION_TYPE_INVALID', 'actions[0].type', { actions: [{ type: 'FAX' }] }],
    [400, 'MALFORMED_REQUEST', undefined, []],
    [400, 'MALFORMED_REQUEST', undefined, undefined],
    [409, 'CONCURRENCY_ERROR', undefined, { concurrencyControl: { version: '-9223372036854775808' } }],
    ...['x', '', '1.0', '12345678901234567890', 1, null, undefined].map(
      (version) =>
        [
          400,
          'INVALID_CONCURRENCY_CONTROL',
          'concurrencyControl.version',
          { concurrencyControl: { version } },
        ] as const,
    ),
    [400, 'INVALID_CONCURRENCY_CONTROL', 'concurrencyControl.version', { concurrencyControl: 'x' }],
  ]
  it.each(cases)('PUT /workflow-templates/{templateIdentifier} %i %s (%s)', async (status, code, field, body) => {
    const { id, name } = await world.made()
    for (const key of [id, name]) expectRefusal(await world.ada.put(at(key), body), status, code, field)
    expect(await read(id)).toMatchObject({ status: 'ACTIVE', version: '1', concurrencyControl: { version: '1' } })
  })

  it('PUT /workflow-templates/{templateIdentifier} 404 WORKFLOW_TEMPLATE_NOT_FOUND by an unknown id', async () => {
    expectRefusal(await world.ada.put(at(nowhere), {}), 404, 'WORKFLOW_TEMPLATE_NOT_FOUND')
  })

  it('PUT /workflow-templates/{templateIdentifier} 409 ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND by name', async () => {
    expectRefusal(await world.ada.put(at('No such name'), {}), 409, 'ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND')
    const { name } = await world.made()
    await world.ada.post(at(`${name}/deprecate`))
    expectRefusal(await world.ada.put(at(name), {}), 409, 'ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND')
  })

  it('PUT /workflow-templates/{templateIdentifier} 400 WORKFLOW_TEMPLATE_NOT_ACTIVE by the id of an old version', async () => {
    const { id } = await world.made()
    await world.ada.put(at(id), {})
    expectRefusal(await world.ada.put(at(id), {}), 400, 'WORKFLOW_TEMPLATE_NOT_ACTIVE')
  })

  it('in the order 403, field, unknown, concurrency, not active, malformed concurrency', async () => {
    const { id, name } = await world.made()
    const bad = { metadata: 1, concurrencyControl: { version: 'x' } }
    expectRefusal(await world.ben.put(at(id), bad), 403, 'REQUESTOR_NOT_AUTHORIZED')
    expectRefusal(await world.ben.put(at(nowhere), bad), 403, 'REQUESTOR_NOT_AUTHORIZED')
    expectRefusal(await world.ada.put(at(nowhere), bad), 400, 'WORKFLOW_TEMPLATE_METADATA_INVALID', 'metadata')
    expectRefusal(await world.ada.put(at(nowhere), { concurrencyControl: 1 }), 404, 'WORKFLOW_TEMPLATE_NOT_FOUND')
    await world.ada.post(at(`${name}/deprecate`))
    const control = (version: string) => ({ concurrencyControl: { version } })
    expectRefusal(await world.ada.put(at(id), control('77')), 409, 'CONCURRENCY_ERROR')
    expectRefusal(await world.ada.put(at(id), control('x')), 400, 'WORKFLOW_TEMPLATE_NOT_ACTIVE')
    expectRefusal(await world.ada.put(at(name), control('x')), 409, 'ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND')
  })
})

describe('POST /workflow-templates/{templateIdentifier}/deprecate', () => {
  it('200 shows PENDING_DEPRECATION, by name and by id; with nothing open the version is then DEPRECATED', async () => {
    for (const key of ['name', 'id']) {
      const made = await world.made()
      world.clock.advance(1000)
      const { status, body } = await world.ada.post(at(`${made[key]}/deprecate`), key === 'id' ? {} : undefined)
      expect(status).toBe(200)
      expect(body).toEqual({
        ...made,
        status: 'PENDING_DEPRECATION',
        updatedAt: world.clock.now().toISOString(),
        concurrencyControl: { version: '2' },
      })
      expect(await read(made.id)).toMatchObject({ status: 'DEPRECATED', allowVotingOnDeprecatedTemplate: true })
      expect(await leafKinds(made.id)).toEqual(['template.created', 'template.deprecated', 'template.closed'])
    }
  })

  it('200 again under the same Idempotency-Key', async () => {
    const { name } = await world.made()
    const headers = { 'idempotency-key': 'deprecate' }
    const first = await world.ada.post(at(`${name}/deprecate`), {}, headers)
    expect(await world.ada.post(at(`${name}/deprecate`), {}, headers)).toMatchObject({ status: 200, body: first.body })
  })

  it('POST …/deprecate 400 ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND by name', async () => {
    const { name } = await world.made()
    await world.ada.post(at(`${name}/deprecate`))
    for (const key of [name, 'No such name']) {
      expectRefusal(await world.ada.post(at(`${key}/deprecate`)), 400, 'ACTIVE_WORKFLOW_TEMPLATE_NOT_FOUND')
    }
  })

  it('POST …/deprecate 404 WORKFLOW_TEMPLATE_NOT_FOUND by an unknown id', async () => {
    expectRefusal(await world.ada.post(at(`${nowhere}/deprecate`)), 404, 'WORKFLOW_TEMPLATE_NOT_FOUND')
  })

  it('POST …/deprecate 400 WORKFLOW_TEMPLATE_NOT_ACTIVE by the id of an old version', async () => {
    const { id } = await world.made()
    await world.ada.put(at(id), {})
    expectRefusal(await world.ada.post(at(`${id}/deprecate`)), 400, 'WORKFLOW_TEMPLATE_NOT_ACTIVE')
  })

  it('POST …/deprecate 400 for a body of the wrong shape, before the permission', async () => {
    const { id } = await world.made()
    const invalid = ['WORKFLOW_TEMPLATE_CANCEL_WORKFLOWS_INVALID', 'cancelWorkflows'] as const
    expectRefusal(await world.ben.post(at(`${id}/deprecate`), { cancelWorkflows: 1 }), 400, ...invalid)
    expectRefusal(await world.ben.post(at(`${id}/deprecate`), []), 400, 'MALFORMED_REQUEST')
  })
})

it('POST /internal/workflow-template/{templateId}/cancel-workflows 404 NOT_FOUND: it is open to nobody', async () => {
  const { id } = await world.made()
  expectRefusal(await world.ada.post(`/internal/workflow-template/${id}/cancel-workflows`), 404, 'NOT_FOUND')
})

describe('DELETE /workflow-templates/{templateIdentifier} 204', () => {
  it.each(['name', 'id of the active version', 'id of an old version'])('by %s: every version', async (by) => {
    const first = await world.made()
    const second = (await world.ada.put(at(first.name), {})).body
    const reader = { type: 'workflow_template', id: first.name } as const
    await giveRole(world.ctx, world.ben.id, 'WorkflowTemplateVoter', reader)
    const key = by === 'name' ? first.name : by === 'id of an old version' ? first.id : second.id
    expect(await world.ada.delete(at(key))).toMatchObject({ status: 204, body: '' })
    for (const gone of [first.id, second.id, first.name]) {
      expectRefusal(await world.ada.get(at(gone)), 404, 'WORKFLOW_TEMPLATE_NOT_FOUND')
    }
    // The name is free, and nobody has a role on it from before.
    const bindings = world.ctx.db.selectFrom('role_bindings').selectAll().where('scope_id', '=', first.name)
    expect(await bindings.execute()).toEqual([])
    expect(await leafKinds(second.id)).toContain('template.deleted')
    await world.made({ name: first.name })
  })

  it('also when it did not exist', async () => {
    for (const key of [nowhere, 'No such name']) expect((await world.ada.delete(at(key))).status).toBe(204)
  })

  it('DELETE /workflow-templates/{templateIdentifier} 401 MISSING_JWT_TOKEN', async () => {
    expectRefusal(await world.anyone.delete(at(nowhere)), 401, 'MISSING_JWT_TOKEN')
  })
})

describe('who may change a template', () => {
  const calls: readonly (readonly [string, (client: Client, key: string) => ReturnType<Client['get']>])[] = [
    ['PUT', (client, key) => client.put(at(key), {})],
    ['deprecate', (client, key) => client.post(at(`${key}/deprecate`), {})],
    ['DELETE', (client, key) => client.delete(at(key))],
  ]

  it.each(calls)(
    '%s 403 REQUESTOR_NOT_AUTHORIZED without a role, to agents and to managers elsewhere',
    async (_, call) => {
      const { id, name } = await world.made()
      const elsewhere = await world.person(`Elsewhere ${id}`)
      await giveRole(world.ctx, elsewhere.id, 'SpaceManager', { type: 'space', id: await insertSpace(world.ctx) })
      for (const client of [world.ben, world.robot, elsewhere]) {
        for (const key of [id, name]) expectRefusal(await call(client, key), 403, 'REQUESTOR_NOT_AUTHORIZED')
      }
      for (const client of [world.ben, world.robot]) {
        for (const key of [nowhere, 'No such']) expectRefusal(await call(client, key), 403, 'REQUESTOR_NOT_AUTHORIZED')
      }
      expect(await read(id)).toMatchObject({ status: 'ACTIVE' })
    },
  )

  it.each(calls)(
    '%s is open to writers of the template and the space, and to managers of the space',
    async (_, call) => {
      for (const [role, type] of [
        ['WorkflowTemplateWrite', 'workflow_template'],
        ['SpaceWideWorkflowTemplateWrite', 'space'],
        ['OrgWideWorkflowTemplateFullAccess', 'org'],
        ['SpaceManager', 'space'],
        ['OrgWideSpaceManager', 'org'],
      ] as const) {
        const { id, name } = await world.made()
        const someone = await world.person(`${role} ${id}`)
        const scope = { workflow_template: name, space: world.space, org: '' }[type]
        await giveRole(world.ctx, someone.id, role, { type, id: scope })
        expect((await call(someone, id)).status).toBeLessThan(300)
      }
    },
  )
})
