import type { Assurance } from '../kernel/rule.ts'
import type { Stance, Status, Tally } from '../kernel/request.ts'
import type { Db, Tx } from './open.ts'
import { inForceText } from './memberships.ts'
import { bindingsText } from './principals.ts'
import type { PolicyStatus, PrincipalKind } from './schema.ts'
import { statement } from './statement.ts'

/** How the wire named a request: by its id, or by its name within its dialect. */
export type RequestKey = { readonly id: string } | { readonly name: string }

const byKey = { id: 'r.id = $2::uuid', name: "r.dialect = 'native' and r.name = $2" }

type Statement<Row> = ReturnType<typeof statement<Row>>
type Statements<Row> = Readonly<Record<keyof typeof byKey, Statement<Row>>>

/** A statement for each way to name a request. */
function forEachKey<Row>(statementFor: (key: keyof typeof byKey) => Statement<Row>): Statements<Row> {
  return { id: statementFor('id'), name: statementFor('name') }
}

/** The organization is the first parameter, what names the request the second. */
async function ask<Row>(
  of: Statements<Row>,
  db: Db,
  orgId: string,
  key: RequestKey,
  ...more: unknown[]
): Promise<Row[]> {
  return await ('id' in key ? of.id(db, [orgId, key.id, ...more]) : of.name(db, [orgId, key.name, ...more]))
}

// The fact lock of the organization comes first and in share mode: votes never wait for each other there, only for a change
// that takes eligibility away, which takes it in exclusive mode. A qualification is evaluated before the row is locked,
// so no vote waits for the fact lock while it holds a row.
const lockText = (key: keyof typeof byKey) => `
  select r.created_at from requests r
  where r.org_id = $1 and ${byKey[key]} and pg_advisory_xact_lock_shared(hashtextextended($1::text, 0)) is not null
  for update`

const lock = forEachKey((key) => statement<{ created_at: Date }>(lockText(key)))

/**
 * Locks the request's row, and the facts about who may vote, until the transaction ends.
 * @returns when the request was opened: what is asked for of decisions alone is read where one may fall
 */
export async function lockRequestForVote(tx: Tx, orgId: string, key: RequestKey): Promise<Date | undefined> {
  const [row] = await ask(lock, tx, orgId, key)
  return row?.created_at
}

export interface VotingFactsRow {
  voter_kind: PrincipalKind
  voter_person_id: string | null
  voter_disabled: boolean
  /** Sign-ins of the voter that ended while access tokens of theirs may live. */
  voter_ended_sessions: readonly string[]
  /** Moves with whatever the voter gains or loses: everything above and the next two are as they were while it stands. */
  voter_version: number
  /** The voter's role bindings, as `splitBindings` reads them. */
  voter_bindings: string
  /** Ids of all groups that the voter is in at the instant that was asked for. */
  voter_groups: readonly string[]
  /** When the next membership of theirs begins or ends by the clock, of which no version tells; null when none does. */
  voter_until: Date | null
  /** Null from here on when there is no such request. */
  id: string | null
  status: Status
  is_final: boolean
  stage: number
  vote_seq: number
  digest: string
  expires_at: Date
  /** When the request was last voted on or changed: nothing may happen to it before that, whatever a clock says. */
  last_at: Date
  requester_id: string
  requester_person_id: string | null
  beneficiary_id: string | null
  beneficiary_person_id: string | null
  tally: Tally
  policy_id: string
  policy_status: PolicyStatus
  takes_votes_when_inactive: boolean
  /** The voter's last vote in the open stage; all null when there is none. */
  own_seq: number | null
  own_stance: Stance | null
  own_seats: string[]
  own_assurance: Assurance[]
  own_digest: string
}

export interface StandingVoteRow {
  principal_id: string
  person_id: string | null
  stance: Stance
  seats: string[]
  assurance: Assurance[]
  digest: string
}

// The request's own quota, else the organization's.
export const voteQuotaText = (request: string) => `
  select q."limit" from quotas q
  where q.org_id = $1 and q.target_id in (${request}, $1) and q.quota_type = 'MAX_VOTES_PER_WORKFLOW' and q.scope in ('Workflow', 'Org')
  order by q.scope = 'Workflow' desc limit 1`

const voterText = `
    'voter_kind', a.kind, 'voter_person_id', a.person_id, 'voter_disabled', a.disabled_at is not null,
    'voter_ended_sessions', a.ended_sessions,
    'voter_bindings', ${bindingsText('a')},
    'voter_groups', array(
      select m.group_id from memberships m where m.org_id = a.org_id and m.principal_id = a.id and ${inForceText('m', '$4')}),
    'voter_until', (
      select least(min(m.starts_at) filter (where m.starts_at > $4), min(m.ends_at) filter (where m.ends_at > $4))
      from memberships m
      where m.org_id = a.org_id and m.principal_id = a.id and (m.starts_at is not null or m.ends_at is not null)),`

// A change of status writes updated_at, and a vote that changes none writes only itself.
const lastAtText = `greatest(r.updated_at, (
    select v.cast_at from votes v where v.org_id = r.org_id and v.request_id = r.id and v.seq = r.vote_seq))`

// A separate statement from the lock: it must see what was committed while the lock was waited for. It is on the way of
// every canVote and of every vote that was not remembered, so all of it travels as one value: both ends pay by the column,
// and PostgreSQL by the join and by the table.
const factsText = (match: string, voter: string) => `
  select json_build_object(
    'voter_version', a.eligibility_version,${voter}
    'id', r.id, 'status', r.status, 'is_final', r.is_final, 'stage', r.stage, 'vote_seq', r.vote_seq, 'digest', r.digest,
    'expires_at', r.expires_at, 'last_at', ${lastAtText}, 'requester_id', r.requester_id, 'requester_person_id', r.requester_person_id,
    'beneficiary_id', r.beneficiary_id, 'beneficiary_person_id', r.beneficiary_person_id,
    'tally', r.tally, 'policy_id', r.policy_id,
    'policy', (
      select json_build_object('policy_status', p.status, 'takes_votes_when_inactive', p.takes_votes_when_inactive)
      from policies p where p.org_id = r.org_id and p.id = r.policy_id),
    'own', (
      select json_build_object('own_seq', v.seq, 'own_stance', v.stance, 'own_seats', v.seats,
        'own_assurance', v.assurance, 'own_digest', v.digest)
      from votes v where v.org_id = r.org_id and v.request_id = r.id and v.stage = r.stage and v.principal_id = a.id
      order by v.seq desc limit 1)
  ) as facts
  from principals a
  left join requests r on r.org_id = a.org_id and ${match}
  where a.org_id = $1 and a.id = $3`

type VoterPart = Pick<
  VotingFactsRow,
  | 'voter_kind'
  | 'voter_person_id'
  | 'voter_disabled'
  | 'voter_ended_sessions'
  | 'voter_bindings'
  | 'voter_groups'
  | 'voter_until'
>
type PolicyPart = Pick<VotingFactsRow, 'policy_status' | 'takes_votes_when_inactive'>
export type OwnVotePart = Pick<VotingFactsRow, 'own_seq' | 'own_stance' | 'own_seats' | 'own_assurance' | 'own_digest'>

/** A voter as they are while their eligibility has this version, until the clock changes it. */
export type KnownVoter = VoterPart & Pick<VotingFactsRow, 'voter_version'>

export const noOwnVote: OwnVotePart = {
  own_seq: null,
  own_stance: null,
  own_seats: [],
  own_assurance: [],
  own_digest: '',
}

type RequestAnswer = {
  readonly facts: Omit<VotingFactsRow, keyof VoterPart | keyof PolicyPart | keyof OwnVotePart | DateName> & {
    readonly policy: PolicyPart
    readonly own: OwnVotePart | null
  } & Readonly<Record<DateName, string | null>>
}
/** A date has no form of its own in JSON. */
type DateName = 'expires_at' | 'last_at'
type FactsAnswer = RequestAnswer & {
  readonly facts: Omit<VoterPart, 'voter_until'> & { readonly voter_until: string | null }
}

const facts = forEachKey((key) => statement<FactsAnswer>(factsText(byKey[key], voterText)))
const requestFacts = forEachKey((key) => statement<RequestAnswer>(factsText(byKey[key], '')))
const factsOfMany = statement<FactsAnswer>(factsText('r.id = any ($2::uuid[])', voterText))

/**
 * Everything the kernel must know about one voter at `now` and one request, in one query whose cost depends neither on the
 * votes cast nor on the members there are.
 */
export async function findVotingFacts(
  db: Db,
  orgId: string,
  key: RequestKey,
  principalId: string,
  now: Date,
): Promise<VotingFactsRow | undefined> {
  const [answer] = await ask(facts, db, orgId, key, principalId, now)
  return answer && wholeOf(answer)
}

/** The same of many requests at once, in no order; those that there are not are left out. */
export async function findVotingFactsOfMany(
  db: Db,
  orgId: string,
  ids: readonly string[],
  principalId: string,
  now: Date,
): Promise<VotingFactsRow[]> {
  return (await factsOfMany(db, [orgId, ids, principalId, now])).map(wholeOf)
}

/** The same of a voter who is still as they were when they were seen, for fewer look-ups; undefined when they are not. */
export async function findFactsOfKnownVoter(
  db: Db,
  orgId: string,
  key: RequestKey,
  principalId: string,
  voter: KnownVoter,
): Promise<VotingFactsRow | undefined> {
  const [answer] = await ask(requestFacts, db, orgId, key, principalId)
  if (answer?.facts.voter_version !== voter.voter_version) return undefined
  return { ...voter, ...requestPart(answer) }
}

function wholeOf(answer: FactsAnswer): VotingFactsRow {
  const { voter_until: until, ...voter } = answer.facts
  return { ...voter, ...requestPart(answer), voter_until: until === null ? null : new Date(until) }
}

function requestPart(answer: RequestAnswer) {
  const { policy, own, expires_at, last_at, ...request } = answer.facts
  const dates = { expires_at: dateOf(expires_at), last_at: dateOf(last_at) }
  return { ...request, ...policy, ...(own ?? noOwnVote), ...dates }
}

function dateOf(text: string | null): Date {
  return new Date(text ?? Number.NaN)
}

const lastAtOfMany = statement<{ id: string; last_at: Date }>(
  `select r.id, ${lastAtText} as last_at from requests r where r.org_id = $1 and r.id = any ($2::uuid[])`,
)

/** The same `last_at` of requests that are locked already, in a statement that sees what the lock waited for. */
export async function findLastTimes(tx: Tx, orgId: string, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  const rows = ids.length === 0 ? [] : await lastAtOfMany(tx, [orgId, ids])
  return new Map(rows.map(({ id, last_at }) => [id, last_at]))
}

const voteQuota = forEachKey((key) =>
  statement<{ quota: number | null }>(
    `select (${voteQuotaText('r.id')}) as quota from requests r where r.org_id = $1 and ${byKey[key]}`,
  ),
)

/** How many votes may be cast on a request; null when any number may. */
export async function findVoteQuota(db: Db, orgId: string, key: RequestKey): Promise<number | null> {
  const [row] = await ask(voteQuota, db, orgId, key)
  return row?.quota ?? null
}

const standingOfPersonStatement = statement<StandingVoteRow & { request_id: string }>(`
  select v.* from (
    select id from principals where org_id = $1 and person_id = $3
    union select principal_id from former_owners where org_id = $1 and person_id = $3
  ) o cross join requests r cross join lateral (
    select v.request_id, v.principal_id, v.person_id, v.stance, v.seats, v.assurance, v.digest from votes v
    where v.org_id = $1 and v.request_id = r.id and v.stage = r.stage and v.principal_id = o.id
    order by v.seq desc limit 1
  ) v
  where r.org_id = $1 and r.id = any ($2::uuid[])`)

/**
 * The last votes in the open stage of each request of a natural person and of the agents that they answer for, or did: each
 * vote says for whom it was.
 */
export async function findStandingOfPerson(
  db: Db,
  orgId: string,
  requestIds: readonly string[],
  personId: string,
): Promise<(StandingVoteRow & { readonly request_id: string })[]> {
  return await standingOfPersonStatement(db, [orgId, requestIds, personId])
}

export interface StandingApprovalRow extends StandingVoteRow {
  is_enabled: boolean
  /** As `splitBindings` reads them. */
  bindings: string
  member_of: string[]
}

const approvalsStatement = statement<StandingApprovalRow>(`
  select v.principal_id, v.person_id, v.stance, v.seats, v.assurance, v.digest,
    a.disabled_at is null as is_enabled, ${bindingsText('a')} as bindings,
    array(select m.group_id from memberships m
      where m.org_id = a.org_id and m.principal_id = a.id and m.group_id = any (v.seats)
        and ${inForceText('m', '$4')}) as member_of
  from (
    select distinct on (principal_id) * from votes
    where org_id = $1 and request_id = $2 and stage = $3 order by principal_id, seq desc
  ) v
  join principals a on a.org_id = v.org_id and a.id = v.principal_id
  where v.stance = 'approve'`)

/** Every approval that stands in a stage, with what its principal may do at `now`. Read only when a decision may fall. */
export async function findStandingApprovals(
  db: Db,
  orgId: string,
  requestId: string,
  stage: number,
  now: Date,
): Promise<StandingApprovalRow[]> {
  return await approvalsStatement(db, [orgId, requestId, stage, now])
}
