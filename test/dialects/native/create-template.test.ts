import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { giveRole, insertGroup, insertSpace } from '../../helpers/quorum.ts'
import { insertQuota } from '../../helpers/rows.ts'
import { expectRefusal, nowhere, startTemplateWorld, templates, type TemplateWorld } from '../../helpers/templates.ts'

let world: TemplateWorld
beforeAll(async () => void (world = await startTemplateWorld()))
afterAll(() => world.close())

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const group = (minCount = 1) => ({ type: 'GROUP_REQUIREMENT', groupId: world.security, minCount })

describe('POST /workflow-templates 201', () => {
  it('answers the whole template and where it is', async () => {
    const body = {
      name: 'Release',
      description: 'Before a release',
      approvalRule: { ...group(2), requireHighPrivilege: false },
      spaceId: world.space,
      metadata: { team: 'core', nested: { list: [1, null, 'x'] } },
      defaultExpiresInHours: 8760,
      actions: [{ type: 'EMAIL', recipients: ['ops@example.com'], on: ['REJECTED', 'EXPIRED'] }],
    }
    const made = await world.ada.post(templates, { ...body, unknownMember: true })
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      ...body,
      id: expect.stringMatching(uuidV7),
      version: '1',
      status: 'ACTIVE',
      allowVotingOnDeprecatedTemplate: true,
      createdAt: '2026-11-21T12:00:00.000Z',
      updatedAt: '2026-11-21T12:00:00.000Z',
      concurrencyControl: { version: '1' },
    })
    expect(made.headers['location']).toBe(`http://localhost:80/workflow-templates/${made.body.id}`)
    for (const key of [made.body.id, made.body.id.toUpperCase(), 'Release']) {
      expect((await world.ben.get(`${templates}/${key}`)).body).toEqual(made.body)
    }
  })

  it('leaves out what has no value, and answers empty metadata and actions', async () => {
    const { body } = await world.ada.post(templates, world.draft({ description: null, actions: 'none' }))
    expect(body).toMatchObject({ metadata: {}, actions: [] })
    for (const member of ['description', 'defaultExpiresInHours', 'stages', 'options', 'warnings']) {
      expect(body).not.toHaveProperty(member)
    }
  })

  it('gives a rule back as it was sent, in the order of the contract', async () => {
    const approvalRule = {
      type: 'AND',
      rules: [
        { type: 'OR', rules: [group(), { ...group(2), requireHighPrivilege: true }] },
        { type: 'GROUP_REQUIREMENT', groupId: world.security.toUpperCase(), minCount: 1 },
      ],
    }
    const { body } = await world.ada.post(templates, world.draft({ approvalRule }))
    expect(JSON.stringify(body.approvalRule)).toBe(JSON.stringify(approvalRule))
    const { stages, group_ids } = await world.ctx.db
      .selectFrom('policies')
      .selectAll()
      .where('id', '=', body.id)
      .executeTakeFirstOrThrow()
    expect(group_ids).toEqual([world.security])
    expect(stages).toMatchObject([
      { binding: true, rule: { atLeast: 2, of: [{ atLeast: 1, of: [{}, { assurance: ['stepUp'] }] }, {}] } },
    ])
  })

  it('seals the actions at rest', async () => {
    const actions = [{ type: 'WEBHOOK', url: 'https://hook.example/?token=hunter2' }]
    const { id } = await world.made({ actions })
    const row = await world.ctx.db
      .selectFrom('policies')
      .select('actions')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(Buffer.from(row.actions).toString('latin1')).not.toContain('hunter2')
  })

  it('appends a leaf that names nobody in clear', async () => {
    const { id, name } = await world.made()
    const leaf = await world.ctx.db
      .selectFrom('audit_leaves')
      .selectAll()
      .where('subject_id', '=', id)
      .executeTakeFirstOrThrow()
    expect(leaf.kind).toBe('template.created')
    expect(leaf.content).not.toContain(name)
    expect(leaf.private).toMatchObject({ name: { text: name } })
  })

  it('runs once under an Idempotency-Key, and answers a repetition the same', async () => {
    const body = world.draft({ actions: [{ type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T/B/X' }] })
    const first = await world.ada.post(templates, body, { 'idempotency-key': 'once' })
    const again = await world.ada.post(templates, body, { 'idempotency-key': 'once' })
    expect(first.status).toBe(201)
    expect(again).toMatchObject({ status: 201, body: first.body })
    expect(again.headers['location']).toBe(first.headers['location'])
    expectRefusal(
      await world.ada.post(templates, world.draft(), { 'idempotency-key': 'once' }),
      422,
      'IDEMPOTENCY_KEY_REUSED',
    )
  })
})

describe('who may create a template', () => {
  it.each([
    ['OrgWideWorkflowTemplateWrite', 'org', 201],
    ['OrgWideSpaceManager', 'org', 201],
    ['SpaceWideWorkflowTemplateFullAccess', 'space', 201],
    ['SpaceManager', 'space', 201],
    ['SpaceReadOnly', 'space', 403],
    ['SpaceWideWorkflowTemplateVoter', 'space', 403],
    ['SpaceWideWorkflowTemplateInstantiator', 'space', 403],
    ['AuditorViewer', 'org', 403],
  ] as const)('%s at the %s: %i', async (role, type, status) => {
    const someone = await world.person(`P${role}`)
    await giveRole(world.ctx, someone.id, role, { type, id: type === 'org' ? '' : world.space })
    expect((await someone.post(templates, world.draft())).status).toBe(status)
  })

  it('not by a role in another space, nor by one on the name', async () => {
    const someone = await world.person('Elsewhere')
    const body = world.draft()
    const scope = { type: 'space', id: await insertSpace(world.ctx) } as const
    await giveRole(world.ctx, someone.id, 'SpaceManager', scope)
    const onName = { type: 'workflow_template', id: String(body['name']) } as const
    await giveRole(world.ctx, someone.id, 'WorkflowTemplateWrite', onName)
    expectRefusal(await someone.post(templates, body), 403, 'REQUESTOR_NOT_AUTHORIZED')
  })
})

describe('POST /workflow-templates refuses', () => {
  const long = (length: number) => 'x'.repeat(length)
  const cases: readonly (readonly [status: number, code: string, field: string | undefined, members: () => object])[] =
    [
      [400, 'WORKFLOW_TEMPLATE_NAME_EMPTY', 'name', () => ({ name: undefined })],
      [400, 'WORKFLOW_TEMPLATE_NAME_EMPTY', 'name', () => ({ name: ' \t ' })],
      [400, 'WORKFLOW_TEMPLATE_NAME_EMPTY', 'name', () => ({ name: 7 })],
      [400, 'WORKFLOW_TEMPLATE_NAME_TOO_LONG', 'name', () => ({ name: long(513) })],
      [400, 'WORKFLOW_TEMPLATE_NAME_INVALID_CHARACTERS', 'name', () => ({ name: 'ab' })],
      [400, 'WORKFLOW_TEMPLATE_NAME_INVALID_CHARACTERS', 'name', () => ({ name: '-ab' })],
      [400, 'WORKFLOW_TEMPLATE_NAME_INVALID_CHARACTERS', 'name', () => ({ name: 'tête' })],
      [400, 'WORKFLOW_TEMPLATE_DESCRIPTION_TOO_LONG', 'description', () => ({ description: long(2049) })],
      [400, 'MALFORMED_REQUEST', 'description', () => ({ description: 1 })],
      ...[0, 8761, 1.5, '24', true].map(
        (hours) =>
          [
            400,
            'WORKFLOW_TEMPLATE_EXPIRES_IN_HOURS_INVALID',
            'defaultExpiresInHours',
            () => ({ defaultExpiresInHours: hours }),
          ] as const,
      ),
      [400, 'WORKFLOW_TEMPLATE_SPACE_ID_INVALID_UUID', 'spaceId', () => ({ spaceId: undefined })],
      [400, 'WORKFLOW_TEMPLATE_SPACE_ID_INVALID_UUID', 'spaceId', () => ({ spaceId: 'Demo' })],
      [400, 'WORKFLOW_TEMPLATE_METADATA_INVALID', 'metadata', () => ({ metadata: ['x'] })],
      [400, 'SPACE_NOT_FOUND', 'spaceId', () => ({ spaceId: nowhere })],
    ]
  it.each(cases)('POST /workflow-templates %i %s (%s)', async (status, code, field, members) => {
    expectRefusal(await world.ada.post(templates, world.draft(members())), status, code, field)
  })

  it.each(['[]', '"x"', 'null', '{', ''])(
    'POST /workflow-templates 400 MALFORMED_REQUEST for the body %s',
    async (body) => {
      expect(await world.ada.post(templates, body)).toMatchObject({ status: 400, body: { code: 'MALFORMED_REQUEST' } })
    },
  )

  it('POST /workflow-templates 409 WORKFLOW_TEMPLATE_ALREADY_EXISTS, also in another space and after deprecation', async () => {
    const { name } = await world.made()
    const elsewhere = world.draft({ name, spaceId: await insertSpace(world.ctx) })
    expectRefusal(await world.ada.post(templates, elsewhere), 409, 'WORKFLOW_TEMPLATE_ALREADY_EXISTS')
    await world.ada.post(`${templates}/${name}/deprecate`)
    expectRefusal(await world.ada.post(templates, elsewhere), 409, 'WORKFLOW_TEMPLATE_ALREADY_EXISTS')
  })

  it('POST /workflow-templates 403 REQUESTOR_NOT_AUTHORIZED to whoever holds no role, and to agents', async () => {
    expectRefusal(await world.ben.post(templates, world.draft()), 403, 'REQUESTOR_NOT_AUTHORIZED')
    expectRefusal(await world.robot.post(templates, world.draft()), 403, 'REQUESTOR_NOT_AUTHORIZED')
  })

  it('POST /workflow-templates 401 MISSING_JWT_TOKEN', async () => {
    expectRefusal(await world.anyone.post(templates, world.draft()), 401, 'MISSING_JWT_TOKEN')
  })

  it('POST /workflow-templates 403 QUOTA_EXCEEDED by the names in the space, the nearest quota winning', async () => {
    const quota = 'MAX_WORKFLOW_TEMPLATES_PER_SPACE'
    const spaceId = await insertSpace(world.ctx)
    const other = await insertSpace(world.ctx)
    await insertQuota(world.ctx, quota, 'Org', defaultOrganization.id, 1_000)
    await insertQuota(world.ctx, quota, 'Space', spaceId, 1)
    const { name } = await world.made({ spaceId })
    // A second version is no second name.
    expect((await world.ada.put(`${templates}/${name}`, {})).status).toBe(200)
    const refused = world.draft({ spaceId })
    expectRefusal(await world.ada.post(templates, refused), 403, 'QUOTA_EXCEEDED')
    expect((await world.ada.get(`${templates}/${String(refused['name'])}`)).status).toBe(404)
    // The name is looked at before the quota.
    expectRefusal(
      await world.ada.post(templates, world.draft({ spaceId, name })),
      409,
      'WORKFLOW_TEMPLATE_ALREADY_EXISTS',
    )
    await world.made({ spaceId: other })
  })

  it('tells of the shape before the permission', async () => {
    expectRefusal(
      await world.ben.post(templates, world.draft({ name: '' })),
      400,
      'WORKFLOW_TEMPLATE_NAME_EMPTY',
      'name',
    )
  })
})

describe('warnings', () => {
  it('name each branch that nobody can satisfy today, and refuse nothing', async () => {
    const empty = await insertGroup(world.ctx, [])
    const missing = { type: 'GROUP_REQUIREMENT', groupId: nowhere, minCount: 1 }
    const rules = [group(2), { type: 'OR', rules: [group(3), { ...missing, groupId: empty }] }, missing]
    const { status, body } = await world.ada.post(templates, world.draft({ approvalRule: { type: 'AND', rules } }))
    expect(status).toBe(201)
    expect(body.warnings).toEqual([
      { path: 'approvalRule', message: expect.stringContaining('needs 3') },
      { path: 'approvalRule.rules[1]', message: expect.stringContaining('needs 1, and there are 0') },
      { path: 'approvalRule.rules[1].rules[0]', message: expect.stringContaining('needs 3, and there are 2') },
      { path: 'approvalRule.rules[1].rules[1]', message: expect.stringContaining('there are 0') },
      { path: 'approvalRule.rules[2]', message: expect.stringContaining('there are 0') },
    ])
    expect((await world.ada.get(`${templates}/${body.id}`)).body).not.toHaveProperty('warnings')
  })

  it('name the stage', async () => {
    const stages = [{ approvalRule: group() }, { approvalRule: { type: 'OR', rules: [group(9)] } }]
    const { body } = await world.ada.post(templates, world.draft({ approvalRule: undefined, stages }))
    expect(body.warnings).toMatchObject([
      { path: 'stages[1].approvalRule' },
      { path: 'stages[1].approvalRule.rules[0]' },
    ])
  })

  it('do not count who is disabled', async () => {
    const gone = await world.person('Gone')
    const groupId = await insertGroup(world.ctx, [gone.id])
    await world.ctx.db
      .updateTable('principals')
      .set({ disabled_at: world.clock.now() })
      .where('id', '=', gone.id)
      .execute()
    const { body } = await world.ada.post(templates, world.draft({ approvalRule: { ...group(), groupId } }))
    expect(body.warnings).toMatchObject([{ path: 'approvalRule' }])
  })
})
