import type { AskedWitness } from '../config/witnesses.ts'
import type { Ctx } from '../context.ts'
import { callOut } from '../outgoing/call-out.ts'
import { parseSize } from '../proof/checkpoint.ts'
import { verifyCosignature } from '../proof/cosignature.ts'
import { consistencyPath } from '../proof/merkle.ts'
import { NoteError, noteText, parseSignatureLine, keyIdOf } from '../proof/note.ts'
import { findCheckpointToCosign, findCosignedSize, insertCosignature } from '../store/cosignatures.ts'
import { findLatestCheckpoint, type StoredCheckpoint } from '../store/log-reads.ts'
import { openTree } from './tree.ts'

export type Asking = Pick<Ctx, 'db' | 'config' | 'clock' | 'network'>

/** What came of asking: `failed` is worth another try soon; `refused` asks for an operator. Reasons are one sentence. */
export type Asked =
  | { readonly kind: 'cosigned' | 'nothing to cosign' }
  | { readonly kind: 'failed' | 'refused'; readonly reason: string }

/** For one call, all of it. */
const timeoutMilliseconds = 5_000

// The operator names witnesses, so they may be anywhere, on this machine too.
const anywhere = { mode: 'disabled', allow: [] } as const

type Checkpoint = Pick<StoredCheckpoint, 'size' | 'note'>

/**
 * Asks a witness to cosign a checkpoint of the organization's log (C2SP tlog-witness) and keeps the cosignature. At most two
 * calls: the second when the witness names another size than we remember.
 */
export async function askWitness(ctx: Asking, orgId: string, witness: AskedWitness): Promise<Asked> {
  const remembered = await findCosignedSize(ctx.db, orgId, keyIdOf(witness.key))
  const names = ctx.config.witnesses.asked.map(({ key }) => keyIdOf(key))
  const checkpoint = await findCheckpointToCosign(ctx.db, orgId, names, remembered)
  if (checkpoint === undefined) return { kind: 'nothing to cosign' }
  const answer = await submit(ctx, orgId, witness, checkpoint, remembered)
  const known = sizeNamed(answer)
  if (known === null || known === remembered) return await keep(ctx, orgId, witness, checkpoint, answer, remembered)
  // Another process may have had a newer one cosigned.
  const newer = known > Number(checkpoint.size) ? await findLatestCheckpoint(ctx.db, orgId) : checkpoint
  if (newer === undefined || known > Number(newer.size)) {
    return { kind: 'refused', reason: `It has cosigned ${known} leaves of this log, which has fewer: some are lost.` }
  }
  return await keep(ctx, orgId, witness, newer, await submit(ctx, orgId, witness, newer, known), known)
}

/**
 * Asks all witnesses at once, for whoever cannot wait for the next round.
 * @returns once each has answered or failed, after ten seconds at most
 */
export async function askWitnesses(ctx: Asking, orgId: string): Promise<void> {
  await Promise.all(ctx.config.witnesses.asked.map((witness) => askWitness(ctx, orgId, witness)))
}

type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** With 409: the size of what it has cosigned last; null when it names none. */
function sizeNamed(answer: Answer): number | null {
  return answer.kind === 'answered' && answer.status === 409 ? parseSize(answer.text.replace(/\n$/, '')) : null
}

async function submit(
  { db, network }: Asking,
  orgId: string,
  { url }: AskedWitness,
  { size, note }: Checkpoint,
  from: number,
): Promise<Answer> {
  const proof = await consistencyPath(openTree(db, orgId), from, Number(size))
  const lines = [`old ${from}`, ...proof.map((hash) => Buffer.from(hash).toString('base64'))]
  const outcome = await callOut(network, anywhere, {
    url: `${url}/add-checkpoint`,
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: `${lines.join('\n')}\n\n${note}`,
    timeoutMilliseconds,
  })
  if (outcome.kind !== 'answered') return { kind: 'failed', reason: outcome.reason }
  return { kind: 'answered', status: outcome.status, text: outcome.body.toString('utf8') }
}

async function keep(
  { db, clock }: Asking,
  orgId: string,
  { key }: AskedWitness,
  { size, note }: Checkpoint,
  answer: Answer,
  from: number,
): Promise<Asked> {
  if (answer.kind === 'failed') return answer
  const { status, text } = answer
  if (status === 403 || status === 404) {
    return { kind: 'refused', reason: `It does not know the log or its key (${status}).` }
  }
  // With 409 and the very size that we began at, it knows something else of that size: asking again would change nothing. Nor
  // need it name a size (C2SP tlog-witness) where the checkpoint's is that one.
  if (status === 422 || (status === 409 && (sizeNamed(answer) ?? Number(size)) === from)) {
    return { kind: 'refused', reason: `It has cosigned another history of this log (${status}).` }
  }
  if (status !== 200) return { kind: 'failed', reason: `It answered with status ${status}.` }
  const line = cosignatureIn(text, (given) => verifyCosignature(key, noteText(note), parseSignatureLine(given)))
  if (line === null)
    return { kind: 'refused', reason: 'Its answer holds no cosignature of its key for the checkpoint.' }
  await insertCosignature(db, { org_id: orgId, size, name: keyIdOf(key), line, created_at: clock.now() })
  return { kind: 'cosigned' }
}

/** Lines of other keys, which a witness may add, are passed over. */
function cosignatureIn(text: string, verify: (line: string) => unknown): string | null {
  const isTheirs = (line: string) => {
    try {
      verify(line)
      return true
    } catch (error) {
      if (error instanceof NoteError) return false
      throw error
    }
  }
  return text.split('\n').slice(0, mostLines).find(isTheirs) ?? null
}

const mostLines = 16
