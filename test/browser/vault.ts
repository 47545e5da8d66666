import { createPublicKey, verify } from 'node:crypto'
import { expectStatus, password, type FortanixUser, type RawAnswer } from '../helpers/fortanix.ts'
import type { Credential } from './page.ts'
import { assertionOf, type Scene } from './scene.ts'
import { usbKey, type KeyKind, type SecurityKey } from './security-key.ts'

export interface Reviewer {
  readonly user: FortanixUser
  readonly key: SecurityKey
}

/** An account with a key whose every signature its reviewers have to approve, by password and security key. */
export interface Vault {
  readonly reviewers: readonly Reviewer[]
  /** Asks for a signature; gives the id of the request. */
  ask(): Promise<string>
  /** A challenge for the reviewer, answered by their key on a page at this address, the server's own if none is given. */
  assertion(request: string, reviewer: Reviewer, at?: string): Promise<Credential>
  /** The approval with the password, unless it says otherwise, and this answer of a key. */
  approve(request: string, by: Reviewer, made: Credential | null, more?: object): Promise<RawAnswer>
  /** What the request shows. */
  seen(request: string): Promise<{ readonly status: string; readonly approvers: readonly object[] }>
  /** Whether what was asked for is a signature by the key. */
  isSigned(request: string): Promise<boolean>
}

const requests = '/sys/v1/approval_requests'
const data = Buffer.from('what is signed')

/** @param kinds the security keys of the reviewers, each of whom has to approve */
export async function openVault(scene: Scene, name: string, kinds: readonly KeyKind[] = [usbKey]): Promise<Vault> {
  const admin = await scene.signUp(name)
  const account = await scene.account(admin, `Vault of ${name}`)
  const reviewers: Reviewer[] = []
  for (const [at, kind] of kinds.entries()) {
    const reviewer = await scene.keyed(`${name}-${at + 1}`, kind)
    await scene.join(admin, reviewer.user, account)
    reviewers.push(reviewer)
  }
  const members = reviewers.map(({ user }) => ({ user: user.id }))
  const quorum = { n: members.length, members, require_password: true, require_2fa: true }
  const group = await admin.post('/sys/v1/groups', { name: 'release', approval_policy: { quorum } })
  const made = await admin.post('/crypto/v1/keys', {
    name: 'release',
    obj_type: 'EC',
    elliptic_curve: 'NistP256',
    group_id: expectStatus(group, 201).group_id,
  })
  const { kid, pub_key: publicKey } = expectStatus(made, 201)
  const body = { key: { kid }, hash_alg: 'SHA256', data: data.toString('base64') }
  return {
    reviewers,
    ask: async () => expectStatus(await admin.post(requests, { operation: '/crypto/v1/sign', body }), 201).request_id,
    async assertion(request, { user, key }, at = scene.own) {
      const asked = await user.post(`${requests}/${request}/challenge?protocol=fido2`)
      return await (await scene.page.at(at)).get(expectStatus(asked, 200), key)
    },
    approve: async (request, { user }, answer, more = {}) =>
      await user.post(`${requests}/${request}/approve`, {
        password,
        ...(answer !== null && { fido2_auth_request: assertionOf(answer) }),
        ...more,
      }),
    async seen(request) {
      const { status, approvers } = expectStatus(await admin.get(`${requests}/${request}`), 200)
      return { status, approvers }
    },
    async isSigned(request) {
      const { status, body: signed } = expectStatus(await admin.post(`${requests}/${request}/result`), 200)
      const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
      return status === 200 && verify('sha256', data, key, Buffer.from(signed.signature, 'base64'))
    },
  }
}
