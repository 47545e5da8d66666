import { sealActions, type Action } from '../../src/approvals/actions.ts'
import { seatsOfKind } from '../../src/approvals/policy.ts'
import type { Ctx } from '../../src/context.ts'
import { defaultOrganization } from '../../src/identity/organization.ts'
import type { Dialect } from '../../src/store/schema.ts'
import type { PolicyOptions, Rule, Stage } from '../../src/kernel/rule.ts'

/** The options that a native template has when it names none. */
export const nativeOptions: PolicyOptions = {
  veto: 'withdrawable',
  requesterMayVote: true,
  distinctPeople: false,
  naturalPersons: false,
  recheckEligibility: true,
  vetoNeedsAssurance: true,
}

export const orgId = defaultOrganization.id

/** Rows that a test or a benchmark starts from, written straight to the store: no endpoint stands between. */
export async function insertSpace(ctx: Ctx, name = `space ${ctx.newId()}`): Promise<string> {
  const id = ctx.newId()
  const at = ctx.clock.now()
  await ctx.db.insertInto('spaces').values({ org_id: orgId, id, name, created_at: at, updated_at: at }).execute()
  return id
}

export async function insertGroup(ctx: Ctx, members: readonly string[]): Promise<string> {
  const id = ctx.newId()
  const at = ctx.clock.now()
  await ctx.db
    .insertInto('groups')
    .values({ org_id: orgId, id, name: `g-${id}`, member_count: members.length, created_at: at, updated_at: at })
    .execute()
  for (const member of members) await addMember(ctx, id, member)
  return id
}

export async function addMember(ctx: Ctx, groupId: string, principalId: string): Promise<void> {
  const row = { org_id: orgId, group_id: groupId, principal_id: principalId, added_at: ctx.clock.now() }
  await ctx.db.insertInto('memberships').values(row).execute()
}

/** Gives a role at organization scope unless told otherwise. */
export async function giveRole(
  ctx: Ctx,
  principalId: string,
  roleName = 'WorkflowTemplateVoter',
  scope: { type: 'org' | 'space' | 'group' | 'workflow_template'; id: string } = { type: 'org', id: '' },
): Promise<void> {
  const row = { org_id: orgId, principal_id: principalId, role_name: roleName, created_at: ctx.clock.now() }
  await ctx.db
    .insertInto('role_bindings')
    .values({ ...row, scope_type: scope.type, scope_id: scope.id })
    .execute()
}

/** An active policy, its rule in kernel terms. */
export async function insertPolicy(
  ctx: Ctx,
  rule: Rule | readonly Stage[],
  options: Partial<PolicyOptions> = {},
  columns: {
    dialect?: Dialect
    spaceId?: string
    name?: string
    expiresInHours?: number
    actions?: readonly Action[]
  } = {},
): Promise<string> {
  const stages = Array.isArray(rule) ? (rule as readonly Stage[]) : [{ binding: true, rule: rule as Rule }]
  const id = ctx.newId()
  const at = ctx.clock.now()
  const { dialect = 'native' } = columns
  await ctx.db
    .insertInto('policies')
    .values({
      org_id: orgId,
      id,
      dialect,
      space_id: columns.spaceId ?? (dialect === 'native' ? await insertSpace(ctx) : null),
      name: columns.name ?? `template ${id}`,
      version: 1,
      metadata: '{}',
      status: 'active',
      takes_votes_when_inactive: true,
      rule: JSON.stringify(written(stages)),
      stages: JSON.stringify(stages),
      options: JSON.stringify({ ...nativeOptions, ...options }),
      natural_persons: options.naturalPersons ?? false,
      group_ids: seatsOfKind({ stages }, 'group'),
      principal_ids: seatsOfKind({ stages }, 'principal'),
      actions: sealActions(ctx, columns.actions ?? []),
      default_expires_in_hours: columns.expiresInHours ?? null,
      row_version: 1,
      created_at: at,
      updated_at: at,
    })
    .execute()
  return id
}

/** What a client would have written, for the members that an answer shows. */
function written(stages: readonly Stage[]): object {
  const wire = (rule: Rule): object =>
    rule.kind === 'seats'
      ? { type: 'GROUP_REQUIREMENT', groupId: rule.from.id, minCount: rule.atLeast }
      : { type: 'AT_LEAST', count: rule.atLeast, rules: rule.of.map(wire) }
  return {
    rules: { stages: stages.map(({ rule, binding }) => ({ advisory: !binding, approvalRule: wire(rule) })) },
    options: null,
  }
}

export const seats = (groupId: string, atLeast: number): Rule => ({
  kind: 'seats',
  atLeast,
  from: { kind: 'group', id: groupId },
})

export const all = (...of: Rule[]): Rule => ({ kind: 'threshold', atLeast: of.length, of })
