import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreEnv } from '../crash/store.ts'
import { certificate, certificateKey } from '../helpers/certificate.ts'
import {
  basic,
  callsOver,
  expectStatus,
  password,
  peopleOver,
  sendTo,
  type FortanixCalls,
  type FortanixPeople,
  type FortanixUser,
  type RawAnswer,
} from '../helpers/fortanix.ts'
import { freePort } from '../helpers/free-port.ts'
import { startServer } from '../helpers/server-process.ts'
import { framed, type Credential, type Options, type Page } from './page.ts'
import { SecurityKey, usbKey, type KeyKind } from './security-key.ts'

/** Where the server is reached: on the developer's machine by http, or elsewhere by https. */
export type Place = 'localhost' | 'approve.example'

/** Where the second factor of a sign-in is delivered. */
export const deliver = '/sys/v1/session/auth/2fa/fido2'

/** A session that owes a second factor, and what it is to sign. */
export interface PendingSession extends FortanixCalls {
  readonly options: Options
}

export interface Scene extends FortanixPeople, AsyncDisposable {
  readonly place: Place
  readonly page: Page
  /** A page of the server. */
  readonly own: string
  /** A page of an origin that the server was told of, one that it was not, and one of that with a frame of the first. */
  readonly listed: string
  readonly foreign: string
  readonly framing: string
  readonly appId: string
  /** What the server logged of faults of its own, one a line. */
  faults(): readonly string[]
  key(kind?: KeyKind): SecurityKey
  /** Has a page of the server register a key. */
  register(user: FortanixUser, key: SecurityKey, protocol?: 'fido2' | 'u2f'): Promise<RawAnswer>
  /** Somebody with a key that is registered. */
  keyed(name: string, kind?: KeyKind): Promise<{ readonly user: FortanixUser; readonly key: SecurityKey }>
  /** Signs in by the password alone. */
  pending(user: FortanixUser): Promise<PendingSession>
}

/**
 * A server of its own, from `src/main.ts`, and pages of other origins.
 * @param env where its store is, and what it is told otherwise than here
 */
export async function startScene(place: Place, page: Page, env: StoreEnv): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-browser-'))
  const [port, tlsPort] = [await freePort(), await freePort()]
  const isHere = place === 'localhost'
  const origin = isHere ? `http://localhost:${port}` : `https://${place}:${tlsPort}`
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
  writeFileSync(files.cert, certificate)
  writeFileSync(files.key, certificateKey)
  const listed = await servePages(framed)
  const foreign = await servePages(`<iframe src="${listed.origin}" allow="publickey-credentials-get *"></iframe>`)
  const server = await startServer({
    PORT: String(port),
    QUORATE_PUBLIC_URL: origin,
    QUORATE_FORTANIX_OPEN_SIGNUP: '1',
    ...(isHere
      ? { QUORATE_WEBAUTHN_ORIGINS: listed.origin }
      : { TLS_CERT: files.cert, TLS_KEY: files.key, TLS_PORT: String(tlsPort) }),
    ...env,
  })
  const carry = sendTo(server.url)
  const people = peopleOver(carry)
  const own = `${origin}/health`
  const register: Scene['register'] = async (user, key, protocol = 'fido2') => {
    expectStatus(await user.post('/sys/v1/session/config_2fa/auth', { password }), 200)
    const asked = await user.post(`/sys/v1/session/config_2fa/new_challenge?protocol=${protocol}`)
    const made = await (await page.at(own)).create(expectStatus(asked, 200), key)
    const device = { name: 'my key', attestationResult: attestationResult(made) }
    const answer = await user.patch(`/sys/v1/users/${user.id}`, { add_mfa_devices: [device] })
    // While it is unlocked no challenge of an approval is opened.
    expectStatus(await user.post('/sys/v1/session/config_2fa/terminate'), 204)
    return answer
  }
  return {
    ...people,
    place,
    page,
    own,
    listed: listed.origin,
    foreign: isHere ? foreign.origin : own.replace('://', '://other.'),
    framing: foreign.origin,
    appId: origin,
    faults: () =>
      server
        .printed()
        .split('\n')
        .filter((line) => line.startsWith('{')),
    key: (kind = usbKey) => new SecurityKey(kind, place),
    register,
    async keyed(name, kind = usbKey) {
      const [user, key] = [await people.signUp(name), new SecurityKey(kind, place)]
      expectStatus(await register(user, key, kind.protocol === 'u2f' ? 'u2f' : 'fido2'), 200)
      return { user, key }
    },
    async pending({ email }) {
      const answer = await callsOver(carry, basic(email, password)).post('/sys/v1/session/auth')
      const { access_token: token, fido2_assertion_options: options } = expectStatus(answer, 200)
      return { ...callsOver(carry, `Bearer ${token}`), options }
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      for (const pages of [listed, foreign]) pages.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** As a script sends what a page was given (contract fortanix §5.3). */
export function assertionOf({ id, type, response, clientExtensionResults }: Credential): Options {
  return { id, type, response, get_client_extension_results: clientExtensionResults }
}

function attestationResult({ id, type, response }: Credential): Options {
  const { clientDataJSON, attestationObject, transports } = response
  return { id, type, response: { clientDataJSON, attestationObject, getTransports: transports } }
}

async function servePages(html: string): Promise<{ readonly origin: string; close(): void }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(html)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
