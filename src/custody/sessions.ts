import { randomBytes } from 'node:crypto'
import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { hashOfClientSecret } from '../identity/credentials/client-secret.ts'
import { countPersonAttempt, isPersonPassword } from '../identity/credentials/person-password.ts'
import type { Assertion } from '../identity/webauthn/assertion.ts'
import { verifySignInAssertion } from '../identity/webauthn/sign-in.ts'
import { findMember } from '../store/fortanix-members.ts'
import { updateCustodySession, type CustodySessionChange } from '../store/fortanix-sessions.ts'
import { replaceRecoveryCodes, spendRecoveryCode } from '../store/recovery-codes.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { requireMember, requirePerson } from './account-rights.ts'
import { leafActorOf, peopleLog, personActor, type CustodyCaller, type CustodySession } from './caller.ts'
import { expiryOf } from './sign-in.ts'

/** How long security keys may be registered once the password was given again. */
const devicesMilliseconds = 600_000

/**
 * Says in which account the session acts from now on.
 * @throws AppError ACCOUNT_NOT_FOUND for one that is none of the person's, REQUESTOR_NOT_AUTHORIZED while the invitation is
 *   not accepted, MEMBER_DISABLED
 */
export async function selectAccount(ctx: Ctx, caller: CustodyCaller, orgId: string): Promise<void> {
  const personId = requirePerson(caller)
  await transact(ctx, null, async (tx) => {
    const member = await findMember(tx, orgId, personId)
    if (member === undefined) throw new AppError('ACCOUNT_NOT_FOUND')
    const principalId = member.principal_id
    if (principalId === null) {
      throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'The invitation to this account has not been accepted.')
    }
    await requireMember(tx, { ...caller, orgId, principalId })
    const { id } = await changeSession(tx, caller, { org_id: orgId, principal_id: principalId })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'account.selected',
      subjectId: principalId,
      actor: leafActorOf({ kind: 'human', principalId }),
      at: ctx.clock.now(),
      facts: { person: personId, session: id },
    })
  })
}

/** @throws AppError SESSION_ENDED, MALFORMED_REQUEST for an app that calls with its key */
export async function refreshSession(ctx: Ctx, caller: CustodyCaller): Promise<void> {
  const change = { expires_at: expiryOf(ctx.clock.now()) }
  await transact(ctx, null, async (tx) => void (await changeSession(tx, caller, change)))
}

/** @throws AppError SESSION_ENDED, MALFORMED_REQUEST for an app that calls with its key */
export async function endSession(ctx: Ctx, caller: CustodyCaller): Promise<void> {
  const at = ctx.clock.now()
  await transact(ctx, null, async (tx) => {
    const { id } = await changeSession(tx, caller, { ended_at: at })
    const { personId, orgId, principalId } = caller
    if (personId !== null) {
      await appendLeaf(ctx, tx, {
        orgId: peopleLog,
        kind: 'person.signed-out',
        subjectId: personId,
        actor: personActor(personId),
        at,
        facts: { session: id },
      })
    } else if (orgId !== null && principalId !== null) {
      await appendLeaf(ctx, tx, {
        orgId,
        kind: 'sessions.ended',
        subjectId: principalId,
        actor: leafActorOf({ kind: 'agent', principalId }),
        at,
        facts: { session: id, ended: 1, because: 'signed-out' },
      })
    }
  })
}

/** @throws AppError SECOND_FACTOR_NOT_PENDING, SECOND_FACTOR_WRONG for a code that is unknown or spent */
export async function completeByRecoveryCode(ctx: Ctx, caller: CustodyCaller, code: string): Promise<void> {
  const { personId } = requirePending(caller)
  await transact(ctx, null, async (tx) => {
    const codeSha256 = hashOfClientSecret(code)
    const isSpent = await spendRecoveryCode(tx, personId, codeSha256)
    if (!isSpent) throw new AppError('SECOND_FACTOR_WRONG', 'The recovery code is unknown or was used already.')
    await completeFactor(ctx, tx, caller, { factor: 'recovery-code', codeSha256 })
  })
}

/** @throws AppError SECOND_FACTOR_NOT_PENDING, FACTOR_WRONG: the challenge is used up by that too */
export async function completeByAssertion(ctx: Ctx, caller: CustodyCaller, assertion: Assertion): Promise<void> {
  const { personId, session } = requirePending(caller)
  const refusal = await transact(ctx, null, async (tx) => {
    const refused = await verifySignInAssertion(ctx, tx, personId, session.id, assertion)
    if (refused === null) await completeFactor(ctx, tx, caller, { factor: 'security-key' })
    return refused
  })
  if (refusal !== null) throw refusal
}

function requirePending(caller: CustodyCaller): { readonly personId: string; readonly session: CustodySession } {
  const [personId, { session }] = [requirePerson(caller), caller]
  if (session?.isPending !== true) throw new AppError('SECOND_FACTOR_NOT_PENDING')
  return { personId, session }
}

/** Makes a session whole that owed a second factor. */
async function completeFactor(
  ctx: Ctx,
  tx: Tx,
  caller: CustodyCaller,
  proved: { readonly factor: 'security-key' } | { readonly factor: 'recovery-code'; readonly codeSha256: string },
): Promise<void> {
  const personId = requirePerson(caller)
  const { id } = await changeSession(tx, caller, { is_pending: false })
  await appendLeaf(ctx, tx, {
    orgId: peopleLog,
    kind: 'person.proved-factor',
    subjectId: personId,
    actor: personActor(personId),
    at: ctx.clock.now(),
    facts: { session: id, ...proved },
  })
}

const codes = 10

/** Makes ten new codes in the place of those before; they are shown this once. */
export async function makeRecoveryCodes(ctx: Ctx, caller: CustodyCaller): Promise<readonly string[]> {
  const personId = requirePerson(caller)
  // 128 bits each: nobody tries them all, not even by their hashes, which the log has.
  const made = Array.from({ length: codes }, () => randomBytes(16).toString('hex'))
  const codesSha256 = made.map(hashOfClientSecret)
  const at = ctx.clock.now()
  await transact(ctx, null, async (tx) => {
    await replaceRecoveryCodes(tx, personId, codesSha256, at)
    await appendLeaf(ctx, tx, {
      orgId: peopleLog,
      kind: 'person.recovery-codes-made',
      subjectId: personId,
      actor: personActor(personId),
      at,
      facts: { codesSha256 },
    })
  })
  return made
}

/** Lets the session register security keys for ten minutes. @throws AppError PASSWORD_WRONG, TOO_MANY_REQUESTS */
export async function unlockDevices(ctx: Ctx, caller: CustodyCaller, password: string): Promise<void> {
  const personId = requirePerson(caller)
  const takeBack = await countPersonAttempt(ctx, personId)
  if (!(await isPersonPassword(ctx.db, personId, password))) throw new AppError('PASSWORD_WRONG')
  await takeBack()
  await setDevicesUntil(ctx, caller, new Date(ctx.clock.now().getTime() + devicesMilliseconds))
}

export async function lockDevices(ctx: Ctx, caller: CustodyCaller): Promise<void> {
  requirePerson(caller)
  await setDevicesUntil(ctx, caller, null)
}

async function setDevicesUntil(ctx: Ctx, caller: CustodyCaller, until: Date | null): Promise<void> {
  await transact(ctx, null, async (tx) => void (await changeSession(tx, caller, { devices_until: until })))
}

/** Whether the session may register security keys and take them away. @throws AppError DEVICES_LOCKED */
export function requireUnlockedDevices({ clock }: Pick<Ctx, 'clock'>, { session }: CustodyCaller): CustodySession {
  if (session === null || session.devicesUntil === null || session.devicesUntil <= clock.now()) {
    throw new AppError('DEVICES_LOCKED')
  }
  return session
}

/** @throws AppError DEVICES_UNLOCKED while the session may change security keys (contract fortanix §5.1) */
export function requireLockedDevices({ clock }: Pick<Ctx, 'clock'>, { session }: CustodyCaller): void {
  const until = session?.devicesUntil ?? null
  if (until !== null && until > clock.now()) throw new AppError('DEVICES_UNLOCKED')
}

async function changeSession(
  tx: Tx,
  { session }: CustodyCaller,
  change: CustodySessionChange,
): Promise<CustodySession> {
  if (session === null) throw new AppError('MALFORMED_REQUEST', 'This call is made without a session.')
  if (!(await updateCustodySession(tx, session.id, change))) throw new AppError('SESSION_ENDED')
  return session
}
