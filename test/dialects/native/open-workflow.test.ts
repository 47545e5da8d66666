import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { insertRequests } from '../../helpers/crowd.ts'
import { quota as setQuota } from '../../helpers/directory.ts'
import { giveRole, insertPolicy, insertSpace, seats } from '../../helpers/quorum.ts'
import { insertQuota } from '../../helpers/rows.ts'
import { expectRefusal, nowhere, templates } from '../../helpers/templates.ts'
import {
  deprecated,
  refusals,
  startWorkflowWorld,
  storedIn,
  workflows,
  type Refused,
  type WorkflowWorld,
} from '../../helpers/workflows.ts'

let world: WorkflowWorld
let templateId: string
beforeAll(async () => {
  world = await startWorkflowWorld()
  templateId = (await world.made({ name: 'Release' })).id
})
afterAll(() => world.close())

const uuidV7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const long = (length: number) => 'x'.repeat(length)

describe('POST /workflows 201', () => {
  it('answers where it is and nothing else; it is open from then on', async () => {
    const body = {
      name: 'release_42-A',
      description: 'Ship it',
      metadata: { ticket: 'OPS-1', empty: '' },
      workflowTemplateId: templateId.toUpperCase(),
      status: 'APPROVED',
      expiresAt: '2020-01-01T00:00:00.000Z',
    }
    const made = await world.ada.post(`${workflows}?x=1`, body)
    expect(made).toMatchObject({ status: 201, body: '' })
    const location = String(made.headers['location'])
    expect(location).toMatch(new RegExp(`^http://localhost:80/workflows/${uuidV7}$`))
    const id = location.split('/').at(-1)
    const now = '2026-11-21T12:00:00.000Z'
    for (const key of [id, id?.toUpperCase(), body.name]) {
      expect((await world.ben.get(`${workflows}/${key}`)).body).toEqual({
        id,
        name: 'release_42-A',
        description: 'Ship it',
        status: 'EVALUATION_IN_PROGRESS',
        workflowTemplateId: templateId,
        metadata: { ticket: 'OPS-1', empty: '' },
        ref: {},
        createdAt: now,
        updatedAt: now,
        expiresAt: '2026-12-21T12:00:00.000Z',
      })
    }
  })

  it('leaves out what has no value, and answers empty metadata', async () => {
    const id = await world.openedUnder(templateId, { description: null, metadata: null })
    const { body } = await world.ben.get(`${workflows}/${id}`)
    expect(body).not.toHaveProperty('description')
    expect(body.metadata).toEqual({})
  })

  it.each([1, 8760])('expires %i hours after it was opened where the template says so', async (hours) => {
    const { id } = await world.made({ defaultExpiresInHours: hours })
    const { body } = await world.ben.get(`${workflows}/${await world.openedUnder(id)}`)
    expect(Date.parse(body.expiresAt) - Date.parse(body.createdAt)).toBe(hours * 3_600_000)
  })

  it.each([
    ['name', { name: long(512) }],
    ['description', { description: long(2048) }],
  ])('takes the longest %s', async (_, members) => {
    expect((await world.ada.post(workflows, world.ask(templateId, members))).status).toBe(201)
  })

  it('keeps metadata with names that objects have anyway', async () => {
    const metadata = { toString: 'a', hasOwnProperty: 'b' }
    const { body } = await world.ben.get(`${workflows}/${await world.openedUnder(templateId, { metadata })}`)
    expect(body.metadata).toEqual(metadata)
  })

  it('appends a leaf that does not tell the name', async () => {
    const id = await world.openedUnder(templateId, { name: 'secret-merger' })
    const leaf = await world.ctx.db
      .selectFrom('audit_leaves')
      .selectAll()
      .where('subject_id', '=', id)
      .executeTakeFirstOrThrow()
    expect(leaf.kind).toBe('request.created')
    expect(leaf.content).not.toContain('secret-merger')
    expect(leaf.private).toMatchObject({ name: { text: 'secret-merger' } })
  })
})

describe('who may open a workflow', () => {
  it.each([
    ['OrgWideWorkflowTemplateInstantiator', 'org', 201],
    ['SpaceWideWorkflowTemplateInstantiator', 'space', 201],
    ['WorkflowTemplateInstantiator', 'workflow_template', 201],
    ['WorkflowTemplateFullAccess', 'workflow_template', 201],
    ['OrgWideWorkflowTemplateVoter', 'org', 403],
    ['OrgWideWorkflowTemplateWrite', 'org', 403],
    ['OrgWideWorkflowFullAccess', 'org', 403],
    ['OrgWideSpaceManager', 'org', 403],
  ] as const)('a person with %s at the %s: %i', async (role, type, status) => {
    const someone = await world.person(`Holder of ${role}`.replaceAll(' ', ''))
    const id = { org: '', space: world.space, workflow_template: 'Release' }[type]
    await giveRole(world.ctx, someone.id, role, { type, id })
    expect((await someone.post(workflows, world.ask(templateId))).status).toBe(status)
  })

  it('an agent with the permission too', async () => {
    const answer = await world.robot.post(workflows, world.ask(templateId))
    expect(answer.status).toBe(201)
  })

  it('not by a role in another space, nor by one on another name', async () => {
    const someone = await world.person('Elsewhere')
    const space = { type: 'space', id: await insertSpace(world.ctx) } as const
    await giveRole(world.ctx, someone.id, 'WorkflowTemplateInstantiator', space)
    const name = { type: 'workflow_template', id: 'Releas' } as const
    await giveRole(world.ctx, someone.id, 'WorkflowTemplateInstantiator', name)
    expectRefusal(await someone.post(workflows, world.ask(templateId)), 403, 'REQUESTOR_NOT_AUTHORIZED')
  })
})

const malformed = (name: string, code: string, field: string, members: object): Refused => [
  name,
  400,
  code,
  field,
  () => () => world.ada.post(workflows, world.ask(templateId, members)),
]

const body = (name: string, code: string, text: string | undefined): Refused => [
  name,
  400,
  code,
  undefined,
  () => () => world.ada.post(workflows, text),
]

refusals('POST /workflows', () => world, [
  body('no body', 'MALFORMED_REQUEST', undefined),
  body('an empty body', 'MALFORMED_REQUEST', ''),
  body('blanks', 'MALFORMED_REQUEST', '  '),
  body('a list', 'MALFORMED_REQUEST', '[]'),
  body('a text', 'MALFORMED_REQUEST', '"x"'),
  body('a number', 'MALFORMED_REQUEST', '7'),
  body('null', 'MALFORMED_REQUEST', 'null'),
  body('half of a body', 'MALFORMED_REQUEST', '{"name":'),
  body('two bodies', 'MALFORMED_REQUEST', '{}{}'),
  [
    'a Content-Type that is none',
    400,
    'MALFORMED_REQUEST',
    undefined,
    () => () => world.ada.post(workflows, world.ask(templateId), { 'content-type': 'nonsense' }),
  ],
  body('NaN', 'MALFORMED_REQUEST', '{"name": NaN}'),
  malformed('no name', 'NAME_MISSING', 'name', { name: undefined }),
  malformed('null as name', 'NAME_MISSING', 'name', { name: null }),
  malformed('a number as name', 'NAME_NOT_STRING', 'name', { name: 7 }),
  malformed('a list as name', 'NAME_NOT_STRING', 'name', { name: ['x'] }),
  malformed('a number as description', 'DESCRIPTION_NOT_STRING', 'description', { description: 7 }),
  malformed('a list as metadata', 'METADATA_MALFORMED', 'metadata', { metadata: ['x'] }),
  malformed('a text as metadata', 'METADATA_MALFORMED', 'metadata', { metadata: 'x' }),
  malformed('a number in metadata', 'METADATA_MALFORMED', 'metadata.count', { metadata: { ok: 'x', count: 1 } }),
  malformed('null in metadata', 'METADATA_MALFORMED', 'metadata.none', { metadata: { none: null } }),
  malformed('an object in metadata', 'METADATA_MALFORMED', 'metadata.deep', { metadata: { deep: {} } }),
  malformed('no template', 'WORKFLOW_TEMPLATE_ID_MISSING', 'workflowTemplateId', { workflowTemplateId: undefined }),
  malformed('null as template', 'WORKFLOW_TEMPLATE_ID_MISSING', 'workflowTemplateId', { workflowTemplateId: null }),
  malformed('a number as template', 'WORKFLOW_TEMPLATE_ID_NOT_STRING', 'workflowTemplateId', { workflowTemplateId: 7 }),
  malformed('an empty name', 'WORKFLOW_NAME_EMPTY', 'name', { name: '' }),
  malformed('a blank name', 'WORKFLOW_NAME_EMPTY', 'name', { name: ' \t\n' }),
  malformed('513 characters', 'WORKFLOW_NAME_TOO_LONG', 'name', { name: long(513) }),
  malformed('513 blanks and letters', 'WORKFLOW_NAME_TOO_LONG', 'name', { name: `${long(512)} ` }),
  malformed('a blank inside', 'WORKFLOW_NAME_INVALID_CHARACTERS', 'name', { name: 'a b' }),
  malformed('a line break at the end', 'WORKFLOW_NAME_INVALID_CHARACTERS', 'name', { name: 'ab\n' }),
  malformed('a slash', 'WORKFLOW_NAME_INVALID_CHARACTERS', 'name', { name: 'a/b' }),
  malformed('an accent', 'WORKFLOW_NAME_INVALID_CHARACTERS', 'name', { name: 'tête' }),
  malformed('2049 characters', 'WORKFLOW_DESCRIPTION_TOO_LONG', 'description', { description: long(2049) }),
  malformed('a template by name', 'WORKFLOW_WORKFLOW_TEMPLATE_ID_INVALID_UUID', 'workflowTemplateId', {
    workflowTemplateId: 'Release',
  }),
  malformed('a UUID of version 4', 'WORKFLOW_WORKFLOW_TEMPLATE_ID_INVALID_UUID', 'workflowTemplateId', {
    workflowTemplateId: '01890000-0000-4000-8000-000000000000',
  }),
  malformed('an empty template id', 'WORKFLOW_WORKFLOW_TEMPLATE_ID_INVALID_UUID', 'workflowTemplateId', {
    workflowTemplateId: '',
  }),
  malformed('an unknown template', 'WORKFLOW_TEMPLATE_NOT_FOUND', 'workflowTemplateId', {
    workflowTemplateId: nowhere,
  }),
  [
    'a version that another has replaced',
    400,
    'WORKFLOW_TEMPLATE_NOT_ACTIVE',
    'workflowTemplateId',
    async () => {
      const { id } = await world.made()
      await world.openedUnder(id)
      expect((await world.ada.put(`${templates}/${id}`, {})).status).toBe(200)
      return () => world.ada.post(workflows, world.ask(id))
    },
  ],
  [
    'a deprecated template',
    400,
    'WORKFLOW_TEMPLATE_NOT_ACTIVE',
    'workflowTemplateId',
    async () => {
      const { id } = await world.made()
      await deprecated(world, id)
      return () => world.ada.post(workflows, world.ask(id))
    },
  ],
  [
    'the name of another workflow',
    409,
    'WORKFLOW_ALREADY_EXISTS',
    undefined,
    async () => {
      await world.openedUnder(templateId, { name: 'taken' })
      const { id } = await world.made()
      return () => world.ada.post(workflows, world.ask(id, { name: 'taken' }))
    },
  ],
  [
    'the name of one that is decided',
    409,
    'WORKFLOW_ALREADY_EXISTS',
    undefined,
    async () => {
      const id = await world.opened({}, { name: 'decided' })
      expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
      return () => world.ada.post(workflows, world.ask(templateId, { name: 'decided' }))
    },
  ],
  ['no role', 403, 'REQUESTOR_NOT_AUTHORIZED', undefined, () => () => world.ben.post(workflows, world.ask(templateId))],
  [
    'a shape that is wrong, before the permission',
    400,
    'WORKFLOW_NAME_EMPTY',
    'name',
    () => () => world.ben.post(workflows, world.ask(templateId, { name: '' })),
  ],
  ['no token, before the shape', 401, 'MISSING_JWT_TOKEN', undefined, () => () => world.anyone.post(workflows, {})],
])

describe('POST /workflows 403 QUOTA_EXCEEDED', () => {
  const quota = 'MAX_CONCURRENT_WORKFLOWS'
  const refusedFor = async (id: string, name: string) => {
    const before = await storedIn(world)
    expectRefusal(await world.ada.post(workflows, world.ask(id, { name })), 403, 'QUOTA_EXCEEDED')
    expect(await storedIn(world)).toEqual(before)
  }

  it('counts the open workflows of the version: a decision, a cancellation and the clock each make room', async () => {
    const { id, version, name } = await world.made({ approvalRule: world.rule() })
    expect(version).toBe('1')
    await insertQuota(world.ctx, quota, 'WorkflowTemplate', id, 2)
    const first = await world.openedUnder(id)
    const second = await world.openedUnder(id)
    await refusedFor(id, 'one-more')
    // A rejected workflow is still open.
    expect(await world.voted(world.cleo, first, 'VETO')).toBe('REJECTED')
    await refusedFor(id, 'one-more')
    await world.voted(world.cleo, first, 'WITHDRAW')
    expect(await world.voted(world.dan, first, 'APPROVE')).toBe('APPROVED')
    await world.openedUnder(id, { name: 'one-more' })
    await refusedFor(id, 'two-more')
    expect((await world.ada.post(`/v1/workflows/${second}/cancel`)).status).toBe(200)
    await world.openedUnder(id, { name: 'two-more' })
    await refusedFor(id, 'three-more')
    // All are due, and nothing has written so yet.
    await world.expiresIn(0, { policyId: id })
    await world.openedUnder(id, { name: 'three-more' })
    await world.openedUnder(id, { name: 'four-more' })
    await refusedFor(id, 'five-more')
    // Another version has its own count, and the quota on the old one does not hold for it.
    const { body } = await world.ada.put(`${templates}/${name}`, {})
    await world.openedUnder(body.id, { name: 'five-more' })
  })

  it('the nearest quota holds: template, else space, else organization; the name is looked at first', async () => {
    const policy = async (spaceId: string) => await insertPolicy(world.ctx, seats(world.guards, 1), {}, { spaceId })
    const open = async (id: string, name: string) => {
      const answer = await world.ada.post(workflows, { name, workflowTemplateId: id })
      return answer.status === 201 ? 201 : answer.body.code
    }
    const space = await insertSpace(world.ctx)
    const [near, inSpace] = [await policy(space), await policy(space)]
    const elsewhere = await policy(await insertSpace(world.ctx))
    const lift = await setQuota(world, quota, 0)
    await insertQuota(world.ctx, quota, 'Space', space, 1)
    await insertQuota(world.ctx, quota, 'WorkflowTemplate', near, 2)
    expect(await open(elsewhere, 'a')).toBe('QUOTA_EXCEEDED')
    expect(await open(inSpace, 'b')).toBe(201)
    // Wherever the quota is defined, counted are the workflows of one version.
    expect(await open(near, 'c')).toBe(201)
    expect(await open(near, 'd')).toBe(201)
    expect(await open(inSpace, 'e')).toBe('QUOTA_EXCEEDED')
    expect(await open(near, 'f')).toBe('QUOTA_EXCEEDED')
    expect(await open(near, 'b')).toBe('WORKFLOW_ALREADY_EXISTS')
    await lift()
    expect(await open(elsewhere, 'a')).toBe(201)
  })

  it('lets no two calls at once take the last place', async () => {
    const { id } = await world.made()
    await insertQuota(world.ctx, quota, 'WorkflowTemplate', id, 3)
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => (await world.ada.post(workflows, world.ask(id))).status),
    )
    expect(answers.toSorted((a, b) => a - b)).toEqual([201, 201, 201, 403, 403, 403, 403, 403])
  })
})

describe('POST /workflows 503 SERVICE_UNAVAILABLE', () => {
  it.each([
    ['disable_workflow_creation', 200],
    ['read_only_mode', 503],
  ])('by the lever %s, before the token is looked at; a vote answers %i', async (lever, voteStatus) => {
    await using own = await startWorkflowWorld({ env: { QUORATE_LEVERS: lever } })
    const policyId = await insertPolicy(own.ctx, seats(own.guards, 2))
    const asker = { id: own.ada.id, kind: 'human', personId: own.ctx.newId() } as const
    const [id = ''] = await insertRequests(own.ctx, policyId, asker, 1)
    expectRefusal(await own.ada.post(workflows, own.ask(nowhere)), 503, 'SERVICE_UNAVAILABLE')
    expectRefusal(await own.anyone.post(workflows, {}), 503, 'SERVICE_UNAVAILABLE')
    expect((await own.vote(own.cleo, id, 'APPROVE')).status).toBe(voteStatus)
    expect(await own.statusOf(id)).toBe('EVALUATION_IN_PROGRESS')
  })
})

describe('POST /workflows with an Idempotency-Key', () => {
  const key = { 'idempotency-key': 'open-once' }

  it('runs once and answers a repetition the same; another body is refused', async () => {
    const asked = world.ask(templateId)
    const first = await world.ada.post(workflows, asked, key)
    const again = await world.ada.post(workflows, asked, key)
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.headers['location']).toBe(first.headers['location'])
    const reordered = Object.fromEntries(Object.entries(asked).toReversed())
    expect((await world.ada.post(workflows, reordered, key)).headers['location']).toBe(first.headers['location'])
    expectRefusal(await world.ada.post(workflows, world.ask(templateId), key), 422, 'IDEMPOTENCY_KEY_REUSED')
    expectRefusal(await world.ada.post(`${workflows}?x=1`, asked, key), 422, 'IDEMPOTENCY_KEY_REUSED')
    // Without the key the name is taken, and the key is the caller's own.
    expectRefusal(await world.ada.post(workflows, asked), 409, 'WORKFLOW_ALREADY_EXISTS')
    expect((await world.robot.post(workflows, world.ask(templateId), key)).status).toBe(201)
  })

  it('of a refused call may be used again', async () => {
    const name = 'too-early'
    const headers = { 'idempotency-key': 'refused' }
    expectRefusal(
      await world.ada.post(workflows, { name, workflowTemplateId: nowhere }, headers),
      400,
      'WORKFLOW_TEMPLATE_NOT_FOUND',
      'workflowTemplateId',
    )
    expect((await world.ada.post(workflows, { name, workflowTemplateId: templateId }, headers)).status).toBe(201)
  })

  it('runs once even when it arrives many times at once', async () => {
    const asked = world.ask(templateId)
    const headers = { 'idempotency-key': 'at-once' }
    const answers = await Promise.all(Array.from({ length: 6 }, () => world.ada.post(workflows, asked, headers)))
    expect(new Set(answers.map((answer) => `${answer.status} ${String(answer.headers['location'])}`)).size).toBe(1)
  })

  it.each(['', ' ', ' x', 'tab\there', long(256), 'schlüssel'])('400 INVALID_IDEMPOTENCY_KEY: %j', async (bad) => {
    const before = await storedIn(world)
    const answer = await world.ada.post(workflows, world.ask(templateId), { 'idempotency-key': bad })
    expectRefusal(answer, 400, 'INVALID_IDEMPOTENCY_KEY', 'Idempotency-Key')
    expect(await storedIn(world)).toEqual(before)
  })
})

describe('POST /workflows: bodies that are trouble', () => {
  const text = (members: string) => `{"name":"trouble","workflowTemplateId":"${templateId}",${members}}`
  const deep = (levels: number) => `"x":${'['.repeat(levels)}${']'.repeat(levels)}`

  it.each([
    ['a NUL in the name', '"name":"a\\u0000b"', 'name'],
    ['a NUL in the description', '"description":"\\u0000"', 'description'],
    ['a NUL in metadata', '"metadata":{"a":"\\u0000"}', 'metadata.a'],
    ['a NUL in the name of metadata', '"metadata":{"\\u0000":"a"}', 'metadata'],
    ['half a pair in the name', '"name":"a\\ud800"', 'name'],
    ['half a pair in the description', '"description":"\\udc00x"', 'description'],
    ['half a pair in metadata', '"metadata":{"a":"\\ud83d"}', 'metadata.a'],
    ['half a pair in the name of metadata', '"metadata":{"\\ud83d":"a"}', 'metadata'],
    ['half a pair where nobody looks', '"other":["\\ud83d"]', 'other[0]'],
    ['a number past the largest', '"other":1e400', 'other'],
    ['one below the smallest', '"other":[{"deep":-1E+400}]', 'other[0].deep'],
    ['one of many digits', `"other":${'9'.repeat(400)}`, 'other'],
    ['one of many digits and a short exponent', `"other":1${'0'.repeat(250)}e99`, 'other'],
    ['one in metadata', '"metadata":{"a":1e999}', 'metadata.a'],
  ])('400 MALFORMED_REQUEST: %s, with and without an Idempotency-Key', async (_, members, field) => {
    const before = await storedIn(world)
    for (const headers of [{}, { 'idempotency-key': 'trouble' }]) {
      expectRefusal(await world.ada.post(workflows, text(members), headers), 400, 'MALFORMED_REQUEST', field)
    }
    expect(await storedIn(world)).toEqual(before)
  })

  it.each([
    ['__proto__', '"__proto__":{"metadata":{}}'],
    ['an escaped __proto__', '"\\u005f_proto__":{}'],
    ['__proto__ in metadata', '"metadata":{"__proto__":"x"}'],
    ['constructor.prototype', '"constructor":{"prototype":{}}'],
  ])('400 MALFORMED_REQUEST: %s', async (_, members) => {
    expect(await world.ada.post(workflows, text(members))).toMatchObject({
      status: 400,
      body: { code: 'MALFORMED_REQUEST' },
    })
  })

  it('takes the largest number, and a whole pair', async () => {
    const description = '\\ud83d\\ude00'
    const answer = await world.ada.post(
      workflows,
      text(`"name":"pair","description":"${description}","other":1.7976931348623157e308`),
      { 'idempotency-key': 'pair' },
    )
    expect(answer.status).toBe(201)
    expect((await world.ada.get(`${workflows}/pair`)).body.description).toBe('😀')
  })

  it('400 MALFORMED_REQUEST: nested deeper than 64 levels; 63 pass', async () => {
    expect((await world.ada.post(workflows, text(`"name":"deep",${deep(63)}`))).status).toBe(201)
    for (const levels of [64, 10_000, 400_000]) {
      const answer = await world.ada.post(workflows, text(deep(levels)))
      expect(answer).toMatchObject({ status: 400, body: { code: 'MALFORMED_REQUEST' } })
    }
  })

  it('413 BODY_TOO_LARGE: more than a mebibyte', async () => {
    const before = await storedIn(world)
    expectRefusal(await world.ada.post(workflows, text(`"x":"${long(1024 * 1024)}"`)), 413, 'BODY_TOO_LARGE')
    expect(await storedIn(world)).toEqual(before)
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data'])(
    'reads JSON whatever its Content-Type says: %s',
    async (type) => {
      const asked = JSON.stringify(world.ask(templateId))
      expect((await world.ada.post(workflows, asked, { 'content-type': type })).status).toBe(201)
      const form = await world.ada.post(workflows, 'name=a&workflowTemplateId=b', { 'content-type': type })
      expect(form).toMatchObject({ status: 400, body: { code: 'MALFORMED_REQUEST' } })
    },
  )
})
