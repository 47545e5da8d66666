import { workflowOptions } from '../../src/access/workflow.ts'
import { castVote, type CastVoteInput, type CastVoteResult } from '../../src/approvals/cast-vote.ts'
import { noDeadline, openRequest, type RequestedGrant } from '../../src/approvals/open-request.ts'
import type { Caller } from '../../src/identity/actor.ts'
import { makeGrant } from '../../src/identity/grants/make-grant.ts'
import { noLimits, type GrantTerms } from '../../src/kernel/grant-terms.ts'
import type { Stage } from '../../src/kernel/rule.ts'
import type { Stance } from '../../src/kernel/request.ts'
import type { Db } from '../../src/store/open.ts'
import { findPolicyForShare } from '../../src/store/policies.ts'
import type { Row } from '../../src/store/schema.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { lockFacts } from '../../src/store/fact-locks.ts'
import { insertPolicy, orgId, seats } from './quorum.ts'
import { startWorld, type Client, type World } from './world.ts'

type Who = Pick<Client, 'id'>

export interface Asked {
  readonly by: Who
  readonly role: string
  /** By default whoever asks. */
  readonly target?: Who
  /** The roles of each step: all of them, unless `any`. */
  readonly steps?: readonly (readonly string[])[]
  /** In place of steps: a policy that exists. */
  readonly policyId?: string
  readonly match?: 'all' | 'any'
  readonly grant?: Partial<RequestedGrant>
}

/** A world with roles, asked for and decided as the dialect does it. */
export interface RoleWorld extends World {
  /** A role that these hold for good. */
  role(name: string, ...holders: readonly Who[]): Promise<string>
  give(who: Who, role: string, terms?: GrantTerms): Promise<string | null>
  ask(asked: Asked): Promise<string>
  decide(who: Who, request: string, stance?: Stance, more?: Partial<CastVoteInput>): Promise<CastVoteResult>
  statusOf(request: string): Promise<string>
  /** Grants that stand, of a role or of all. */
  standing(who: Who, role?: string): Promise<Row<'grants'>[]>
  /** Ids of the roles that count now, as a vote would find them. */
  rolesOf(who: Who): Promise<readonly string[]>
}

export const callerOf = ({ id: principalId }: Who): Caller => ({
  orgId,
  principalId,
  kind: 'human',
  sessionId: null,
  stepUp: null,
  once: null,
})

export const permanent: GrantTerms = { kind: 'permanent' }

export async function startRoleWorld(options: Parameters<typeof startWorld>[0] = {}): Promise<RoleWorld> {
  return withRoles(await startWorld(options))
}

/** The same of a world that stands already. */
export function withRoles(world: World): RoleWorld {
  const { ctx } = world
  const give: RoleWorld['give'] = async ({ id: principalId }, groupId, terms = permanent) =>
    await transact(ctx, null, async (tx) => {
      await lockFacts(tx, orgId)
      const given = { orgId, actor: { kind: 'system' }, principalId, groupId, terms, requestId: null } as const
      return await makeGrant(ctx, tx, given)
    })
  return {
    ...world,
    give,
    async role(name, ...holders) {
      const [id, at] = [ctx.newId(), ctx.clock.now()]
      const group = {
        org_id: orgId,
        id,
        name,
        dialect: 'privx',
        member_count: 0,
        created_at: at,
        updated_at: at,
      } as const
      await ctx.db
        .insertInto('groups')
        .values({ ...group, attributes: '{}' })
        .execute()
      for (const holder of holders) await give(holder, id)
      return id
    },
    async ask({ by, role, target = by, steps = [], match = 'all', grant = {}, ...asked }) {
      const stages = steps.map((approvers): Stage => {
        const of = approvers.map((approver) => seats(approver, 1))
        return { binding: true, rule: { kind: 'threshold', atLeast: match === 'all' ? of.length : 1, of } }
      })
      return await transact(ctx, null, async (tx) => {
        const policyId =
          asked.policyId ?? (await insertPolicy({ ...ctx, db: tx }, stages, workflowOptions, { dialect: 'privx' }))
        const policy = await findPolicyForShare(tx, orgId, policyId)
        if (policy === undefined) throw new Error('the policy is gone')
        return await openRequest(tx, ctx, {
          policy,
          actor: { kind: 'human', id: by.id },
          requester: await partyOf(tx, by),
          beneficiary: await partyOf(tx, target),
          name: 'a role',
          description: null,
          metadata: {},
          expiresAt: noDeadline,
          grant: {
            operation: 'grant',
            principalId: target.id,
            groupId: role,
            terms: grant.operation === 'remove' ? null : permanent,
            limits: noLimits,
            isRevocable: false,
            ...grant,
          },
        })
      })
    },
    decide: async (who, id, stance = 'approve', more = {}) =>
      await castVote(
        ctx,
        callerOf(who),
        { id },
        { stance, groups: null, reason: null, signature: null, dialect: 'privx', ...more },
      ),
    async statusOf(id) {
      const row = await ctx.db.selectFrom('requests').select('status').where('id', '=', id).executeTakeFirstOrThrow()
      return row.status
    },
    async standing({ id }, role) {
      const grants = ctx.db
        .selectFrom('grants')
        .selectAll()
        .where('principal_id', '=', id)
        .where('ended_at', 'is', null)
      return await (role === undefined ? grants : grants.where('group_id', '=', role)).execute()
    },
    async rolesOf({ id }) {
      const now = ctx.clock.now()
      const rows = await ctx.db.selectFrom('memberships').selectAll().where('principal_id', '=', id).execute()
      const isIn = ({ starts_at, ends_at }: Row<'memberships'>) =>
        (starts_at === null || starts_at <= now) && (ends_at === null || ends_at > now)
      return rows.filter(isIn).map((row) => row.group_id)
    },
  }
}

async function partyOf(db: Db, { id }: Who): Promise<{ principal: string; person: string | null }> {
  const row = await db.selectFrom('principals').select('person_id').where('id', '=', id).executeTakeFirstOrThrow()
  return { principal: id, person: row.person_id }
}
