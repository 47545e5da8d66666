import type { Tx } from './open.ts'
import { statement } from './statement.ts'

const lockFactsStatement = statement(`select pg_advisory_xact_lock(hashtextextended($1::text, 0))`)

/**
 * Waits for the votes in hand and holds up new ones until the transaction ends. Every change that takes eligibility away
 * (a membership, a role, a voter, a policy) calls this first, so that a vote is counted wholly before it or wholly after.
 */
export async function lockFacts(tx: Tx, orgId: string): Promise<void> {
  await lockFactsStatement(tx, [orgId])
}

const shareFactsStatement = statement(`select pg_advisory_xact_lock_shared(hashtextextended($1::text, 0))`)

/** What a vote holds against `lockFacts`, for whatever else ends a request or makes a key: no right is taken away beside it. */
export async function shareFacts(tx: Tx, orgId: string): Promise<void> {
  await shareFactsStatement(tx, [orgId])
}
