import type { Policy } from '../kernel/rule.ts'
import { inForceText } from './memberships.ts'
import type { Db } from './open.ts'
import type { Dialect } from './schema.ts'
import { statement } from './statement.ts'

const groupsStatement = statement<{ group_id: string }>(`
  select m.group_id from memberships m where m.org_id = $1 and m.principal_id = $2 and ${inForceText('m', '$3')}`)

/** Ids of all groups that somebody is in at `now`. */
export async function findGroupsInForce(db: Db, orgId: string, principalId: string, now: Date): Promise<string[]> {
  return (await groupsStatement(db, [orgId, principalId, now])).map(({ group_id }) => group_id)
}

/** A policy that takes votes and names a seat of somebody in some stage. */
export interface SeatedPolicy extends Policy {
  readonly id: string
  readonly name: string
  readonly spaceId: string | null
  readonly dialect: Dialect
}

// A version out of use that has drained is deprecated: it is left out, or each caller would pay for all there ever were.
const policiesStatement = statement<SeatedPolicy>(`
  select p.id, p.name, p.space_id as "spaceId", p.dialect, p.stages, p.options from policies p
  where p.org_id = $1 and (p.group_ids && $3::uuid[] or p.principal_ids && array[$2::uuid])
    and p.status <> 'deprecated' and (p.status = 'active' or p.takes_votes_when_inactive)`)

export async function findPoliciesSeating(
  db: Db,
  orgId: string,
  principalId: string,
  groupIds: readonly string[],
): Promise<SeatedPolicy[]> {
  return await policiesStatement(db, [orgId, principalId, groupIds])
}

/** A stage of a policy in which somebody holds seats. */
export interface SeatedStage {
  readonly policy: string
  readonly stage: number
  /** Who may not vote on what they asked for, or is asked for them. */
  readonly excluded: 'nobody' | 'principal' | 'person'
  /** The places in the tally of which one must lack voters, with how many each needs; null where none has to. */
  readonly free: readonly { readonly leaf: number; readonly needed: number }[] | null
}

/** Where a page of what waits ended. */
export interface WaitingPlace {
  readonly at: Date
  readonly id: string
}

const isAbout = (column: string, id: string) => `(r.requester_${column} = ${id} or r.beneficiary_${column} = ${id})`

// Each stage gives its first rows in the order of requests_waiting, and they are merged: nothing is read of other stages.
const waitingStatement = statement<WaitingPlace>(`
  select w.id, w.created_at as at
  from jsonb_to_recordset($2::jsonb) as s (policy uuid, stage smallint, excluded text, free jsonb)
  cross join lateral (
    select r.id, r.created_at from requests r
    where r.org_id = $1 and r.policy_id = s.policy and r.stage = s.stage and not r.is_final
      and (r.created_at, r.id) > ($6::timestamptz, $7::uuid)
      and r.status = 'open' and r.expires_at > $5
      and case s.excluded
        when 'principal' then ${isAbout('id', '$3')} is not true
        when 'person' then (${isAbout('id', '$3')} or ${isAbout('person_id', '$4::uuid')}) is not true
        else true end
      and (s.free is null or exists (
        select from jsonb_to_recordset(s.free) as f (leaf integer, needed integer)
        where coalesce((r.tally -> 'approvals' ->> f.leaf)::integer, 0) < f.needed))
      and (s.free is null or s.excluded <> 'person' or not exists (
        select from votes v
        where v.org_id = $1 and v.request_id = r.id and v.stage = r.stage and v.person_id = $4 and v.digest = r.digest))
      and coalesce((
        select v.stance = 'withdraw' from votes v
        where v.org_id = $1 and v.request_id = r.id and v.stage = r.stage and v.principal_id = $3 and v.digest = r.digest
        order by v.seq desc limit 1), true)
    order by r.created_at, r.id limit $8
  ) w
  order by w.created_at, w.id limit $8`)

const beforeAll = { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' }

/** Open requests in these stages that are not about the voter and on which no vote of theirs stands: oldest first, after `place`. */
export async function findWaiting(
  db: Db,
  voter: { readonly orgId: string; readonly principalId: string; readonly personId: string | null },
  stages: readonly SeatedStage[],
  { place, limit, now }: { readonly place: WaitingPlace | null; readonly limit: number; readonly now: Date },
): Promise<WaitingPlace[]> {
  const { orgId, principalId, personId } = voter
  const { at, id } = place ?? beforeAll
  return await waitingStatement(db, [orgId, JSON.stringify(stages), principalId, personId, now, at, id, limit])
}
