import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addMember, giveRole } from '../../helpers/quorum.ts'
import { insertAgent } from '../../helpers/rows.ts'
import { nowhere, templates } from '../../helpers/templates.ts'
import type { Client } from '../../helpers/world.ts'
import { refusals, startWorkflowWorld, workflows, type Refused, type WorkflowWorld } from '../../helpers/workflows.ts'

let world: WorkflowWorld
beforeAll(async () => void (world = await startWorkflowWorld()))
afterAll(() => world.close())

const read = async (key: string, query = '', client: Pick<Client, 'get'> = world.ben) =>
  await client.get(`${workflows}/${key}${query}`)

const unknown = (path: string): Refused[] =>
  [nowhere, 'no-such-name', '01890000-0000-4000-8000-000000000000', '..%2F..', '%20', 'x'.repeat(600)].map((key) => [
    `an unknown workflow: ${key.slice(0, 40)}`,
    404,
    'WORKFLOW_NOT_FOUND',
    undefined,
    () => () => world.ben.get(`${workflows}/${key}${path}`),
  ])

refusals('GET /workflows/{workflowId}', () => world, [
  ...unknown(''),
  ...['x', '', 'Workflow-Template', 'workflow-template,x', 'workflow-template&include=x', '%00x'].map(
    (value): Refused => [
      `include=${value}`,
      400,
      value === '%00x' ? 'MALFORMED_REQUEST' : 'REQUEST_INVALID_INCLUDE',
      value === '%00x' ? 'query.include' : 'include',
      async () => {
        const id = await world.opened()
        return () => read(id, `?include=${value}`)
      },
    ],
  ),
  [
    'a bad include, before the workflow is looked for',
    400,
    'REQUEST_INVALID_INCLUDE',
    'include',
    () => () => read(nowhere, '?include=x'),
  ],
  ['a NUL in the path', 400, 'MALFORMED_REQUEST', 'path.workflowId', () => () => read('a%00b')],
  ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => read(nowhere, '', world.anyone)],
])

describe('GET /workflows/{workflowId} 200', () => {
  it('to a member without any role, and to an agent', async () => {
    const id = await world.opened({}, { name: 'read-me' })
    const agent = await world.signedIn(await insertAgent(world.ctx, 'reader'))
    for (const client of [world.ben, agent]) {
      expect(await read(id, '', client)).toMatchObject({ status: 200, body: { id, name: 'read-me', ref: {} } })
      expect(await read('read-me', '', client)).toMatchObject({ status: 200, body: { id } })
    }
    // Names are told apart by case.
    expect((await read('Read-Me')).status).toBe(404)
  })

  it.each(['workflow-template', 'workflow-template,workflow-template', 'workflow-template&include=workflow-template'])(
    'with its own version of the template for include=%s',
    async (include) => {
      const template = await world.made({ metadata: { team: 'core' } })
      const id = await world.openedUnder(template.id)
      const updated = await world.ada.put(`${templates}/${template.id}`, { description: 'newer' })
      expect(updated.status).toBe(200)
      const { body } = await read(id, `?include=${include}`)
      expect(body.ref.workflowTemplate).toEqual((await world.ben.get(`${templates}/${template.id}`)).body)
      expect(body.ref.workflowTemplate).toMatchObject({ id: template.id, version: '1' })
    },
  )

  it('hides the secrets of the template’s actions', async () => {
    const actions = [{ type: 'WEBHOOK', url: 'https://hook.example/?token=hunter2', headers: { 'X-Key': 'hunter3' } }]
    const id = await world.opened({ actions: actions.map((action) => ({ ...action, redact: 'ALL' })) })
    const { body } = await read(id, '?include=workflow-template')
    expect(JSON.stringify(body)).not.toMatch(/hunter/)
  })

  it('updatedAt moves with the status alone', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    const { createdAt } = (await read(id)).body
    world.clock.advance(1000)
    await world.voted(world.cleo, id, 'APPROVE')
    expect((await read(id)).body).toMatchObject({ createdAt, updatedAt: createdAt })
    world.clock.advance(1000)
    await world.voted(world.dan, id, 'VETO')
    expect((await read(id)).body).toMatchObject({ createdAt, updatedAt: world.clock.now().toISOString() })
  })
})

refusals('GET /workflows/{workflowId}/votes', () => world, [
  ...unknown('/votes'),
  ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => read(nowhere, '/votes', world.anyone)],
  ...(
    [
      ['page=0', 'INVALID_PAGE', 'page'],
      ['page=x', 'INVALID_PAGE', 'page'],
      ['limit=0', 'INVALID_LIMIT', 'limit'],
      ['limit=1.5', 'INVALID_LIMIT', 'limit'],
      ['orderBy=TIMESTAMP', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=timestamp:asc', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=CREATED_AT:ASC', 'INVALID_ORDER_BY', 'orderBy'],
      ['orderBy=TIMESTAMP:ASC,TIMESTAMP:DESC', 'INVALID_ORDER_BY', 'orderBy'],
    ] as const
  ).map(([query, code, field]): Refused => [
    query,
    400,
    code,
    field,
    async () => {
      const id = await world.opened()
      return () => read(id, `/votes?${query}`)
    },
  ]),
])

describe('GET /workflows/{workflowId}/votes 200', () => {
  let id: string
  let robot: Client
  const acts = [
    ['cleo', 'APPROVE'],
    ['robot', 'APPROVE'],
    ['dan', 'VETO'],
    ['dan', 'WITHDRAW'],
    ['eli', 'APPROVE'],
    ['cleo', 'WITHDRAW'],
    ['cleo', 'APPROVE'],
  ] as const
  beforeAll(async () => {
    robot = world.robot
    await addMember(world.ctx, world.guards, robot.id)
    id = await world.opened({ approvalRule: world.rule(9) }, { name: 'voted-on' })
    for (const [who, type] of acts) {
      await world.voted(world[who], id, type)
      world.clock.advance(500)
    }
  })
  const list = async (query = '', client: Client = world.ben) => {
    const { status, body } = await read(id, `/votes${query}`, client)
    expect(status).toBe(200)
    expect(Object.keys(body)).toEqual(['votes'])
    return body.votes
  }

  it('every vote, oldest first, without paging; to anyone', async () => {
    const votes = await list()
    expect(votes).toEqual(
      acts.map(([who, type]) => ({
        voterId: world[who].id,
        voterType: who === 'robot' ? 'agent' : 'human',
        voteType: type,
        timestamp: expect.stringMatching(/^2026-11-21T.*\.\d{3}Z$/),
        ...(type === 'APPROVE' && { votedForGroups: [world.guards] }),
      })),
    )
    const times = votes.map((vote: { timestamp: string }) => vote.timestamp)
    expect(times).toEqual(times.toSorted())
    expect(await list('', robot)).toEqual(votes)
    expect((await read('voted-on', '/votes')).body.votes).toEqual(votes)
  })

  it('more than a page of them too', async () => {
    const many = await world.opened({ approvalRule: world.rule(9) })
    for (let index = 0; index < 25; index++) await world.voted(world.cleo, many, 'APPROVE')
    expect((await read(many, '/votes')).body.votes).toHaveLength(25)
    expect((await read(many, '/votes?page=1')).body.votes).toHaveLength(20)
    expect((await read(many, '/votes?orderBy=TIMESTAMP:ASC&limit=5000')).body.votes).toHaveLength(25)
  })

  it.each([
    ['?page=1', [6, 5, 4, 3, 2, 1, 0]],
    ['?limit=3', [6, 5, 4]],
    ['?limit=3&page=2', [3, 2, 1]],
    ['?limit=3&page=3', [0]],
    ['?limit=3&page=4', []],
    ['?page=999999999999999&limit=1000', []],
    ['?orderBy=TIMESTAMP:DESC&limit=2', [6, 5]],
    ['?orderBy=TIMESTAMP:ASC&limit=2', [0, 1]],
    ['?orderBy=TIMESTAMP:ASC', [0, 1, 2, 3, 4, 5, 6]],
  ])('%s gives the votes %j', async (query, expected) => {
    const votes = await list()
    expect(await list(query)).toEqual(expected.map((index) => votes[index]))
  })

  it('is empty before the first vote', async () => {
    expect((await read(await world.opened(), '/votes')).body).toEqual({ votes: [] })
  })

  it('keeps the reason as it was written', async () => {
    const reason = ' Zeile 1\nZeile 2 — 😀 <b> "quoted" '
    const of = await world.opened({ approvalRule: world.rule(9) })
    await giveRole(world.ctx, world.ada.id)
    const voteType = { type: 'VETO' }
    expect((await world.cleo.post(`${workflows}/${of}/vote`, { reason, voteType })).status).toBe(200)
    expect((await read(of, '/votes')).body.votes).toMatchObject([{ voteType: 'VETO', reason }])
    expect((await read(of, '/votes')).body.votes[0]).not.toHaveProperty('votedForGroups')
  })
})
