import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { bindRole, insertAgent, insertGroup, insertQuota, insertSpace } from '../../helpers/rows.ts'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

let world: World
let ada: Client
let ben: Client
let space: string
let security: string

beforeAll(async () => {
  world = await startWorld()
  ada = await world.person('Ada', { admin: true })
  ben = await world.person('Ben')
  space = await insertSpace(world.ctx, 'Demo')
  security = await insertGroup(world.ctx, 'security', [ada.id, ben.id])
})
afterAll(() => world.close())

const path = '/workflow-templates'
const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
let serial = 0
const freshName = () => `Template ${++serial}`
const twoOf = (groupId: string) => ({ type: 'GROUP_REQUIREMENT', groupId, minCount: 2 })
const draft = (members: object = {}) => ({
  name: freshName(),
  approvalRule: twoOf(security),
  spaceId: space,
  ...members,
})

describe('POST /workflow-templates 201', () => {
  it('answers the whole template and where it is', async () => {
    const body = draft({
      name: 'Release',
      description: 'Before a release',
      metadata: { team: 'core', nested: { list: [1, null, 'x'] } },
      defaultExpiresInHours: 8760,
      actions: [{ type: 'EMAIL', recipients: ['ops@example.com'] }],
    })
    const made = await ada.post(path, body)
    expect(made).toMatchObject({ status: 201 })
    expect(made.body).toEqual({
      id: expect.stringMatching(uuidV7),
      name: 'Release',
      version: '1',
      description: 'Before a release',
      status: 'ACTIVE',
      allowVotingOnDeprecatedTemplate: true,
      approvalRule: body.approvalRule,
      metadata: { team: 'core', nested: { list: [1, null, 'x'] } },
      actions: [{ type: 'EMAIL', recipients: ['ops@example.com'] }],
      defaultExpiresInHours: 8760,
      spaceId: space,
      createdAt: '2026-11-21T12:00:00.000Z',
      updatedAt: '2026-11-21T12:00:00.000Z',
      concurrencyControl: { version: '1' },
    })
    expect(made.headers['location']).toBe(`http://localhost:80/workflow-templates/${made.body.id}`)
    for (const key of [made.body.id, made.body.id.toUpperCase(), 'Release']) {
      expect((await ben.get(`${path}/${key}`)).body).toEqual(made.body)
    }
  })
})
