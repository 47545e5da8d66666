import type { Assurance } from '../kernel/rule.ts'
import type { Stance } from '../kernel/request.ts'
import type { Db } from './open.ts'
import { offsetOf, type Page } from './page.ts'
import type { PrincipalKind } from './schema.ts'

export interface VoteRow {
  readonly seq: number
  readonly principal_id: string
  readonly kind: PrincipalKind
  readonly stance: Stance
  readonly seats: string[]
  readonly assurance: Assurance[]
  readonly reason: string | null
  readonly cast_at: Date
}

export interface VotePage extends Page {
  readonly newestFirst: boolean
}

/** The votes of a request in the order in which they were committed; all of them without a page. */
export async function listVotes(db: Db, orgId: string, requestId: string, page: VotePage | null): Promise<VoteRow[]> {
  let query = db
    .selectFrom('votes as v')
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 'v.org_id').onRef('a.id', '=', 'v.principal_id'),
    )
    .select(['v.seq', 'v.principal_id', 'a.kind', 'v.stance', 'v.seats', 'v.assurance', 'v.reason', 'v.cast_at'])
    .where('v.org_id', '=', orgId)
    .where('v.request_id', '=', requestId)
    .orderBy('v.seq', page?.newestFirst === true ? 'desc' : 'asc')
  if (page !== null) query = query.offset(offsetOf(page)).limit(page.limit)
  return await query.execute()
}

/** A principal's last vote in any stage up to `lastStage`; null when there is none. */
export async function findLastStance(
  db: Db,
  orgId: string,
  requestId: string,
  lastStage: number,
  principalId: string,
): Promise<Stance | null> {
  const vote = await db
    .selectFrom('votes')
    .select('stance')
    .where('org_id', '=', orgId)
    .where('request_id', '=', requestId)
    // Named one by one, each is a range of the index, however many votes there are.
    .where('stage', 'in', [...Array(lastStage + 1).keys()])
    .where('principal_id', '=', principalId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return vote?.stance ?? null
}

/** Whether a principal has approved a request, in any of its stages. */
export async function hasApproved(db: Db, orgId: string, requestId: string, principalId: string): Promise<boolean> {
  const row = await db
    .selectFrom('votes')
    .select('seq')
    .where('org_id', '=', orgId)
    .where('request_id', '=', requestId)
    .where('principal_id', '=', principalId)
    .where('stance', '=', 'approve')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
