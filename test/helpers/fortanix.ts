import type { Authenticator, Deviation, Registration } from './authenticator.ts'
import { startWorld, type World, type WorldOptions } from './world.ts'

/** An answer as it came, byte for byte. */
export interface RawAnswer {
  readonly status: number
  readonly type: string | undefined
  readonly text: string
  // Answers are compared with literal expectations, so their type is whatever the test says.
  // oxlint-disable-next-line no-explicit-any
  readonly body: any
}

export interface Sent {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Record<string, string>
  /** As it is sent. */
  readonly payload?: string
}

/** Sends exactly this. */
export async function sendRaw(
  { app }: World,
  { method = 'GET', url, headers = {}, payload }: Sent,
): Promise<RawAnswer> {
  const sent = { method, url, headers: { 'content-type': '', ...headers } }
  if (headers['content-type'] === undefined) delete (sent.headers as Record<string, string>)['content-type']
  const answer = await app.inject(payload === undefined ? sent : { ...sent, payload })
  const type = answer.headers['content-type']
  const isJson = typeof type === 'string' && type.includes('json')
  return { status: answer.statusCode, type, text: answer.body, body: isJson ? answer.json() : null }
}

/** What carries a call to a server. */
export type Carry = (sent: Sent) => Promise<RawAnswer>

/** Over HTTP, to a server in a process of its own. */
export function sendTo(url: string): Carry {
  return async ({ method = 'GET', url: path, headers = {}, payload }) => {
    const answer = await fetch(`${url}${path}`, { method, headers, ...(payload !== undefined && { body: payload }) })
    const [text, type] = [await answer.text(), answer.headers.get('content-type') ?? undefined]
    return { status: answer.status, type, text, body: type?.includes('json') === true ? JSON.parse(text) : null }
  }
}

export const password = 'correct horse battery'

/** Calls with one `Authorization`, in the shapes of the stock clients: without a Content-Type and with a line feed behind the body. */
export interface FortanixCalls {
  get(url: string): Promise<RawAnswer>
  post(url: string, body?: unknown): Promise<RawAnswer>
  patch(url: string, body?: unknown): Promise<RawAnswer>
  put(url: string, body?: unknown): Promise<RawAnswer>
  delete(url: string): Promise<RawAnswer>
}

export function callsWith(world: World, authorization: string | null): FortanixCalls {
  return callsOver((sent) => sendRaw(world, sent), authorization)
}

export function callsOver(carry: Carry, authorization: string | null): FortanixCalls {
  const headers = authorization === null ? {} : { authorization }
  const call = (method: NonNullable<Sent['method']>) => async (url: string, body?: unknown) =>
    await carry({ method, url, headers, ...(body !== undefined && { payload: `${JSON.stringify(body)}\n` }) })
  return { get: call('GET'), post: call('POST'), patch: call('PATCH'), put: call('PUT'), delete: call('DELETE') }
}

/** A user who has signed in. */
export type FortanixUser = FortanixCalls & { readonly id: string; readonly email: string; readonly token: string }
export type FortanixApp = FortanixCalls & { readonly id: string; readonly key: string }

export interface FortanixWorld extends FortanixPeople, AsyncDisposable {
  readonly world: World
}

/** Who calls a server that takes sign-ups from anyone. */
export interface FortanixPeople {
  readonly anyone: FortanixCalls
  /** Signs somebody up, and in. */
  signUp(name: string): Promise<FortanixUser>
  /** Signs in again. */
  signIn(email: string): Promise<FortanixUser>
  /** Makes an account, which its maker has then selected. */
  account(maker: FortanixUser, name: string): Promise<string>
  /** Brings somebody into an account by an invitation, who has then selected it. */
  join(admin: FortanixUser, user: FortanixUser, accountId: string, role?: string): Promise<void>
  /** Makes an app, which calls with its key. */
  app(maker: FortanixUser, name: string, groups: Record<string, readonly string[]>): Promise<FortanixApp>
}

export const basic = (name: string, secret: string): string =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`

export async function startFortanix(options: WorldOptions = {}): Promise<FortanixWorld> {
  const world = await startWorld({ ...options, env: { QUORATE_FORTANIX_OPEN_SIGNUP: '1', ...options.env } })
  return { world, ...peopleOver((sent) => sendRaw(world, sent)), [Symbol.asyncDispose]: () => world.close() }
}

export function peopleOver(carry: Carry): FortanixPeople {
  const callsAs = (authorization: string | null) => callsOver(carry, authorization)
  const anyone = callsAs(null)
  const signIn = async (email: string): Promise<FortanixUser> => {
    const answer = await callsAs(basic(email, password)).post('/sys/v1/session/auth')
    const { access_token: token, entity_id: id } = expectStatus(answer, 200)
    return { ...callsAs(`Bearer ${token}`), id, email, token }
  }
  return {
    anyone,
    signIn,
    async signUp(name) {
      const email = `${name.toLowerCase()}@example.com`
      expectStatus(
        await anyone.post('/sys/v1/users', { user_email: email, user_password: password, first_name: name }),
        201,
      )
      return await signIn(email)
    },
    async account(maker, name) {
      const { acct_id: id } = expectStatus(await maker.post('/sys/v1/accounts', { name }), 201)
      expectStatus(await maker.post('/sys/v1/session/select_account', { acct_id: id }), 200)
      return id
    },
    async join(admin, user, accountId, role = 'ACCOUNTMEMBER') {
      const invitation = { user_email: user.email, account_role: [role, 'STATEENABLED'] }
      expectStatus(await admin.post('/sys/v1/users/invite', invitation), 201)
      expectStatus(await user.post('/sys/v1/users/process_invite', { accepts: [accountId], rejects: null }), 204)
      expectStatus(await user.post('/sys/v1/session/select_account', { acct_id: accountId }), 200)
    },
    async app(maker, name, groups) {
      const { app_id: id } = expectStatus(await maker.post('/sys/v1/apps', { name, add_groups: groups }), 201)
      const { credential } = expectStatus(await maker.get(`/sys/v1/apps/${id}/credential`), 200)
      const key = Buffer.from(`${id}:${credential.secret}`).toString('base64')
      return { ...callsAs(`Basic ${key}`), id, key }
    },
  }
}

/** The body, of an answer that has to have this status. */
export function expectStatus({ status, text, body }: RawAnswer, expected: number): RawAnswer['body'] {
  if (status !== expected) throw new Error(`${status} instead of ${expected}: ${text}`)
  return body
}

/** The `attestationResult` of a key that is asked to register from a page of this server. */
export function attestationOf(
  { ctx }: World,
  key: Authenticator,
  challenge: string,
  rpId: string,
  registration: Registration = {},
): object {
  const made = key.register({ challenge, rpId, origin: new URL(ctx.publicUrl).origin }, registration)
  return {
    id: made.credentialId.toString('base64url'),
    type: made.type,
    response: {
      clientDataJSON: made.clientDataJSON.toString('base64url'),
      attestationObject: made.attestationObject.toString('base64url'),
      getTransports: ['usb'],
    },
  }
}

export interface AssertionBody {
  readonly id: string
  readonly type: string
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle: string | null
  }
  readonly get_client_extension_results: object
}

/** The assertion of a key that is asked for one, as a script sends it. */
export function assertionOf(
  { ctx }: World,
  key: Authenticator,
  { challenge, rpId }: { readonly challenge: string; readonly rpId: string },
  deviation: Deviation = {},
): AssertionBody {
  const made = key.assert({ challenge, rpId, origin: new URL(ctx.publicUrl).origin }, deviation)
  return {
    id: made.credentialId.toString('base64url'),
    type: made.type,
    response: {
      clientDataJSON: made.clientDataJSON.toString('base64url'),
      authenticatorData: made.authenticatorData.toString('base64'),
      signature: made.signature.toString('base64'),
      userHandle: null,
    },
    get_client_extension_results: { appid: null, appidExclude: null },
  }
}
