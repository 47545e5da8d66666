import { createHash } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { addCalls } from '../../store/call-counters.ts'
import type { CredentialKind } from '../../store/schema.ts'

const windowMilliseconds = 60_000
/** Whose secret is tried: that of a credential, by its name, or the password of a person. */
type Tried = CredentialKind | 'person'
/** Wrong attempts a minute at one name, over all processes. A secret that we made cannot be guessed, but one from the configuration may. */
const maxAttempts: Readonly<Record<Tried, number>> = { password: 20, person: 20, 'client-secret': 200 }

/**
 * Counts an attempt at a name, whether or not there is one, before the attempt is made, so that many at once are held to the
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
  if (attempts > maxAttempts[kind])
    throw new AppError('TOO_MANY_REQUESTS', 'Too many wrong attempts at this name; wait a minute.')
  return async () => void (await addCalls(db, counter, windowStart, -1))
}
