import type { Tx } from './open.ts'
import { statement } from './statement.ts'

const lockOf = (strength: string) => {
  const lock = statement(`select from principals where org_id = $1 and id = $2 for ${strength}`)
  return async (tx: Tx, orgId: string, principalId: string): Promise<void> =>
    void (await lock(tx, [orgId, principalId]))
}

// Each is held until the transaction ends, the weakest first.

/** Nobody ends a sign-in of this principal; other sign-ins and refreshes of theirs go on beside. */
export const holdSessions = lockOf('key share')

/** Holds up whatever ends a sign-in of the voter, which moves their eligibility without the fact lock. */
export const lockVoter = lockOf('share')

/** Holds up whatever else moves this principal's eligibility, and their own votes: being given a role does, and the end of a sign-in. */
export const lockEligibility = lockOf('no key update')

/**
 * Waits for the sign-ins and refreshes in hand of this principal and holds up new ones, so that what is ended next is all
 * there is and none of it comes back.
 */
export const lockSessions = lockOf('update')
