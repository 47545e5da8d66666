import type { Ctx } from '../../src/context.ts'
import { makeGrant } from '../../src/identity/grants/make-grant.ts'
import type { GrantTerms } from '../../src/kernel/grant-terms.ts'
import { insertRole } from '../../src/store/roles.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { lockFacts } from '../../src/store/fact-locks.ts'
import { orgId } from './quorum.ts'
import { startWorld, type Answer, type Client, type World, type WorldOptions } from './world.ts'

/** A role, held for good by some. */
export async function role(
  ctx: Ctx,
  name: string,
  holders: readonly { readonly id: string }[] = [],
  permissions: readonly string[] = [],
): Promise<string> {
  const id = ctx.newId()
  const at = ctx.clock.now()
  const columns = { name, description: null, permissions, attributes: '{}' }
  await transact(ctx, null, (tx) => insertRole(tx, { org_id: orgId, id, ...columns, created_at: at, updated_at: at }))
  for (const holder of holders) await hold(ctx, id, holder.id)
  return id
}

export async function hold(
  ctx: Ctx,
  groupId: string,
  principalId: string,
  terms: GrantTerms = { kind: 'permanent' },
): Promise<void> {
  const given = { orgId, actor: { kind: 'system' }, principalId, groupId, terms, requestId: null } as const
  await transact(ctx, null, async (tx) => {
    await lockFacts(tx, orgId)
    await makeGrant(ctx, tx, given)
  })
}

export const engine = '/workflow-engine/api/v1'

/** Two steps of approvers, and people around them. */
export interface AccessScene extends AsyncDisposable {
  readonly world: World
  /** An organization admin. */
  readonly ada: Client
  /** Holds nothing. */
  readonly ben: Client
  /** Approvers of the first step. */
  readonly cleo: Client
  readonly carl: Client
  /** Approver of the second. */
  readonly dana: Client
  /** Holds nothing either. */
  readonly eli: Client
  readonly roles: { readonly target: string; readonly first: string; readonly second: string }
  /** A workflow for the target role by Ada; what is left out is the least there can be. */
  workflow(members?: object): Promise<string>
  /** Its id. @throws Error when it is not 201 */
  ask(client: Client, members?: object): Promise<string>
  decide(client: Client, id: string, decision: 'APPROVED' | 'DENIED', more?: object): Promise<Answer>
  request(id: string): Promise<Answer['body']>
}

export async function startAccessScene(options: WorldOptions = {}): Promise<AccessScene> {
  const world = await startWorld(options)
  const { ctx } = world
  const ada = await world.person('Ada', { admin: true })
  const [ben, cleo, carl, dana, eli] = [
    await world.person('Ben'),
    await world.person('Cleo'),
    await world.person('Carl'),
    await world.person('Dana'),
    await world.person('Eli'),
  ]
  const roles = {
    target: await role(ctx, 'database'),
    first: await role(ctx, 'team leads', [cleo, carl]),
    second: await role(ctx, 'security', [dana]),
  }
  const created = async (call: Promise<Answer>): Promise<string> => {
    const { status, body } = await call
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`)
    return body.id
  }
  return {
    world,
    ada,
    ben,
    cleo,
    carl,
    dana,
    eli,
    roles,
    workflow: (members = {}) => created(ada.post(`${engine}/workflows`, workflowBody(roles, members))),
    ask: (client, members = {}) =>
      created(client.post(`${engine}/requests`, { requested_role: { id: roles.target }, ...members })),
    decide: async (client, id, decision, more = {}) =>
      await client.post(`${engine}/requests/${id}/decision`, { step: 0, decision, ...more }),
    request: async (id) => (await ada.get(`${engine}/requests/${id}`)).body,
    [Symbol.asyncDispose]: async () => await world.close(),
  }
}

export function workflowBody(roles: AccessScene['roles'], members: object = {}): object {
  return {
    name: 'Database access',
    target_roles: [{ id: roles.target }],
    steps: [step('ANY', roles.first)],
    ...members,
  }
}

export function step(match: 'ANY' | 'ALL', ...roleIds: readonly string[]): object {
  return { name: 'step', match, approvers: roleIds.map((id) => ({ role: { id } })) }
}
