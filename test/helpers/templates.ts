import { expect } from 'vitest'
import { giveRole, insertGroup, insertSpace } from './quorum.ts'
import { insertAgent } from './rows.ts'
import { startWorld, type Answer, type Client, type World } from './world.ts'

/** A world with people who may write templates and people who may not. */
export interface TemplateWorld extends World {
  /** Organization admin. */
  readonly ada: Client
  /** Holds no role. */
  readonly ben: Client
  /** An agent that holds every template role there is. */
  readonly robot: Client
  readonly space: string
  /** Two members: Ada and Ben. */
  readonly security: string
  /** The body of a template that nobody else has made, with these members of its own. */
  draft(members?: object): Record<string, unknown>
  /** Makes a template as Ada and gives the answer's body. */
  made(members?: object): Promise<Answer['body']>
}

export const templates = '/workflow-templates'
/** A UUIDv7 that nothing has. */
export const nowhere = '01890000-0000-7000-8000-000000000000'

export async function startTemplateWorld(options: Parameters<typeof startWorld>[0] = {}): Promise<TemplateWorld> {
  const world = await startWorld(options)
  const { ctx } = world
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const robotId = await insertAgent(ctx, 'robot')
  await giveRole(ctx, robotId, 'OrgWideWorkflowTemplateFullAccess')
  const robot = await world.signedIn(robotId)
  const space = await insertSpace(ctx, 'Demo')
  const security = await insertGroup(ctx, [ada.id, ben.id])
  let serial = 0
  const draft = (members: object = {}) => ({
    name: `Template ${++serial}`,
    approvalRule: { type: 'GROUP_REQUIREMENT', groupId: security, minCount: 2 },
    spaceId: space,
    ...members,
  })
  const made = async (members: object = {}) => {
    const answer = await ada.post(templates, draft(members))
    expect(answer.body).toMatchObject({ status: 'ACTIVE' })
    return answer.body
  }
  return { ...world, ada, ben, robot, space, security, draft, made }
}

/** Expects a refusal with this status, code and named field; no field means that none is named. */
export function expectRefusal(answer: Answer, status: number, code: string, field?: string): void {
  expect(answer.body).toEqual({
    code,
    message: expect.stringMatching(/./),
    ...(field !== undefined && { details: [{ field, message: expect.stringMatching(/./) }] }),
  })
  expect(answer.status).toBe(status)
}
