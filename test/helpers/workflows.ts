import { expect, test } from 'vitest'
import { insertSingleUseToken } from '../../src/store/single-use-tokens.ts'
import { stepUpPurpose } from '../../src/identity/step-up.ts'
import { giveRole, insertGroup, orgId } from './quorum.ts'
import { expectRefusal, startTemplateWorld, templates, type TemplateWorld } from './templates.ts'
import type { Answer, Calls, Client } from './world.ts'

export type VoteType = 'APPROVE' | 'VETO' | 'WITHDRAW'

/** A template world with people who may vote. Ada opens; as an admin she may, and may not vote. */
export interface WorkflowWorld extends TemplateWorld {
  /** They may vote everywhere, and are the members of `guards`. */
  readonly cleo: Client
  readonly dan: Client
  readonly eli: Client
  readonly guards: string
  /** A rule that so many of a group fulfil, the guards unless another is named. */
  rule(minCount?: number, groupId?: string): object
  /** Opens a workflow of a template of its own and gives its id; `template` are the members of that. */
  opened(template?: object, members?: object): Promise<string>
  /** Opens a workflow of a template that exists. */
  openedUnder(templateId: string, members?: object): Promise<string>
  /** The body of a workflow that nobody else has opened. */
  ask(workflowTemplateId: string, members?: object): Record<string, unknown>
  /** A vote, for the guards unless other groups are named. */
  vote(client: Calls, workflowId: string, type: VoteType, groups?: readonly string[]): Promise<Answer>
  /** As `vote`, with what the workflow is after it. */
  voted(client: Client, workflowId: string, type: VoteType, groups?: readonly string[]): Promise<string>
  statusOf(workflowId: string): Promise<string>
  /** Moves the deadline of a workflow, or of all under a template, to so many milliseconds from now. */
  expiresIn(milliseconds: number, of: { id: string } | { policyId: string }): Promise<void>
  canVote(client: Client, workflowId: string): Promise<Answer['body']>
  /** Someone who may vote everywhere and is in these groups. */
  voter(name: string, groups?: readonly string[]): Promise<Client>
  /** The client with a fresh step-up token for one vote; `resource` null fits any workflow. */
  steppedUp(client: Client, stepUp?: { operation?: string; resource?: string | null }): Promise<Client>
}

export const workflows = '/workflows'

export async function startWorkflowWorld(
  options: Parameters<typeof startTemplateWorld>[0] = {},
): Promise<WorkflowWorld> {
  const world = await startTemplateWorld(options)
  const { ctx } = world
  const voter = async (name: string, groups: readonly string[] = []) => {
    const client = await world.person(name)
    await giveRole(ctx, client.id, 'OrgWideWorkflowTemplateVoter')
    const at = ctx.clock.now()
    const rows = groups.map((group_id) => ({ org_id: orgId, group_id, principal_id: client.id, added_at: at }))
    if (rows.length > 0) await ctx.db.insertInto('memberships').values(rows).execute()
    return client
  }
  const [cleo, dan, eli] = [await voter('Cleo'), await voter('Dan'), await voter('Eli')]
  const guards = await insertGroup(ctx, [cleo.id, dan.id, eli.id])
  let serial = 0
  const rule = (minCount = 1, groupId = guards) => ({ type: 'GROUP_REQUIREMENT', groupId, minCount })
  const ask = (workflowTemplateId: string, members: object = {}) => ({
    name: `workflow-${++serial}`,
    workflowTemplateId,
    ...members,
  })
  const openedUnder = async (templateId: string, members: object = {}) => {
    const answer = await world.ada.post(workflows, ask(templateId, members))
    expect(answer).toMatchObject({ status: 201 })
    return String(answer.headers['location']).split('/').at(-1) ?? ''
  }
  const vote: WorkflowWorld['vote'] = async (client, id, type, groups = [guards]) =>
    await client.post(`${workflows}/${id}/vote`, {
      voteType: { type, ...(type === 'APPROVE' && { votedForGroups: groups }) },
    })
  return {
    ...world,
    cleo,
    dan,
    eli,
    guards,
    rule,
    ask,
    openedUnder,
    opened: async (template = {}, members = {}) =>
      await openedUnder((await world.made({ approvalRule: rule(), ...template })).id, members),
    vote,
    voted: async (client, id, type, groups) => {
      const answer = await vote(client, id, type, groups)
      expect(answer).toMatchObject({ status: 200, body: { workflowStatus: expect.any(String) } })
      return answer.body.workflowStatus
    },
    statusOf: async (id) => (await world.ben.get(`${workflows}/${id}`)).body.status,
    expiresIn: async (milliseconds, of) => {
      const requests = ctx.db
        .updateTable('requests')
        .set({ expires_at: new Date(ctx.clock.now().getTime() + milliseconds) })
      await ('id' in of ? requests.where('id', '=', of.id) : requests.where('policy_id', '=', of.policyId)).execute()
    },
    canVote: async (client, id) => {
      const { status, body } = await client.get(`${workflows}/${id}/canVote`)
      expect(status).toBe(200)
      return body
    },
    voter,
    steppedUp: async ({ id: principalId }, { operation = 'vote', resource = null } = {}) => {
      const token = { id: ctx.newId(), purpose: stepUpPurpose, orgId, principalId }
      await insertSingleUseToken(ctx.db, token, new Date(ctx.clock.now().getTime() + 120_000))
      return await world.signedIn(principalId, { tokenId: token.id, operation, resource })
    },
  }
}

/** Everything that a call about workflows may write: a refused one leaves all of it alone. */
export async function storedIn({ ctx: { db } }: WorkflowWorld): Promise<unknown> {
  const tables = ['requests', 'votes', 'request_counts', 'single_use_tokens', 'idempotency_keys'] as const
  const rows = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()))
  const leaves = await db.selectFrom('audit_leaves').select('id').execute()
  return [...rows.map((table) => table.map((row) => JSON.stringify(row)).toSorted()), leaves.length]
}

/** One refusal: its case, status, code and the field it names, and what leads to the call that gets it. */
export type Refused = readonly [
  name: string,
  status: number,
  code: string,
  field: string | undefined,
  arrange: () => Promise<() => Promise<Answer>> | (() => Promise<Answer>),
]

/** A test for each refusal of a route, titled as the contract writes it; none of them may change what is stored. */
export function refusals(route: string, world: () => WorkflowWorld, cases: readonly Refused[]): void {
  test.each(
    cases.map(([name, status, code, ...rest]) => ({ title: `${status} ${code}: ${name}`, status, code, rest })),
  )(`${route} $title`, async ({ status, code, rest: [field, arrange] }) => {
    const call = await arrange()
    const before = await storedIn(world())
    expectRefusal(await call(), status, code, field)
    expect(await storedIn(world())).toEqual(before)
  })
}

/** Takes a template out of use; with `cancel` its workflows are canceled. */
export async function deprecated(world: WorkflowWorld, templateId: string, cancel = false): Promise<void> {
  const answer = await world.ada.post(`${templates}/${templateId}/deprecate`, { cancelWorkflows: cancel })
  expect(answer).toMatchObject({ status: 200 })
}
