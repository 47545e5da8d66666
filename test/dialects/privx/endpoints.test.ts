import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engine, role, startAccessScene, workflowBody, type AccessScene } from '../../helpers/access.ts'
import { insertAgent } from '../../helpers/rows.ts'
import type { Answer, Calls, Client } from '../../helpers/world.ts'

/** The rows of contract privx §3: the one status that each answers with when it succeeds, and for whom it does. */
let scene: AccessScene
let callers: Readonly<Record<Who, Calls>>

/**
 * The requests are Ben's, the steps Cleo's and Carl's; Cleo approves those that are decided. Eli and the robot hold nothing,
 * the others one role with one permission each. Ada is an organization admin.
 */
const whos = ['anyone', 'eli', 'robot', 'ben', 'cleo', 'carl', 'viewer', 'manager', 'reader', 'boss', 'ada'] as const
type Who = (typeof whos)[number]

beforeAll(async () => {
  scene = await startAccessScene()
  const { world, ben, cleo, carl, eli, ada } = scene
  const holding = async (name: string, permission: string): Promise<Client> => {
    const person = await world.person(name)
    await role(world.ctx, `${name}s`, [person], [permission])
    return person
  }
  callers = {
    anyone: world.anyone,
    robot: await world.signedIn(await insertAgent(world.ctx, 'robot')),
    viewer: await holding('viewer', 'workflows-view'),
    manager: await holding('manager', 'workflows-manage'),
    reader: await holding('reader', 'requests-view'),
    boss: await holding('boss', 'privx-admin'),
    eli,
    ben,
    cleo,
    carl,
    ada,
  }
})
afterAll(() => scene[Symbol.asyncDispose]())

const workflow = async () => await scene.workflow()

/** A role of its own with a workflow for it, so that nothing that others asked for is in the way. */
async function requestable(): Promise<string> {
  const { ctx } = scene.world
  const id = await role(ctx, `wanted ${ctx.newId()}`)
  await scene.workflow({ target_roles: [{ id }], can_bypass_revoke_workflow: true })
  return id
}
const waiting = async () => await scene.ask(scene.ben, { requested_role: { id: await requestable() } })
async function approved(): Promise<string> {
  const id = await waiting()
  await scene.decide(scene.cleo, id, 'APPROVED')
  return id
}

type Make = () => Promise<string>
type Shape = 'object' | 'list' | 'created' | 'done'

interface Row {
  readonly number: string
  readonly call: `${'get' | 'post' | 'put' | 'delete'} ${string}`
  /** What stands for `{id}`, made anew for each call. */
  readonly of?: Make
  readonly body?: () => unknown
  readonly answers: Shape
  readonly may: readonly Who[]
}

const signedIn = whos.filter((who) => who !== 'anyone')
const managers = ['manager', 'boss', 'ada'] as const
const viewers = ['viewer', ...managers] as const
const readers = ['reader', 'boss', 'ada'] as const

const rows: readonly Row[] = [
  { number: '1', call: 'get /status', answers: 'object', may: whos },
  { number: '2', call: 'get /workflows', answers: 'list', may: viewers },
  { number: '3', call: 'post /workflows', body: () => workflowBody(scene.roles), answers: 'created', may: managers },
  { number: '4', call: 'get /workflows/{id}', of: workflow, answers: 'object', may: viewers },
  {
    number: '5',
    call: 'put /workflows/{id}',
    of: workflow,
    body: () => workflowBody(scene.roles),
    answers: 'done',
    may: managers,
  },
  { number: '6', call: 'delete /workflows/{id}', of: workflow, answers: 'done', may: managers },
  { number: '7', call: 'get /workflows/roles', answers: 'list', may: signedIn },
  { number: '8', call: 'get /requests?filter=requests', answers: 'list', may: signedIn },
  { number: '8, all', call: 'get /requests?filter=all', answers: 'list', may: readers },
  {
    number: '9',
    call: 'post /requests',
    body: async () => ({ requested_role: { id: await requestable() } }),
    answers: 'created',
    may: signedIn,
  },
  {
    number: '10',
    call: 'post /requests/search',
    body: () => ({ filter: 'requests' }),
    answers: 'list',
    may: signedIn,
  },
  { number: '10, all', call: 'post /requests/search', body: () => ({}), answers: 'list', may: readers },
  {
    number: '11',
    call: 'get /requests/{id}',
    of: waiting,
    answers: 'object',
    may: ['ben', 'cleo', 'carl', ...readers],
  },
  { number: '12', call: 'delete /requests/{id}', of: waiting, answers: 'done', may: ['ben', 'boss', 'ada'] },
  { number: '12, decided', call: 'delete /requests/{id}', of: approved, answers: 'done', may: ['boss', 'ada'] },
  {
    number: '13',
    call: 'post /requests/{id}/decision',
    of: waiting,
    body: () => ({ step: 0, decision: 'APPROVED' }),
    answers: 'done',
    may: ['cleo', 'carl'],
  },
  { number: '14', call: 'post /requests/{id}/role/revoke', of: approved, answers: 'done', may: ['cleo'] },
  { number: '15', call: 'get /settings', answers: 'object', may: managers },
  { number: '16', call: 'put /settings', body: () => ({}), answers: 'done', may: managers },
  { number: '17', call: 'post /testsmtp', body: () => ({}), answers: 'object', may: managers },
]

const time = expect.stringMatching(/Z$/)
/** Never 202 or 204: the Python client counts as done exactly 201 on creation and 200 on everything else. */
const expectedOf: Readonly<Record<Shape, readonly [status: number, body: unknown]>> = {
  object: [200, expect.objectContaining({})],
  list: [200, { count: expect.any(Number), items: expect.any(Array) }],
  created: [201, { id: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
  done: [200, {}],
}

async function send(row: Row, client: Calls, id: string): Promise<Answer> {
  const [method, path] = row.call.split(' ') as [keyof Calls, string]
  return await client[method](`${engine}${path.replace('{id}', id)}`, await row.body?.())
}

describe.each(rows.map((row) => [row.number, row.call, row] as const))('row %s, %s', (_number, _call, row) => {
  it('answers those whom it is for, and no others', async () => {
    for (const who of whos) {
      const { status, body, headers } = await send(row, callers[who], (await row.of?.()) ?? '')
      const [done, shape] = expectedOf[row.answers]
      if (row.may.includes(who)) {
        expect([who, status, body]).toEqual([who, done, shape])
        const path = row.call.split(' ')[1]
        if (row.answers === 'created') expect(headers['location']).toBe(`${engine}${path}/${body.id}`)
      } else {
        const refusal = who === 'anyone' ? [401, 'UNAUTHORIZED'] : [403, 'PERMISSION_DENIED']
        expect([who, status, body.error_code]).toEqual([who, ...refusal])
      }
    }
  })

  if (row.of !== undefined) {
    it('is 404 of an id that names nothing, and of one that is none', async () => {
      for (const id of ['00000000-0000-7000-8000-00000000dead', 'no-uuid']) {
        const { status, body } = await send(row, scene.ada, id)
        expect([id, status, body.error_code]).toEqual([id, 404, 'NOT_FOUND'])
      }
    })
  }
})

it('there are seventeen', () => {
  const numbers = new Set(rows.map(({ number }) => number.split(',')[0]))
  expect([...numbers]).toEqual(Array.from({ length: 17 }, (_, index) => String(index + 1)))
})

it('the time at which the engine was started is one', async () => {
  const { body } = await scene.world.anyone.get(`${engine}/status`)
  expect(body.start_time).toEqual(time)
  expect(Number.isNaN(Date.parse(body.start_time))).toBe(false)
})
