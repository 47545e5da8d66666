import { askWitness, type Asked } from '../audit/ask-witnesses.ts'
import type { AskedWitness } from '../config/witnesses.ts'
import type { Ctx } from '../context.ts'
import { keyIdOf } from '../proof/note.ts'
import { findUncosigned } from '../store/cosignatures.ts'
import { startRounds } from './rounds.ts'

const pauseMilliseconds = 500
/** After the first failure of a witness; doubled with each further one. */
const firstWaitMilliseconds = 1_000
const longestWaitMilliseconds = 30_000
/** Before a log that a witness refuses is shown to it again. */
const refusedMilliseconds = 60_000
/** Logs that are shown to a witness at once. */
const width = 8

/**
 * Shows new checkpoints to the configured witnesses, to each in rounds of its own: one that does not answer keeps nobody
 * waiting. Sealing and votes know nothing of it. What is not cosigned is told by the tables.
 * @returns ends it, once the calls in hand are done
 */
export function startWitnessing(ctx: Ctx): () => Promise<void> {
  const ends = ctx.config.witnesses.asked.map((witness) => startRounds(roundsWith(ctx, witness)))
  return async () => void (await Promise.all(ends.map((end) => end())))
}

function roundsWith(ctx: Ctx, witness: AskedWitness): () => Promise<number> {
  /** When a log that was refused may be shown again, by organization; milliseconds of `performance.now()`. */
  const refused = new Map<string, number>()
  let wait = 0
  return async () => {
    const reason = await askRound(ctx, witness, refused).catch((error: unknown) => {
      ctx.log.error({ err: error, witness: witness.key.name }, 'a witness cannot be asked')
      return 'fault'
    })
    if (reason !== null && wait === 0) {
      ctx.log.warn({ witness: witness.key.name, reason }, 'a witness does not cosign; it is asked again and again')
    }
    if (reason === null && wait > 0) ctx.log.info({ witness: witness.key.name }, 'a witness cosigns again')
    wait = reason === null ? 0 : Math.min(longestWaitMilliseconds, wait * 2 || firstWaitMilliseconds)
    return wait || pauseMilliseconds
  }
}

/** @returns why the witness could not be asked; null when it could */
async function askRound(ctx: Ctx, witness: AskedWitness, refused: Map<string, number>): Promise<string | null> {
  const behind = await findUncosigned(ctx.db, keyIdOf(witness.key))
  const due = behind.filter((orgId) => (refused.get(orgId) ?? 0) <= performance.now())
  for (let at = 0; at < due.length; at += width) {
    const asked = await Promise.all(
      due
        .slice(at, at + width)
        .map(async (orgId) => ({ orgId, ...(await askWitness(ctx, orgId, witness).catch(faulty)) })),
    )
    for (const outcome of asked) {
      if (outcome.kind === 'failed') return outcome.reason
      if (outcome.kind !== 'refused') refused.delete(outcome.orgId)
      else {
        refused.set(outcome.orgId, performance.now() + refusedMilliseconds)
        const { orgId, reason } = outcome
        ctx.log.error({ orgId, witness: witness.key.name, reason }, 'a witness refuses to cosign a log')
      }
    }
  }
  return null
}

// A log whose rows are damaged keeps no other from its witnesses.
function faulty(error: unknown): Asked {
  return { kind: 'refused', reason: `It cannot be shown to a witness: ${(error as Error).message}.` }
}
