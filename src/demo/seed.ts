import { createPolicy } from '../approvals/create-policy.ts'
import type { Ctx } from '../context.ts'
import { openAccount } from '../custody/accounts.ts'
import { addMember } from '../custody/members.ts'
import { demoPassword } from '../custody/sign-in.ts'
import { addUser } from '../custody/users.ts'
import { parseNewTemplate } from '../dialects/native/wire/templates.ts'
import { loadActor, type Actor, type Caller } from '../identity/actor.ts'
import { addMembers } from '../identity/add-members.ts'
import { assignRoles } from '../identity/assign-roles.ts'
import { createGroup } from '../identity/create-group.ts'
import { createSpace } from '../identity/create-space.ts'
import { defaultOrganization, ensureDefaultOrganization } from '../identity/organization.ts'
import { registerPerson } from '../identity/register-person.ts'
import { prepareRoleStore } from '../identity/role-store/prepare.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { demoPeople } from '../identity/oidc/development/people.ts'

const orgId = defaultOrganization.id

/**
 * Makes the default organization on an empty store, and with `QUORATE_DEMO` everything of the demo in it (design §8), in
 * one transaction: a store that has the organization has all of it, and is never seeded again.
 */
export async function prepareStore(ctx: Ctx): Promise<void> {
  await transact(ctx, null, async (tx) => {
    const within = { ...ctx, db: tx }
    if ((await ensureDefaultOrganization(within)) && ctx.config.demo) {
      const people = await seedDemo(within, tx)
      if (ctx.config.fortanix.takesDemoPassword) await openDemoAccount(within, tx, people)
    }
    await prepareRoleStore(within)
  })
}

/** The demo people do it themselves, through the use cases that the API calls: whoever makes a group is its first member. */
async function seedDemo(ctx: Ctx, tx: Tx): Promise<readonly Caller[]> {
  const people = await registerPeople(ctx, tx)
  const [ada, ben, cleo, dana, eli] = people
  const actor = (caller: Caller): Promise<Actor> => loadActor(tx, caller)

  const security = await createGroup(ctx, await actor(ben), { name: 'security', description: 'Looks after security.' })
  await addMembers(ctx, ben, security, [{ kind: 'human', id: cleo.principalId }])
  const finance = await createGroup(ctx, await actor(dana), { name: 'finance', description: 'Looks after the money.' })
  await addMembers(ctx, dana, finance, [{ kind: 'human', id: eli.principalId }])

  const spaceId = await createSpace(ctx, await actor(ada), { name: 'Demo', description: 'A place to try things out.' })
  const template = {
    name: 'Release',
    description: 'Two approvals from security and one from finance.',
    spaceId,
    approvalRule: {
      type: 'AND',
      rules: [
        { type: 'GROUP_REQUIREMENT', groupId: security, minCount: 2 },
        { type: 'GROUP_REQUIREMENT', groupId: finance, minCount: 1 },
      ],
    },
  }
  await createPolicy(ctx, await actor(ada), parseNewTemplate(template))

  const scope = { type: 'workflow_template', name: template.name } as const
  const roles = [
    { roleName: 'WorkflowTemplateVoter', scope },
    { roleName: 'WorkflowTemplateInstantiator', scope },
  ]
  // Giving roles replaces those that are held, so the makers of the groups are given theirs again.
  const managed = new Map([
    [ben, security],
    [dana, finance],
  ])
  for (const person of [ben, cleo, dana, eli]) {
    const group = managed.get(person)
    const manager = { roleName: 'GroupManager', scope: { type: 'group' as const, id: group ?? '' } }
    const items = group === undefined ? roles : [...roles, manager]
    await assignRoles(ctx, ada, { kind: 'human', id: person.principalId }, items, null)
  }
  return people
}

/** The default organization as an account, which the first of the people administers. */
async function openDemoAccount(ctx: Ctx, tx: Tx, people: readonly Caller[]): Promise<void> {
  const actor = { kind: 'system' } as const
  await openAccount(ctx, tx, orgId, null)
  for (const [index, { principalId }] of people.entries()) {
    const { name, email } = demoPeople[index]!
    const user = { email, firstName: name, lastName: null, password: demoPassword }
    const personId = await addUser(ctx, tx, actor, user)
    const role = index === 0 ? 'administrator' : 'member'
    await addMember(ctx, tx, actor, 'member.joined', { orgId, personId, principalId, role, isEnabled: true })
  }
}

async function registerPeople(ctx: Ctx, tx: Tx): Promise<[Caller, Caller, Caller, Caller, Caller]> {
  const register = async ({ name, email }: (typeof demoPeople)[number]): Promise<Caller> => {
    const person = { orgId, email, displayName: name, isAdmin: name === 'Ada' }
    const principalId = await registerPerson(ctx, tx, { kind: 'system' }, person)
    return { orgId, principalId, kind: 'human', sessionId: null, stepUp: null, once: null }
  }
  const [ada, ben, cleo, dana, eli] = demoPeople
  return [await register(ada), await register(ben), await register(cleo), await register(dana), await register(eli)]
}
