import assert from 'node:assert/strict'
import { expectStatus } from '../helpers/fortanix.ts'
import { assertionOf, deliver, startScene, type Scene } from './scene.ts'
import { expectRefusal, hasFlag, unverified, userVerified, type Statement } from './statement.ts'
import { platformKey, u2fKey, usbKey } from './security-key.ts'

/** What is to hold of registering keys and of signing in with them (contract fortanix §2, §5.5). */
export const signInStatements: readonly Statement[] = [
  {
    says: 'a USB key registers without an attestation, and is shown with the origin that it was registered at',
    async holds(scene) {
      const user = await scene.signUp('Ada')
      const { mfa_devices: devices } = expectStatus(await scene.register(user, scene.key()), 200)
      assert.deepEqual(devices, [{ name: 'my key', type: 'Fido2', origin: new URL(scene.own).origin }])
    },
  },
  {
    says: 'a U2F key registers with the attestation of U2F, and is one',
    async holds(scene) {
      const user = await scene.signUp('Ben')
      const { mfa_devices: devices } = expectStatus(await scene.register(user, scene.key(u2fKey), 'u2f'), 200)
      assert.deepEqual(devices, [{ name: 'my key', type: 'U2f', origin: new URL(scene.own).origin }])
    },
  },
  {
    says: 'a key whose make a certificate vouches for is refused, and told why',
    async holds(scene) {
      const user = await scene.signUp('Cleo')
      expectRefusal(await scene.register(user, scene.key(), 'u2f'), 400, /attestation must be signed by the key itself/)
    },
  },
  {
    says: 'a key that is registered already is not registered again: the browser finds it among those excluded',
    async holds(scene) {
      const { user, key } = await scene.keyed('Dana')
      await assert.rejects(scene.register(user, key), /InvalidStateError/)
    },
  },
  ...[usbKey, platformKey, u2fKey].map((kind): Statement => ({
    says: `a pending session becomes whole by a key (${kind.protocol}, ${kind.transport}), and owes nothing more`,
    async holds(scene) {
      const { user, key } = await scene.keyed(`Eli-${kind.protocol}-${kind.transport}`, kind)
      const session = await scene.pending(user)
      expectRefusal(await session.get('/sys/v1/users/accounts'), 403, /owes a second factor/)
      const made = await (await scene.page.at(scene.own)).get(session.options, key)
      assert.equal(hasFlag(made, userVerified), kind.isUserVerified === true, 'whether the user was verified')
      expectStatus(await session.post(deliver, assertionOf(made)), 204)
      expectStatus(await session.get('/sys/v1/users/accounts'), 200)
      expectRefusal(await session.post(deliver, assertionOf(made)), 400, /owes no second factor/)
    },
  })),
  {
    says: "an assertion for one session does not make another whole, of the same person's",
    async holds(scene) {
      const { user, key } = await scene.keyed('Finn')
      const [one, other] = [await scene.pending(user), await scene.pending(user)]
      const made = assertionOf(await (await scene.page.at(scene.own)).get(one.options, key))
      expectRefusal(await other.post(deliver, made), 403, unverified)
      expectRefusal(await other.get('/sys/v1/users/accounts'), 403, /owes a second factor/)
      expectStatus(await one.post(deliver, made), 204)
    },
  },
  {
    says: 'a page of another origin that the browser lets sign for the same id is refused',
    async holds(scene) {
      const { user, key } = await scene.keyed('Gina')
      const session = await scene.pending(user)
      const made = await (await scene.page.at(scene.foreign)).get(session.options, key)
      expectRefusal(await session.post(deliver, assertionOf(made)), 403, unverified)
    },
  },
  {
    says: 'a page of an origin in QUORATE_WEBAUTHN_ORIGINS is taken',
    only: 'localhost',
    async holds(scene) {
      const { user, key } = await scene.keyed('Hana')
      const session = await scene.pending(user)
      const made = await (await scene.page.at(scene.listed)).get(session.options, key)
      expectStatus(await session.post(deliver, assertionOf(made)), 204)
    },
  },
  {
    says: 'the same page is refused within a frame of a page of another origin',
    only: 'localhost',
    async holds(scene) {
      const { user, key } = await scene.keyed('Ivan')
      const session = await scene.pending(user)
      const made = await (await scene.page.at(scene.framing)).getInFrame(session.options, key)
      expectRefusal(await session.post(deliver, assertionOf(made)), 403, /frame of another origin/)
    },
  },
  {
    says: 'the browser itself refuses a page of another id: 127.0.0.1 is not localhost',
    only: 'localhost',
    async holds(scene) {
      const { user, key } = await scene.keyed('Jane')
      const { options } = await scene.pending(user)
      const elsewhere = await scene.page.at(scene.own.replace('localhost', '127.0.0.1'))
      await assert.rejects(elsewhere.get(options, key), /SecurityError/)
    },
  },
  {
    says: 'where no public URL is configured, a page that calls the server localhost registers a key and signs in',
    only: 'localhost',
    async holds({ page }) {
      const unset = { QUORATE_DATA_DIR: 'memory://', QUORATE_PUBLIC_URL: '' }
      await using scene = await startScene('localhost', page, unset)
      const { user, key } = await scene.keyed('Ada')
      await signIn(scene, user, key)
    },
  },
  {
    says: 'a copy of a key whose counter stayed behind is refused, and the key itself is not',
    async holds(scene) {
      const { user, key } = await scene.keyed('Kira')
      const copy = key.copy({})
      await signIn(scene, user, key)
      const session = await scene.pending(user)
      const made = await (await scene.page.at(scene.own)).get(session.options, copy)
      expectRefusal(await session.post(deliver, assertionOf(made)), 403, unverified)
      await signIn(scene, user, key)
    },
  },
  {
    says: 'a U2F key that answers to the application id only is taken',
    only: 'approve.example',
    async holds(scene) {
      const { user, key } = await scene.keyed('Lena', u2fKey)
      const older = key.copy({ rpId: scene.appId })
      const session = await scene.pending(user)
      const made = await (await scene.page.at(scene.own)).get(session.options, older)
      assert.deepEqual(made.clientExtensionResults, { appid: true })
      expectStatus(await session.post(deliver, assertionOf(made)), 204)
    },
  },
]

async function signIn(scene: Scene, user: Parameters<Scene['pending']>[0], key: ReturnType<Scene['key']>) {
  const session = await scene.pending(user)
  const made = await (await scene.page.at(scene.own)).get(session.options, key)
  expectStatus(await session.post(deliver, assertionOf(made)), 204)
}
