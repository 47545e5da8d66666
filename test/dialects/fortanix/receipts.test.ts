import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signAccessToken } from '../../../src/identity/access-token.ts'
import { verifierKeyText } from '../../../src/proof/note.ts'
import { findActorRow } from '../../../src/store/principals.ts'
import { accountOf } from '../../../src/verify/account.ts'
import { tellAccount } from '../../../src/verify/tell-account.ts'
import type { Trust } from '../../../src/verify/trust.ts'
import { verifyReceipt } from '../../../src/verify/verify-receipt.ts'
import { Authenticator, type Format } from '../../helpers/authenticator.ts'
import {
  assertionOf,
  attestationOf,
  expectStatus,
  password,
  startFortanix,
  type FortanixApp,
  type FortanixUser,
  type FortanixWorld,
} from '../../helpers/fortanix.ts'
import { startSecondVerifier, type SecondVerifier } from '../../helpers/python.ts'
import { logKeyOf, receiptFile, saidBy, statementIn, trusting, voterKeys } from '../../helpers/receipts.ts'
import { pemOf } from '../../helpers/signing.ts'

const requests = '/sys/v1/approval_requests'
const user = (who: FortanixUser) => ({ user: who.id })
const quorum = (n: number, members: readonly object[], more: object = {}) => ({ quorum: { n, members, ...more } })

describe.each(['postgres', 'pglite'] as const)('the receipt of an operation on %s', { timeout: 60_000 }, (engine) => {
  let scene: FortanixWorld
  let second: SecondVerifier
  let account: string
  let ada: FortanixUser
  let ben: FortanixUser
  let cleo: FortanixUser
  let dora: FortanixUser
  let app: FortanixApp
  let count = 0
  const [dorasKey, bensKey] = [new Authenticator(), new Authenticator()]
  const directory = mkdtempSync(join(tmpdir(), 'quorate-custody-receipts-'))

  beforeAll(async () => {
    second = startSecondVerifier()
    scene = await startFortanix({ engine })
    const people: FortanixUser[] = []
    for (const name of ['Ada', 'Ben', 'Cleo', 'Dora']) people.push(await scene.signUp(name))
    ;[ada, ben, cleo, dora] = people as [FortanixUser, FortanixUser, FortanixUser, FortanixUser]
    account = await scene.account(ada, 'Vault')
    for (const one of [ben, cleo, dora]) await scene.join(ada, one, account)
    const free = expectStatus(await ada.post('/sys/v1/groups', { name: 'free' }), 201).group_id
    app = await scene.app(ada, 'signer', { [free]: ['SIGN'] })
    await addKey(dora, dorasKey)
    await addKey(ben, bensKey, 'fido-u2f')
  })
  afterAll(async () => {
    await scene[Symbol.asyncDispose]()
    await second[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  async function addKey(owner: FortanixUser, key: Authenticator, format: Format = 'none') {
    expectStatus(await owner.post('/sys/v1/session/config_2fa/auth', { password }), 200)
    const protocol = format === 'fido-u2f' ? 'u2f' : 'fido2'
    const { body } = await owner.post(`/sys/v1/session/config_2fa/new_challenge?protocol=${protocol}`)
    const attestationResult = attestationOf(scene.world, key, body.challenge, body.rp.id, { format })
    const add_mfa_devices = [{ name: 'blue', attestationResult }]
    expectStatus(await owner.patch(`/sys/v1/users/${owner.id}`, { add_mfa_devices }), 200)
    expectStatus(await owner.post('/sys/v1/session/config_2fa/terminate'), 204)
  }

  /** Asks to sign with a new key, of a group that has this policy. */
  async function asked(policy: object): Promise<string> {
    const name = `number ${++count}`
    const group = expectStatus(await ada.post('/sys/v1/groups', { name, approval_policy: policy }), 201).group_id
    const made = { name, obj_type: 'EC', elliptic_curve: 'NistP256', group_id: group }
    const { kid } = expectStatus(await ada.post('/crypto/v1/keys', made), 201)
    const body = { key: { kid }, hash_alg: 'SHA256', data: Buffer.from('what is signed').toString('base64') }
    const operation = { method: 'POST', operation: '/crypto/v1/sign', body, description: 'for the release' }
    return expectStatus(await ada.post(requests, operation), 201).request_id
  }

  const approved = async (by: { readonly post: FortanixUser['post'] }, id: string, factors?: object) =>
    expectStatus(await by.post(`${requests}/${id}/approve`, factors), 200).status
  const byFido2 = async (id: string) => {
    const { body } = await dora.post(`${requests}/${id}/challenge?protocol=fido2`)
    return { fido2_auth_request: assertionOf(scene.world, dorasKey, body) }
  }
  const byU2f = async (id: string) => {
    const { body } = await ben.post(`${requests}/${id}/challenge?protocol=u2f`)
    const { origin } = new URL(scene.world.ctx.publicUrl)
    const made = bensKey.signU2f({ challenge: body.u2f_challenge, rpId: origin, origin })
    const { keyHandle, signatureData, clientData } = made
    return { u2f: Object.fromEntries(Object.entries({ keyHandle, signatureData, clientData }).map(base64)) }
  }
  const base64 = ([name, bytes]: [string, Buffer]) => [name, bytes.toString('base64')]

  /** The file as somebody of the account gets it. */
  async function fileOf(id: string): Promise<string> {
    const { ctx, clock } = scene.world
    const { requester_id: principalId } = await ctx.db
      .selectFrom('requests')
      .select('requester_id')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    const row = await findActorRow(ctx.db, account, principalId)
    if (row === undefined) throw new Error('who asked is gone')
    const subject = { orgId: account, principalId, kind: row.kind, name: row.name, email: row.email, isAdmin: false }
    const token = await signAccessToken(ctx.keys.token, clock, subject)
    return await receiptFile(scene.world, scene.world.withToken(principalId, token), id)
  }

  /** What both verifiers say; the account where they believe it. */
  async function judged(file: string, more: Partial<Trust> = {}): Promise<{ said: string; told: string }> {
    const key = await logKeyOf(scene.world.ctx, account)
    const trust = trusting([key], more)
    const verdict = verifyReceipt(file, trust)
    const args = ['--key', verifierKeyText(key.name, key.type, key.publicKey)]
    for (const [id, keys] of trust.voterKeys) {
      const pem = join(directory, `${id}.pem`)
      for (const each of keys) writeFileSync(pem, pemOf(each))
      args.push('--voter-key', `${id}=${pem}`)
    }
    for (const id of trust.unsigned) args.push('--unsigned', id)
    if (trust.needsOwnKeys) args.push('--own-keys')
    const said = saidBy(verdict)
    expect((await second.verdictOn(file, args)).ok, said).toBe(verdict.verdict === 'verified')
    return { said, told: verdict.verdict === 'verified' ? tellAccount(accountOf(verdict.verified)) : '' }
  }

  it('tells what was asked for, and who approved it with what, down to their own security keys', async () => {
    const id = await asked(
      quorum(3, [
        quorum(1, [user(dora), user(cleo)], { require_2fa: true, require_password: true }),
        quorum(1, [user(ben)], { require_2fa: true }),
        quorum(1, [{ app: app.id }, user(cleo)]),
      ]),
    )
    expect(await approved(app, id)).toBe('PENDING')
    expect(await approved(ben, id, await byU2f(id))).toBe('PENDING')
    expect(await approved(dora, id, { password, ...(await byFido2(id)) })).toBe('APPROVED')

    const file = await fileOf(id)
    const { votes, request, decision, names } = statementIn(file).predicate
    expect(votes.map(({ kind, assurance, evidence }) => [kind, assurance, evidence?.kind])).toEqual([
      ['agent', [], undefined],
      ['human', ['securityKey'], 'u2f'],
      ['human', ['password', 'securityKey'], 'fido2'],
    ])
    expect(decision).toMatchObject({ status: 'approved', isFinal: true, seq: 3 })
    expect(JSON.parse(request.content ?? '')).toMatchObject({
      dialect: 'fortanix',
      name: 'POST /crypto/v1/sign',
      description: 'for the release',
      metadata: { method: 'POST', operation: '/crypto/v1/sign', body: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    expect(names.principals.map(({ name }) => name).toSorted()).toEqual(['Ada', 'Ben', 'Cleo', 'Dora', 'signer'])

    const [byApp = '', byBen = '', byDora = ''] = votes.map(({ principal }) => principal)
    const unkeyed = await judged(file)
    expect(unkeyed.said).toBe('verified')
    expect(unkeyed.told).toContain("No vote was checked down to its voter's own key: none was given with --voter-key.")
    expect(unkeyed.told).toContain("signed by a security key that is the voter's on the server's word: approve")
    expect(unkeyed.told).toContain('that their password was right, of which nothing is left to check')

    const own = voterKeys({ id: byBen, publicKey: bensKey.publicKey }, { id: byDora, publicKey: dorasKey.publicKey })
    const keyed = await judged(file, { voterKeys: own, unsigned: new Set([byApp]), needsOwnKeys: true })
    expect(keyed.said).toBe('verified')
    expect(keyed.told).toContain(
      "Checked down to the voter's own key: vote 2, 3.\nOn the server's word that it is theirs: vote 1.",
    )
    expect(keyed.told).toContain("signed by the voter's own security key: approve, on this request, digest and rule")

    expect((await judged(file, { needsOwnKeys: true })).said).toMatch(/^voter-key-missing/)
    const swapped = voterKeys(
      { id: byBen, publicKey: dorasKey.publicKey },
      { id: byDora, publicKey: bensKey.publicKey },
    )
    expect((await judged(file, { voterKeys: swapped, unsigned: new Set([byApp]) })).said).toMatch(
      /^bad-voter-signature/,
    )
    expect((await judged(file, { voterKeys: own })).said).toMatch(/^bad-voter-signature/)
  })

  it('tells a password as the word of the server, and that an approval is denied by who gave it', async () => {
    const id = await asked(quorum(2, [user(cleo), user(ben)], { require_password: true }))
    expect(await approved(cleo, id, { password })).toBe('PENDING')
    expect(expectStatus(await cleo.post(`${requests}/${id}/deny`, { reason: 'not today' }), 200).status).toBe('DENIED')
    const file = await fileOf(id)
    expect(statementIn(file).predicate.decision).toMatchObject({ status: 'rejected', isFinal: true })
    const { said, told } = await judged(file)
    expect(said).toBe('verified')
    expect(told).toContain('that their password was right, of which nothing is left to check')
    expect(told).toContain('An approval stands: nobody takes one back. A veto ends the request.')
    expect(told).not.toContain('own key')
  })

  it('tells of a key that nobody asked for, too', async () => {
    const id = await asked(user(dora))
    expect(await approved(dora, id, await byFido2(id))).toBe('APPROVED')
    const file = await fileOf(id)
    expect(statementIn(file).predicate.votes).toMatchObject([
      { assurance: ['securityKey'], evidence: { kind: 'fido2' } },
    ])
    expect((await judged(file)).said).toBe('verified')
  })

  it('is not given out once what a security key signed is gone', async () => {
    const id = await asked(user(dora))
    expect(await approved(dora, id, await byFido2(id))).toBe('APPROVED')
    const { db } = scene.world.ctx
    const { evidence } = await db
      .selectFrom('votes')
      .select('evidence')
      .where('request_id', '=', id)
      .executeTakeFirstOrThrow()
    await db
      .updateTable('votes')
      .set({ evidence: null } as never)
      .where('request_id', '=', id)
      .execute()
    await expect(fileOf(id)).rejects.toThrow('the receipt is 500')
    // It is of the log, and of nobody's making.
    const kept = JSON.stringify({ ...evidence, origin: 'https://evil.example' })
    await db
      .updateTable('votes')
      .set({ evidence: kept } as never)
      .where('request_id', '=', id)
      .execute()
    expect((await judged(await fileOf(id))).said).toMatch(/^leaf-mismatch/)
  })
})
