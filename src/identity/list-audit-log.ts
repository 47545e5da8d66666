import type { Ctx } from '../context.ts'
import { listLog, type LogFilter, type LogPlace, type LogRow } from '../store/audit-log.ts'
import type { PrincipalKind } from '../store/schema.ts'
import type { Actor } from './actor.ts'
import { authorize } from './authorize.ts'

export type { LoggedKind, LoggedType, LogFilter, LogPlace } from '../store/audit-log.ts'

/** A leaf as the log tells it. */
export interface LogEntry extends LogPlace {
  readonly kind: LogRow['kind']
  readonly subjectId: string
  readonly actor: { readonly kind: PrincipalKind; readonly id: string }
  readonly facts: Readonly<Record<string, unknown>>
  /** Names and free text; what had to be erased is missing. */
  readonly texts: ReadonlyMap<string, string>
}

export interface LogQuery {
  readonly filter: LogFilter
  /** Where the page before ended; null for the first. */
  readonly place: LogPlace | null
  readonly limit: number
}

export interface LogPage {
  readonly entries: readonly LogEntry[]
  /** Where the next page begins; null after the last. */
  readonly next: LogPlace | null
}

/** What is older is kept but not read here (contract §5). */
const readableMilliseconds = 7 * 86_400_000

/**
 * What was done in the organization, newest first.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function listAuditLog(ctx: Ctx, actor: Actor, query: LogQuery): Promise<LogPage> {
  authorize(actor, 'audit:read', { type: 'organization' })
  return await readLog(ctx, actor.orgId, query)
}

/** What the caller did, newest first: everyone may see their own. */
export async function listOwnAuditLog(ctx: Ctx, actor: Actor, query: LogQuery): Promise<LogPage> {
  const actors = [{ kind: actor.kind, id: actor.principalId }]
  return await readLog(ctx, actor.orgId, { ...query, filter: { ...query.filter, actors } })
}

async function readLog(ctx: Ctx, orgId: string, { filter, place, limit }: LogQuery): Promise<LogPage> {
  const since = new Date(ctx.clock.now().getTime() - readableMilliseconds)
  // One more than asked for tells whether there are more.
  const rows = await listLog(ctx.db, orgId, filter, { since, place, limit: limit + 1 })
  const entries = rows.slice(0, limit).map(entryOf)
  return { entries, next: rows.length > limit ? (entries.at(-1) ?? null) : null }
}

function entryOf({ id, kind, subject_id, content, private: privateText, created_at }: LogRow): LogEntry {
  const { actor, facts } = JSON.parse(content) as Pick<LogEntry, 'actor' | 'facts'>
  const texts = Object.entries(privateText ?? {}).map(([name, kept]) => [name, kept?.text ?? ''] as const)
  return { id, kind, subjectId: subject_id, actor, at: created_at, facts, texts: new Map(texts) }
}
