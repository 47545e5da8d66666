import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { madeId } from '../../helpers/directory.ts'
import { templates } from '../../helpers/templates.ts'
import { startWorkflowWorld, workflows, type WorkflowWorld } from '../../helpers/workflows.ts'
import type { Answer } from '../../helpers/world.ts'

let world: WorkflowWorld

beforeAll(async () => {
  world = await startWorkflowWorld()
})
afterAll(() => world.close())

/** A limit made over the API: its call to move it, and its call to lift it. */
async function limited(quotaType: string, limit: number, scope: string, targetId: string = defaultOrganization.id) {
  const { status, body } = await world.ada.post('/quotas', { limit, scope, quotaType, targetId })
  expect(status).toBe(201)
  const path = `/quotas/${body.id}`
  return {
    move: async (to: number) => expect(await world.ada.patch(path, { limit: to })).toMatchObject({ status: 200 }),
    lift: async () => expect(await world.ada.delete(path)).toMatchObject({ status: 204 }),
  }
}

const isRefused = ({ status, body }: Answer) => {
  if (status >= 300) expect([status, body.code]).toEqual([403, 'QUOTA_EXCEEDED'])
  return status >= 300
}

let serial = 0
const unique = (word: string) => `${word}-${++serial}`

/** For each type a call that adds one, once `usage` are there; what is counted may be below a target. */
const adding: Record<
  string,
  () => Promise<{ usage: number; scope?: string; target?: string; add: () => Promise<Answer> }>
> = {
  MAX_GROUPS: async () => ({
    usage: (await world.ada.get('/groups?limit=1')).body.pagination.total,
    add: () => world.ada.post('/groups', { name: unique('g') }),
  }),
  MAX_SPACES: async () => ({
    usage: (await world.ada.get('/spaces?limit=1')).body.pagination.total,
    add: () => world.ada.post('/spaces', { name: unique('s') }),
  }),
  MAX_WORKFLOW_TEMPLATES_PER_SPACE: async () => {
    const spaceId = madeId(await world.ada.post('/spaces', { name: unique('s') }))
    const add = () => world.ada.post(templates, world.draft({ spaceId }))
    return { usage: 0, scope: 'Space', target: spaceId, add }
  },
  MAX_CONCURRENT_WORKFLOWS: async () => {
    const { id } = await world.made()
    return { usage: 0, scope: 'WorkflowTemplate', target: id, add: () => world.ada.post(workflows, world.ask(id)) }
  },
  MAX_ENTITIES_PER_GROUP: async () => {
    const id = madeId(await world.ada.post('/groups', { name: unique('g') }))
    const add = async () => {
      const entity = { entityType: 'human', entityId: (await world.person(unique('P'))).id }
      return await world.ada.post(`/groups/${id}/entities`, { entities: [{ entity }] })
    }
    return { usage: 1, scope: 'Group', target: id, add }
  },
  MAX_ROLES_PER_USER: async () => {
    const { id } = await world.person(unique('P'))
    const all = ['OrgWideSpaceReadOnly', 'OrgWideSpaceManager', 'AuditorViewer', 'OrgWideWorkflowList']
    let held = 0
    const add = async () => {
      const roles = all.slice(0, held + 1).map((roleName) => ({ roleName, scope: { type: 'org' } }))
      const answer = await world.ada.put(`/users/${id}/roles`, { roles })
      if (answer.status < 300) held += 1
      return answer
    }
    return { usage: 0, scope: 'User', target: id, add }
  },
  MAX_VOTES_PER_WORKFLOW: async () => {
    const id = await world.opened({ approvalRule: world.rule(3) })
    let votes = 0
    const add = async () => {
      const answer = await world.vote(world.cleo, id, votes % 2 === 0 ? 'APPROVE' : 'WITHDRAW')
      if (answer.status < 300) votes += 1
      return answer
    }
    return { usage: 0, scope: 'Workflow', target: id, add }
  },
}

test.each(Object.keys(adding))(
  '%s holds from its making, as it is raised and lowered, until it is lifted',
  async (type) => {
    const { usage, scope = 'Org', target, add } = await (adding[type] as (typeof adding)['MAX_GROUPS'])()
    const one = await limited(type, usage, scope, target)
    expect(isRefused(await add())).toBe(true)
    await one.move(usage + 1)
    expect(isRefused(await add())).toBe(false)
    expect(isRefused(await add())).toBe(true)
    await one.move(0)
    expect(isRefused(await add())).toBe(true)
    await one.lift()
    expect(isRefused(await add())).toBe(false)
    // The organization's holds where no nearer one does, and stands back for it, however large that is.
    const wide = await limited(type, 0, 'Org')
    expect(isRefused(await add())).toBe(true)
    if (scope !== 'Org') {
      const near = await limited(type, usage + 3, scope, target)
      expect(isRefused(await add())).toBe(false)
      expect(isRefused(await add())).toBe(true)
      await near.lift()
    }
    await wide.lift()
  },
)

test('of a template, its space and the organization the nearest counts: the template, then the space', async () => {
  const { id, spaceId } = await world.made()
  const type = 'MAX_CONCURRENT_WORKFLOWS'
  const open = async () => isRefused(await world.ada.post(workflows, world.ask(id)))
  const wide = await limited(type, 0, 'Org')
  const middle = await limited(type, 1, 'Space', spaceId)
  expect([await open(), await open()]).toEqual([false, true])
  const near = await limited(type, 2, 'WorkflowTemplate', id)
  expect([await open(), await open()]).toEqual([false, true])
  await near.move(0)
  await middle.move(9)
  expect(await open()).toBe(true)
  await near.lift()
  expect(await open()).toBe(false)
  await middle.lift()
  expect(await open()).toBe(true)
  await wide.lift()
  expect(await open()).toBe(false)
})
