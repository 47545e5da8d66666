import { contentDigest, policyDigest } from '../../src/audit/digest.ts'
import type { Ctx } from '../../src/context.ts'
import { initialState, type Stance } from '../../src/kernel/request.ts'
import { findPolicyRules } from '../../src/store/policies.ts'
import type { PrincipalKind } from '../../src/store/schema.ts'
import { orgId } from './quorum.ts'
import type { Answer, Client } from './world.ts'

export interface NewVoter {
  readonly kind?: PrincipalKind
  /** The person who answers for an agent. */
  readonly personId?: string
}

export interface Voter {
  readonly id: string
  readonly kind: PrincipalKind
  readonly personId: string
}

/** Many people (or agents) with the right to vote everywhere, in three statements. */
export async function insertVoters(ctx: Ctx, given: readonly NewVoter[]): Promise<Voter[]> {
  const created_at = ctx.clock.now()
  const voters = given.map(({ kind = 'human', personId }) => ({
    id: ctx.newId(),
    kind,
    personId: personId ?? ctx.newId(),
  }))
  const people = voters.filter((_, index) => given[index]?.personId === undefined)
  if (people.length > 0) {
    await ctx.db
      .insertInto('people')
      .values(people.map(({ personId: id }) => ({ id, email: `${id}@example.com`, created_at })))
      .execute()
  }
  const principals = voters.map(({ id, kind, personId }) => ({
    org_id: orgId,
    id,
    kind,
    person_id: personId,
    name: id,
    email: kind === 'human' ? `${personId}@example.com` : null,
    created_at,
  }))
  await ctx.db.insertInto('principals').values(principals).execute()
  const right = { org_id: orgId, role_name: 'OrgWideWorkflowTemplateVoter', scope_type: 'org', scope_id: '' } as const
  await ctx.db
    .insertInto('role_bindings')
    .values(voters.map(({ id }) => ({ ...right, principal_id: id, created_at })))
    .execute()
  return voters
}

/** A group with its members, in two statements. */
export async function insertGroupOf(ctx: Ctx, members: readonly string[]): Promise<string> {
  const id = ctx.newId()
  const at = ctx.clock.now()
  await ctx.db
    .insertInto('groups')
    .values({ org_id: orgId, id, name: `g-${id}`, member_count: members.length, created_at: at, updated_at: at })
    .execute()
  if (members.length > 0) {
    await ctx.db
      .insertInto('memberships')
      .values(members.map((principal_id) => ({ org_id: orgId, group_id: id, principal_id, added_at: at })))
      .execute()
  }
  return id
}

/** Opens `count` requests under one policy, with their counts and without leaves, in two statements. */
export async function insertRequests(
  ctx: Ctx,
  policyId: string,
  requester: Voter,
  count: number,
  expiresAt = new Date(ctx.clock.now().getTime() + 86_400_000),
): Promise<string[]> {
  const policy = await findPolicyRules(ctx.db, orgId, policyId)
  if (policy === undefined) throw new Error(`no policy ${policyId}`)
  const at = ctx.clock.now()
  const rows = Array.from({ length: count }, () => {
    const id = ctx.newId()
    const content = {
      dialect: 'native',
      name: `r-${id}`,
      description: null,
      metadata: {},
      policyId,
      policyDigest: policyDigest(policy),
      requesterId: requester.id,
    }
    const digest = contentDigest({ ...content, revision: 1 })
    const asked = { principal: requester.id, person: requester.personId }
    const state = initialState(policy, { digest, expiresAt: expiresAt.getTime(), requester: asked })
    return {
      org_id: orgId,
      id,
      dialect: 'native' as const,
      policy_id: policyId,
      name: content.name,
      metadata: '{}',
      requester_id: requester.id,
      requester_person_id: requester.personId,
      digest,
      status: state.status,
      tally: JSON.stringify(state.tally),
      expires_at: expiresAt,
      created_at: at,
      updated_at: at,
    }
  })
  await ctx.db.insertInto('requests').values(rows).execute()
  const counted = { org_id: orgId, policy_id: policyId, is_final: false, difference: count }
  await ctx.db.insertInto('request_counts').values(counted).execute()
  return rows.map(({ id }) => id)
}

/** A vote as it was sent, and what came back. Its tag travels as the reason, so that the stored vote can be told. */
export interface SentVote {
  readonly requestId: string
  readonly tag: string
  readonly status: number
  /** The workflow's status on 200, else the code of the refusal. */
  readonly said: string
}

const voteTypes = { approve: 'APPROVE', veto: 'VETO', withdraw: 'WITHDRAW' } as const

export function voteBody(stance: Stance, groups: readonly string[], tag: string): object {
  return { voteType: { type: voteTypes[stance], ...(stance === 'approve' && { votedForGroups: groups }) }, reason: tag }
}

let tags = 0

/** Votes over the API. */
export async function send(
  client: Client,
  requestId: string,
  stance: Stance,
  groups: readonly string[] = [],
): Promise<SentVote> {
  const tag = `vote ${(tags += 1)}`
  return sentVote(requestId, tag, await client.post(`/workflows/${requestId}/vote`, voteBody(stance, groups, tag)))
}

export function sentVote(requestId: string, tag: string, { status, body }: Pick<Answer, 'status' | 'body'>): SentVote {
  return { requestId, tag, status, said: status === 200 ? body.workflowStatus : body.code }
}

/** Runs `work` on every item, `width` of them at a time. */
export async function inBatches<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) await work(item, index)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

/** A few turns of the clock, so that what races starts at many different moments. */
export async function moments(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await new Promise((resolve) => setTimeout(resolve, 1))
}
