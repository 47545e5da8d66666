import type { KeyObject } from 'node:crypto'
import { readLogKeys } from '../../src/audit/log-key.ts'
import type { Ctx } from '../../src/context.ts'
import { ed25519Type, verifierKeyOf, type VerifierKey } from '../../src/proof/note.ts'
import type { Statement } from '../../src/proof/statement.ts'
import { findOrigin } from '../../src/store/log-reads.ts'
import type { Trust } from '../../src/verify/trust.ts'
import { verifyReceipt, type Verdict } from '../../src/verify/verify-receipt.ts'
import { orgId } from './quorum.ts'
import type { Client, World } from './world.ts'

/** Trust in these keys of a log, and in nothing else unless told. */
export function trusting(keys: readonly VerifierKey[], more: Partial<Trust> = {}): Trust {
  return {
    keys,
    witnessKeys: [],
    voterKeys: new Map(),
    unsigned: new Set(),
    needsOwnKeys: false,
    policy: null,
    ...more,
  }
}

/** Keys of voters as `--voter-key` gives them. */
export function voterKeys(...voters: readonly { readonly id: string; readonly publicKey: KeyObject }[]) {
  return new Map(voters.map(({ id, publicKey }) => [id, [publicKey]]))
}

/** The newest key of the log of an organization: the first one unless told. */
export async function logKeyOf(ctx: Ctx, of: string = orgId): Promise<VerifierKey> {
  const [newest] = await readLogKeys(ctx)
  const origin = await findOrigin(ctx.db, of)
  if (newest === undefined || origin === undefined) throw new Error('nothing was sealed')
  return verifierKeyOf(origin, ed25519Type, newest.privateKey)
}

/** The file of a request of any dialect, to the byte. */
export async function receiptFile(world: World, client: Client, requestId: string): Promise<string> {
  const headers = { authorization: `Bearer ${client.token}` }
  const answer = await world.app.inject({ method: 'GET', url: `/v1/requests/${requestId}/receipt`, headers })
  if (answer.statusCode !== 200) throw new Error(`the receipt is ${answer.statusCode} ${answer.body}`)
  return answer.body
}

/** What is signed in a receipt. */
export function statementIn(file: string): Statement {
  const { payload } = JSON.parse(file) as { payload: string }
  return JSON.parse(Buffer.from(payload, 'base64').toString()) as Statement
}

/** `verified`, or the code of the failure with its sentence. */
export function saidBy(verdict: Verdict): string {
  if (verdict.verdict === 'verified') return 'verified'
  return verdict.failures.map(({ code, detail }) => `${code}: ${detail}`).join('; ')
}

export function verdictOn(file: string, trust: Trust): string {
  return saidBy(verifyReceipt(file, trust))
}
