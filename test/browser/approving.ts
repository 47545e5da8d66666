import assert from 'node:assert/strict'
import { expectStatus } from '../helpers/fortanix.ts'
import { assertionOf, deliver } from './scene.ts'
import { platformKey, u2fKey, usbKey } from './security-key.ts'
import { expectRefusal, hasFlag, unverified, userVerified, type Statement } from './statement.ts'
import { openVault, type Reviewer, type Vault } from './vault.ts'

const untouched = { status: 'PENDING', approvers: [] }

/** What is to hold of approvals with a password and a key (contract fortanix §3.4, §5, §8). */
export const approvalStatements: readonly Statement[] = [
  {
    says: 'people approve with their passwords and keys of every kind, and what was asked for is done',
    async holds(scene) {
      const vault = await openVault(scene, 'Maya', [usbKey, platformKey, u2fKey])
      const request = await vault.ask()
      for (const [at, reviewer] of vault.reviewers.entries()) {
        const made = await vault.assertion(request, reviewer)
        assert.equal(hasFlag(made, userVerified), reviewer.key.kind.isUserVerified === true, 'the user was verified')
        const { status, approvers } = expectStatus(await vault.approve(request, reviewer, made), 200)
        assert.equal(status, at === 2 ? 'APPROVED' : 'PENDING')
        assert.deepEqual(approvers.at(-1), { user: reviewer.user.id })
      }
      assert.equal(await vault.isSigned(request), true, 'what was asked for is signed')
    },
  },
  {
    says: 'an approval without one of the two, or with a wrong password, is refused and not recorded',
    async holds(scene) {
      const { vault, reviewer, request } = await opened(scene, 'Nils')
      expectRefusal(await vault.approve(request, reviewer, null), 400, /needs the security key/)
      const refusals = [
        [{ password: null }, 400, /needs the password/],
        [{ password: 'a wrong one' }, 403, /password is wrong/],
      ] as const
      for (const [more, status, text] of refusals) {
        const made = await vault.assertion(request, reviewer)
        expectRefusal(await vault.approve(request, reviewer, made, more), status, text)
        assert.deepEqual(await vault.seen(request), untouched)
      }
      const made = await vault.assertion(request, reviewer)
      assert.equal(expectStatus(await vault.approve(request, reviewer, made), 200).status, 'APPROVED')
    },
  },
  {
    says: 'an assertion is good for one try, though that failed by the password',
    async holds(scene) {
      const { vault, reviewer, request } = await opened(scene, 'Olga')
      const made = await vault.assertion(request, reviewer)
      expectRefusal(await vault.approve(request, reviewer, made, { password: 'a wrong one' }), 403, /password/)
      expectRefusal(await vault.approve(request, reviewer, made), 403, /challenge is not open/)
      assert.deepEqual(await vault.seen(request), untouched)
    },
  },
  {
    says: 'an assertion that counted is refused when it is sent again',
    async holds(scene) {
      const vault = await openVault(scene, 'Pia', [usbKey, usbKey])
      const [reviewer] = vault.reviewers as [Reviewer]
      const request = await vault.ask()
      const made = await vault.assertion(request, reviewer)
      expectStatus(await vault.approve(request, reviewer, made), 200)
      expectRefusal(await vault.approve(request, reviewer, made), 400, /votes once/)
      assert.deepEqual((await vault.seen(request)).approvers, [{ user: reviewer.user.id }])
    },
  },
  {
    says: 'an assertion that is sent ten times at once counts once',
    async holds(scene) {
      const { vault, reviewer, request } = await opened(scene, 'Quin')
      const made = await vault.assertion(request, reviewer)
      const sent = Array.from({ length: 10 }, () => vault.approve(request, reviewer, made))
      const statuses = (await Promise.all(sent)).map(({ status }) => status)
      assert.equal(statuses.filter((status) => status === 200).length, 1, `answers: ${statuses.join(' ')}`)
      assert.deepEqual(
        statuses.filter((status) => ![200, 400, 403].includes(status)),
        [],
      )
      assert.deepEqual(await vault.seen(request), { status: 'APPROVED', approvers: [{ user: reviewer.user.id }] })
      assert.equal(await vault.isSigned(request), true, 'what was asked for is signed')
    },
  },
  {
    says: 'an assertion for one request is refused for another, and good for its own',
    async holds(scene) {
      const { vault, reviewer, request } = await opened(scene, 'Rosa')
      const other = await vault.ask()
      await vault.assertion(other, reviewer)
      const made = await vault.assertion(request, reviewer)
      expectRefusal(await vault.approve(other, reviewer, made), 403, unverified)
      assert.deepEqual(await vault.seen(other), untouched)
      assert.equal(expectStatus(await vault.approve(request, reviewer, made), 200).status, 'APPROVED')
    },
  },
  {
    says: 'an assertion to a challenge that a newer one has voided is refused',
    async holds(scene) {
      const { vault, reviewer, request } = await opened(scene, 'Sven')
      const older = await vault.assertion(request, reviewer)
      await vault.assertion(request, reviewer)
      expectRefusal(await vault.approve(request, reviewer, older), 403, unverified)
      assert.deepEqual(await vault.seen(request), untouched)
    },
  },
  {
    says: 'a sign-in does not approve, and an approval does not sign in',
    async holds(scene) {
      const { vault, reviewer, request } = await opened(scene, 'Tara')
      const { user, key } = reviewer
      const session = await scene.pending(user)
      const signedIn = await (await scene.page.at(scene.own)).get(session.options, key)
      const approving = await vault.assertion(request, reviewer)
      expectRefusal(await vault.approve(request, reviewer, signedIn), 403, unverified)
      expectRefusal(await session.post(deliver, assertionOf(approving)), 403, unverified)
      assert.deepEqual(await vault.seen(request), untouched)
      expectRefusal(await session.get('/sys/v1/users/accounts'), 403, /owes a second factor/)
    },
  },
  {
    says: 'the key of another reviewer is refused',
    async holds(scene) {
      const vault = await openVault(scene, 'Uma', [usbKey, usbKey])
      const [reviewer, other] = vault.reviewers as [Reviewer, Reviewer]
      const request = await vault.ask()
      const asked = await reviewer.user.post(`/sys/v1/approval_requests/${request}/challenge?protocol=fido2`)
      const id = Buffer.from(other.key.kept?.credentialId ?? '', 'base64').toString('base64url')
      const options = { ...expectStatus(asked, 200), allowCredentials: [{ type: 'public-key', id }] }
      const made = await (await scene.page.at(scene.own)).get(options, other.key)
      expectRefusal(await vault.approve(request, reviewer, made), 403, /none that the challenge was for/)
      assert.deepEqual(await vault.seen(request), untouched)
    },
  },
  {
    says: 'a page of another origin does not approve',
    async holds(scene) {
      const { vault, reviewer, request } = await opened(scene, 'Vera')
      const made = await vault.assertion(request, reviewer, scene.foreign)
      expectRefusal(await vault.approve(request, reviewer, made), 403, unverified)
      assert.deepEqual(await vault.seen(request), untouched)
    },
  },
  {
    says: 'a copy of a key whose counter stayed behind does not approve',
    async holds(scene) {
      const { vault, reviewer, request } = await opened(scene, 'Wim')
      const copied = { ...reviewer, key: reviewer.key.copy({}) }
      const earlier = await vault.ask()
      expectStatus(await vault.approve(earlier, reviewer, await vault.assertion(earlier, reviewer)), 200)
      expectRefusal(await vault.approve(request, reviewer, await vault.assertion(request, copied)), 403, unverified)
      assert.deepEqual(await vault.seen(request), untouched)
    },
  },
  {
    says: 'a U2F key that answers to the application id only approves',
    only: 'approve.example',
    async holds(scene) {
      const vault = await openVault(scene, 'Xena', [u2fKey])
      const [{ user, key }] = vault.reviewers as [Reviewer]
      const request = await vault.ask()
      const made = await vault.assertion(request, { user, key: key.copy({ rpId: scene.appId }) })
      assert.deepEqual(made.clientExtensionResults, { appid: true })
      assert.equal(expectStatus(await vault.approve(request, { user, key }, made), 200).status, 'APPROVED')
      assert.equal(await vault.isSigned(request), true, 'what was asked for is signed')
    },
  },
]

/** A request that one reviewer, with a USB key, has to approve. */
async function opened(
  scene: Parameters<typeof openVault>[0],
  name: string,
): Promise<{ readonly vault: Vault; readonly reviewer: Reviewer; readonly request: string }> {
  const vault = await openVault(scene, name)
  const [reviewer] = vault.reviewers as [Reviewer]
  return { vault, reviewer, request: await vault.ask() }
}
