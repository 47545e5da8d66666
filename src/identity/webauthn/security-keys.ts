import { canonicalJson } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { deleteSecurityKey, insertSecurityKey, renameSecurityKey } from '../../store/security-keys.ts'
import type { Tx } from '../../store/open.ts'
import { transact } from '../../store/unit-of-work.ts'
import { createHash } from 'node:crypto'
import { tellOrganizations } from '../tell-organizations.ts'
import { verifyAttestation, type Attestation } from './attestation.ts'
import { takeOpenChallenge } from './challenges.ts'
import { refused } from './refused.ts'
import { relyingPartyOf } from './relying-party.ts'

/**
 * Registers a security key with the answer to the challenge that the session has open, which is used up with it. Runs outside
 * of a transaction: a failed try spends the challenge too.
 * @throws AppError SECURITY_KEY_REFUSED, SECURITY_KEY_ALREADY_EXISTS
 */
export async function addSecurityKey(
  ctx: Ctx,
  { personId, sessionId }: { readonly personId: string; readonly sessionId: string },
  { name, attestation }: { readonly name: string; readonly attestation: Attestation },
): Promise<void> {
  const taken = await takeOpenChallenge(ctx, personId, 'register', sessionId)
  if (taken === null) throw refused('challenge is not open, or not any more')
  const key = await verifyAttestation(attestation, { rp: relyingPartyOf(ctx), challenge: taken.challenge })
  const { credentialId, publicKey, counter, format, transports, origin } = key
  const [id, at] = [ctx.newId(), ctx.clock.now()]
  const details = { format, transports, origin }
  await transact(ctx, null, async (tx) => {
    await insertSecurityKey(tx, {
      person_id: personId,
      id,
      kind: 'security-key',
      name,
      hash: null,
      credential_id: credentialId,
      public_key: publicKey,
      counter,
      details: JSON.stringify(details),
      created_at: at,
      changed_at: at,
    })
    const facts = {
      key: id,
      format,
      counter,
      credentialSha256: sha256(credentialId),
      publicKeySha256: sha256(publicKey),
      detailsSha256: sha256(canonicalJson(details)),
    }
    await tellOrganizations(ctx, tx, personId, at, { kind: 'security-key.added', facts, privateText: { name } })
  })
}

/** @throws AppError SECURITY_KEY_NOT_FOUND, SECURITY_KEY_ALREADY_EXISTS */
export async function nameSecurityKey(ctx: Ctx, tx: Tx, personId: string, from: string, to: string): Promise<void> {
  const at = ctx.clock.now()
  const key = await renameSecurityKey(tx, personId, from, { name: to, changed_at: at })
  if (key === undefined) throw new AppError('SECURITY_KEY_NOT_FOUND')
  await tellOrganizations(ctx, tx, personId, at, {
    kind: 'security-key.renamed',
    facts: { key },
    privateText: { name: to },
  })
}

/** @throws AppError SECURITY_KEY_NOT_FOUND */
export async function removeSecurityKey(ctx: Ctx, tx: Tx, personId: string, name: string): Promise<void> {
  const key = await deleteSecurityKey(tx, personId, name)
  if (key === undefined) throw new AppError('SECURITY_KEY_NOT_FOUND')
  await tellOrganizations(ctx, tx, personId, ctx.clock.now(), { kind: 'security-key.removed', facts: { key } })
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
