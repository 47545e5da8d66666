import { sql, type RawBuilder } from 'kysely'
import { isInForce } from './memberships.ts'
import type { Db } from './open.ts'
import type { PrincipalKind } from './schema.ts'

/** Which members may vote under a policy at all: those with the right, enabled, and not left out as the requester. */
export interface Electorate {
  readonly orgId: string
  /** Names of the roles that hold the right to vote; null where holding a seat is that right. */
  readonly voterRoles: readonly string[] | null
  readonly policyName: string
  readonly spaceId: string | null
  /** Left out: who asked and for whom, with their stand-ins where agents count as their person. */
  readonly excluded: readonly { readonly principalId: string; readonly personId: string | null }[]
  readonly naturalPersons: boolean
  /** Whoever is a member at this instant. */
  readonly now: Date
}

export interface EligibleVoter {
  readonly id: string
  readonly person_id: string | null
  readonly kind: PrincipalKind
  readonly name: string
  readonly groups: string[]
}

/** Members of any of `groupIds` who may vote, at most `limit`, in a stable order. */
export async function findEligibleVoters(
  db: Db,
  electorate: Electorate,
  groupIds: readonly string[],
  limit: number,
): Promise<EligibleVoter[]> {
  const { rows } = await sql<EligibleVoter>`
    select a.id, a.person_id, a.kind, a.name, array_agg(m.group_id) as groups
    from memberships m join principals a on a.org_id = m.org_id and a.id = m.principal_id
    where m.org_id = ${electorate.orgId} and m.group_id = any(${groupIds}::uuid[])
      and ${isInForce('m', electorate.now)} and ${mayVote(electorate)}
    group by a.org_id, a.id order by a.id limit ${limit}`.execute(db)
  return rows
}

/** Groups whose seats only one kind of principal can fill. A group may be in both lists. */
export interface Restricted {
  readonly toHumans: readonly string[]
  readonly toAgents: readonly string[]
}

/** How many distinct voters each group has, of those who can fill its seats. */
export async function countEligibleVoters(
  db: Db,
  electorate: Electorate,
  groupIds: readonly string[],
  { toHumans, toAgents }: Restricted,
): Promise<Map<string, number>> {
  const voter = electorate.naturalPersons ? sql`coalesce(a.person_id, a.id)` : sql`a.id`
  const { rows } = await sql<{ group_id: string; voters: string }>`
    select m.group_id, count(distinct ${voter}) as voters
    from memberships m join principals a on a.org_id = m.org_id and a.id = m.principal_id
    where m.org_id = ${electorate.orgId} and m.group_id = any(${groupIds}::uuid[])
      and ${isInForce('m', electorate.now)} and ${mayVote(electorate)}
      and (a.kind = 'human' or not m.group_id = any(${toHumans}::uuid[]))
      and (a.kind = 'agent' or not m.group_id = any(${toAgents}::uuid[]))
    group by m.group_id`.execute(db)
  return new Map(rows.map((row) => [row.group_id, Number(row.voters)]))
}

// The same scopes as `covers` in identity/authorize.ts, for a whole electorate at once.
function mayVote({ voterRoles, policyName, spaceId, excluded, naturalPersons }: Electorate): RawBuilder<boolean> {
  const notExcluded = sql.join(
    [
      sql`true`,
      ...excluded.map(({ principalId, personId }) =>
        naturalPersons
          ? sql`a.id <> ${principalId} and (a.person_id = ${personId}) is not true`
          : sql`a.id <> ${principalId}`,
      ),
    ],
    sql` and `,
  )
  const isEnabled = sql<boolean>`a.disabled_at is null and ${notExcluded}`
  if (voterRoles === null) return isEnabled
  return sql`${isEnabled} and exists (
    select 1 from role_bindings b where b.org_id = a.org_id and b.principal_id = a.id and b.role_name = any(${voterRoles})
      and (b.scope_type = 'org' or (b.scope_type = 'workflow_template' and b.scope_id = ${policyName})
        or (b.scope_type = 'space' and b.scope_id = ${spaceId ?? ''})))`
}

/** Of these groups, those the principal is a member of at `now`. */
export async function findOwnGroups(
  db: Db,
  orgId: string,
  principalId: string,
  groupIds: readonly string[],
  now: Date,
): Promise<string[]> {
  const rows = await db
    .selectFrom('memberships')
    .select('group_id')
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .where('group_id', '=', sql<string>`any(${groupIds}::uuid[])`)
    .where(isInForce('memberships', now))
    .execute()
  return rows.map((row) => row.group_id)
}
