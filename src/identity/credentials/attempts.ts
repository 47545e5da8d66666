import { createHash } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { addCalls } from '../../store/call-counters.ts'
import type { CredentialKind } from '../../store/schema-access.ts'

/** What is tried: a secret by the name of its credential, the password of a person, or the OAuth client's by the address that it comes from. */
type Tried = CredentialKind | 'person' | 'oauth-client'

const windowMilliseconds = 60_000
/**
 * Wrong attempts a minute at one name, over all processes. A secret that we made cannot be guessed, but one from the
 * configuration may. There is one OAuth client for all: counted by its name, one who guesses would shut out everybody.
 */
const maxAttempts: Readonly<Record<Tried, number>> = {
  password: 20,
  person: 20,
  'client-secret': 200,
  'oauth-client': 200,
}

/**
 * Counts an attempt at a name or from an address, whether or not there is such a name, before the attempt is made, so that many at once are held to the
 * limit too.
 * @returns takes the attempt back, to be called when it was right
 * @throws AppError TOO_MANY_REQUESTS
 */
export async function countAttempt(
  { db, clock }: Pick<Ctx, 'db' | 'clock'>,
  kind: Tried,
  name: string,
): Promise<() => Promise<void>> {
  const windowStart = new Date(Math.floor(clock.now().getTime() / windowMilliseconds) * windowMilliseconds)
  // Names are of any length, and nobody need read them here.
  const counter = `${kind}:${createHash('sha256').update(name.toLowerCase()).digest('base64url')}`
  const attempts = await addCalls(db, counter, windowStart, 1)
  if (attempts > maxAttempts[kind]) throw new AppError('TOO_MANY_REQUESTS', 'Too many wrong attempts; wait a minute.')
  return async () => void (await addCalls(db, counter, windowStart, -1))
}
