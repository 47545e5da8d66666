import { appendLeaf } from '../audit/append.ts'
import { secretHmac } from '../audit/leaf-hmac.ts'
import { canonicalJson } from '../audit/leaf.ts'
import { seal, unseal } from '../config/secrets.ts'
import type { Ctx } from '../context.ts'
import { leafActorOf } from '../identity/actor.ts'
import type { Db } from '../store/open.ts'
import { findSettingsRow, writeSettings } from '../store/privx-settings.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Member } from './member.ts'

/** A mail server as the settings name it. */
export interface MailSettings {
  readonly server: string
  readonly port: number
  readonly isEnabled: boolean
  readonly username: string
  /** How the connection is secured, in the words of whoever set it. */
  readonly protocol: string
  /** Whether any certificate will do. */
  readonly insecureVerify: boolean
  readonly sender: string
  readonly retryAttempts: number
  readonly provider: string
  readonly authenticationMode: string
  readonly tokenEndpoint: string
  readonly tokenScope: string
}

export interface EngineSettings extends MailSettings {
  readonly backendAddress: string
  /** Approvers that a step of a workflow may have. */
  readonly maxApprovers: number
}

/** Settings as they are sent: the password is given and never read back. */
export interface WrittenSettings extends EngineSettings {
  /** Null keeps the password of the same server and user name. */
  readonly password: string | null
}

export const defaultSettings: EngineSettings = {
  server: '',
  port: 0,
  isEnabled: false,
  username: '',
  protocol: '',
  insecureVerify: false,
  sender: '',
  retryAttempts: 0,
  provider: '',
  authenticationMode: '',
  tokenEndpoint: '',
  tokenScope: '',
  backendAddress: '',
  maxApprovers: 10,
}

/** The settings of an organization; the defaults while nobody has set any. */
export async function findSettings(db: Db, orgId: string): Promise<EngineSettings> {
  const row = await findSettingsRow(db, orgId)
  return { ...defaultSettings, ...row?.settings }
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED */
export async function readSettings(ctx: Ctx, member: Member): Promise<EngineSettings> {
  member.access.require('workflows-manage')
  return await findSettings(ctx.db, member.orgId)
}

/**
 * Replaces the settings.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function changeSettings(ctx: Ctx, member: Member, written: WrittenSettings): Promise<void> {
  member.access.require('workflows-manage')
  const { orgId } = member
  await transact(ctx, member.once, async (tx) => {
    const at = ctx.clock.now()
    const password = await passwordFor(ctx, tx, orgId, written)
    const { password: _, ...settings } = written
    await writeSettings(tx, {
      org_id: orgId,
      id: orgId,
      settings: JSON.stringify(settings),
      sealed_password: password === '' ? null : seal(ctx.keys.atRest, Buffer.from(password)),
      updated_by: member.principalId,
      updated_at: at,
    })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'access-settings.changed',
      subjectId: orgId,
      actor: leafActorOf(member),
      at,
      facts: {
        maxApprovers: settings.maxApprovers,
        mailEnabled: settings.isEnabled,
        ...(password !== '' && { passwordHmac: secretHmac(ctx.keys.atRest.held, password) }),
      },
      privateText: { settings: canonicalJson(settings) },
    })
  })
}

/**
 * The password that these settings mean, empty for none. One that is kept goes to nobody but whom it was given for: settings
 * that name another server or user name start without.
 */
export async function passwordFor(
  ctx: Pick<Ctx, 'keys'>,
  db: Db,
  orgId: string,
  { password, server, username }: WrittenSettings,
): Promise<string> {
  if (password !== null) return password
  const row = await findSettingsRow(db, orgId)
  if (row === undefined || row.sealed_password === null) return ''
  const kept = row.settings as EngineSettings
  const isSame = kept.server === server && kept.username === username
  return isSame ? unseal(ctx.keys.atRest, row.sealed_password).toString() : ''
}
