import type { Ctx } from '../../src/context.ts'
import { parseCheckpoint, type Checkpoint } from '../../src/proof/checkpoint.ts'
import { leafHash, rootOf, verifyConsistency } from '../../src/proof/merkle.ts'
import { openNote, parseVerifierKey, type VerifierKey } from '../../src/proof/note.ts'
import { orgId } from '../helpers/quorum.ts'
import { bearer } from './wire.ts'

/** Whoever reads the log of a server that is killed again and again, and believes nothing. */
export interface LogFollower {
  /** Looks at one checkpoint. What was seen before must be a beginning of it. */
  look(url: string, token: string): Promise<void>
  /** Looks all the time, until the server is gone. */
  lookUntilGone(url: string, token: string): Promise<void>
  /** What was seen has to be in the store, which nobody has open; all of it, and once. */
  compare(ctx: Ctx): Promise<void>
  readonly seen: number
  readonly faults: readonly string[]
}

export function followLog(): LogFollower {
  const faults: string[] = []
  let keys: readonly VerifierKey[] = []
  let last: Checkpoint | null = null
  let seen = 0

  const look = async (url: string, token: string) => {
    const get = async (path: string) => {
      const answer = await fetch(`${url}/v1/log/${path}`, { headers: bearer(token) })
      if (!answer.ok && answer.status !== 404)
        throw new Error(`GET /v1/log/${path} was answered ${answer.status}: ${await answer.text()}`)
      return answer
    }
    // The first answer is believed; a key that changes later has not signed what comes then.
    if (keys.length === 0) {
      const published = (await (await get('key')).json()) as { keys: { verifierKey: string }[] }
      keys = published.keys.map(({ verifierKey }) => parseVerifierKey(verifierKey))
    }
    const shown = await get('checkpoint')
    // A log that begins has none for a moment.
    if (shown.status === 404 && last === null) return
    const next = parseCheckpoint(openNote(await shown.text(), keys).body)
    const before = last
    last = next
    seen += 1
    if (before === null || before.size === 0) return
    if (next.size < before.size) return void faults.push(`the log shrank from ${before.size} to ${next.size}`)
    const proof = await get(`proof/consistency?from=${before.size}&to=${next.size}`)
    const { path } = (await proof.json()) as { path: string[] }
    const isPrefix = verifyConsistency({
      from: before.size,
      to: next.size,
      fromRoot: before.root,
      toRoot: next.root,
      path: path.map((hash) => Buffer.from(hash, 'base64')),
    })
    if (!isPrefix) faults.push(`the log of ${before.size} is not the beginning of that of ${next.size}`)
  }

  return {
    look,
    async lookUntilGone(url, token) {
      for (;;) {
        const before = last
        try {
          await look(url, token)
        } catch (error) {
          // Only a dead server ends this; an answer is a fault, and so is a note that does not open.
          if (!(error instanceof TypeError)) faults.push(String(error))
          // A proof that the kill cut off is asked for again after the restart.
          last = before
          return
        }
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async compare(ctx) {
      const entries = await ctx.db
        .selectFrom('log_entries as e')
        .innerJoin('audit_leaves as l', (join) =>
          join.onRef('l.org_id', '=', 'e.org_id').onRef('l.id', '=', 'e.leaf_id'),
        )
        .where('e.org_id', '=', orgId)
        .orderBy('e.index')
        .select(['e.index', 'l.content'])
        .execute()
      const misplaced = entries.findIndex(({ index }, place) => Number(index) !== place)
      if (misplaced !== -1) faults.push(`entry ${misplaced} is missing`)
      const hashes = entries.map(({ content }) => leafHash(Buffer.from(content)))
      const root = last === null ? null : rootOf(hashes.slice(0, last.size))
      if (last !== null && !Buffer.from(last.root).equals(root ?? Buffer.alloc(0))) {
        faults.push(`the checkpoint of ${last.size} is not over the leaves that are stored`)
      }
    },
    get seen() {
      return seen
    },
    faults,
  }
}
