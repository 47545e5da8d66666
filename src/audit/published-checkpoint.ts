import type { Ctx } from '../context.ts'
import { addSignatureLines, type VerifierKey } from '../proof/note.ts'
import { findCosignedCheckpoint } from '../store/cosignatures.ts'
import { findLatestCheckpoint } from '../store/log-reads.ts'

export interface PublishedCheckpoint {
  /** Leaves. */
  readonly size: number
  /** Signed by the log, and by its witnesses. */
  readonly note: string
}

/**
 * The head of the organization's log for everyone to see: the newest that the quorum of the configured witnesses has cosigned,
 * or the newest of all where none is configured. While witnesses cannot be reached it stays as it is.
 * @returns undefined before there is one
 */
export async function publishedCheckpoint(
  { db, config }: Pick<Ctx, 'db' | 'config'>,
  orgId: string,
): Promise<PublishedCheckpoint | undefined> {
  const { asked, quorum } = config.witnesses
  const names = asked.map(({ key }) => cosignerName(key))
  const found =
    quorum === 0 ? await findLatestCheckpoint(db, orgId) : await findCosignedCheckpoint(db, orgId, names, quorum)
  if (found === undefined) return undefined
  return { size: Number(found.size), note: addSignatureLines(found.note, quorum === 0 ? [] : found.cosignatures) }
}

/** What a witness's cosignatures are kept under: its name and the id of its key, so that a new key is another witness. */
export function cosignerName({ name, id }: VerifierKey): string {
  return `${name}+${id.toString('hex')}`
}
