import { AppError } from '../errors.ts'
import {
  addSignatureLines,
  ed25519Type,
  signatureLine,
  keyIdOf,
  parseSignatureLine,
  verifierKeyOf,
  verifierKeyText,
} from '../proof/note.ts'
import { findCheckpoint, findLatestCheckpoint, findOrigin, type StoredCheckpoint } from '../store/log-reads.ts'
import { askWitnesses, type Asking } from './ask-witnesses.ts'
import { readLogKeys, signersOf, type LogKey } from './log-key.ts'
import { originOf, type Sealing } from './seal.ts'

/** A signed head of an organization's log. */
export interface SignedHead {
  /** Leaves. */
  readonly size: number
  readonly root: Uint8Array
  /** The checkpoint with the signatures of the log and of its witnesses (C2SP tlog-checkpoint, signed-note). */
  readonly note: string
}

/**
 * The newest head that may be shown: where witnesses are asked, one that enough of them have cosigned.
 * @throws AppError LOG_CHECKPOINT_NOT_FOUND before there is one
 */
export async function latestHead(ctx: Sealing, orgId: string): Promise<SignedHead> {
  return await signedHead(ctx, await findPublished(ctx, orgId))
}

async function findPublished(ctx: Sealing, orgId: string): Promise<StoredCheckpoint | undefined> {
  const { asked, quorum } = ctx.config.witnesses
  const names = asked.map(({ key }) => keyIdOf(key))
  return await findLatestCheckpoint(ctx.db, orgId, names, quorum)
}

/**
 * A head of a tree that holds the leaf `index`, which is sealed: one that enough witnesses have cosigned, where any are asked. They are asked
 * now if none has been; should they not answer, in ten seconds at most, it is the newest of the log's own.
 * @throws AppError LOG_CHECKPOINT_NOT_FOUND
 */
export async function headCovering(ctx: Asking & Sealing, orgId: string, index: number): Promise<SignedHead> {
  const covering = async () => {
    const stored = await findPublished(ctx, orgId)
    return stored !== undefined && Number(stored.size) > index ? stored : undefined
  }
  let stored = await covering()
  if (stored === undefined && ctx.config.witnesses.quorum > 0) {
    await askWitnesses(ctx, orgId)
    stored = await covering()
  }
  return await signedHead(ctx, stored ?? (await findLatestCheckpoint(ctx.db, orgId)))
}

/** That of a tree of exactly so many leaves; null when none was signed, or too few of the witnesses that are asked have cosigned it. */
export async function headOfSize(ctx: Sealing, orgId: string, size: number): Promise<SignedHead | null> {
  const stored = await findCheckpoint(ctx.db, orgId, size)
  return stored === undefined || !isPublished(ctx, stored) ? null : await signedHead(ctx, stored)
}

function isPublished({ config }: Sealing, { cosignatures }: StoredCheckpoint): boolean {
  const { asked, quorum } = config.witnesses
  const names = new Set(cosignatures.map((line) => parseSignatureLine(line).name))
  return asked.filter(({ key }) => names.has(key.name)).length >= quorum
}

/** How those who verify know the log: C2SP signed-note, "Verifier keys". */
export interface PublishedKey {
  readonly verifierKey: string
  readonly from: Date
  readonly until: Date | null
}

/** All keys that have signed the organization's log, newest first. */
export async function publishedKeys(ctx: Sealing, orgId: string): Promise<PublishedKey[]> {
  const origin = (await findOrigin(ctx.db, orgId)) ?? originOf(ctx, orgId)
  return (await readLogKeys(ctx)).map((key) => ({ ...key, verifierKey: verifierKeyOfLog(origin, key) }))
}

/** The vkey of a log: its name is the origin of the log. */
export function verifierKeyOfLog(origin: string, { privateKey }: LogKey): string {
  const { name, type, publicKey } = verifierKeyOf(origin, ed25519Type, privateKey)
  return verifierKeyText(name, type, publicKey)
}

async function signedHead(ctx: Sealing, stored: StoredCheckpoint | undefined): Promise<SignedHead> {
  if (stored === undefined) throw new AppError('LOG_CHECKPOINT_NOT_FOUND')
  const { size, root, cosignatures } = stored
  const note = await signedByNewest(ctx, stored)
  return { size: Number(size), root, note: addSignatureLines(note, cosignatures) }
}

/** A log that does not grow is shown under a key that was made after its last checkpoint too: it says the same. */
async function signedByNewest(ctx: Sealing, { note, created_at }: StoredCheckpoint): Promise<string> {
  const keys = await readLogKeys(ctx)
  const later = keys.filter(({ from }) => from >= created_at)
  const body = note.slice(0, note.lastIndexOf('\n\n') + 1)
  const origin = body.slice(0, body.indexOf('\n'))
  const lines = signersOf(later, origin, ctx.clock.now()).map((signer) => signatureLine(signer, body))
  return addSignatureLines(note, lines)
}
