import { callsBy, startWorld, type Answer, type Calls, type Client, type World, type WorldOptions } from './world.ts'

export const oauthClient = { id: 'privx-external', secret: 'the-oauth-secret' } as const
export const apiClient = { id: 'c0ffee00-0000-4000-8000-000000000001', secret: 'the-api-secret' } as const

export const auth = '/auth/api/v1'
export const roleStore = '/role-store/api/v1'
export const userStore = '/local-user-store/api/v1'

/** The whole server with the first clients of the privx dialect, and its API client signed in. */
export interface PrivxWorld extends AsyncDisposable {
  readonly world: World
  /** The configured API client: it holds the role privx-admin. */
  readonly admin: Client
  /** Asks the token endpoint. */
  token(form: Record<string, string>, basic?: { id: string; secret: string } | null): Promise<Answer>
  /** Whoever has this token. */
  bearer(id: string, token: string): Client
  /** Makes a local user who may hold roles, and signs them in. */
  user(username: string, roleIds?: readonly string[]): Promise<Client>
  /** Makes a role. */
  role(name: string, permissions?: readonly string[]): Promise<string>
  close(): Promise<void>
}

export const password = 'correct horse'

export async function startPrivx(options: WorldOptions = {}): Promise<PrivxWorld> {
  const env = {
    QUORATE_PRIVX_OAUTH_CLIENT: `${oauthClient.id}:${oauthClient.secret}`,
    QUORATE_PRIVX_API_CLIENT: `${apiClient.id}:${apiClient.secret}`,
    ...options.env,
  }
  const world = await startWorld({ ...options, env })
  const token: PrivxWorld['token'] = async (form, basic = oauthClient) =>
    await formCalls(world).post(`${auth}/oauth/token`, new URLSearchParams(form).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
      ...(basic !== null && { authorization: basicOf(basic) }),
    })
  const signIn = async (username: string, secret: string): Promise<string> => {
    const { status, body } = await token({ grant_type: 'password', username, password: secret })
    if (status !== 200) throw new Error(`${username} cannot sign in: ${JSON.stringify(body)}`)
    return body.access_token
  }
  const bearer = (id: string, text: string) => world.withToken(id, text)
  const admin = bearer(apiClient.id, await signIn(apiClient.id, apiClient.secret))
  const made = ({ status, body }: Answer): string => {
    if (status !== 201) throw new Error(JSON.stringify(body))
    return body.id
  }
  return {
    world,
    admin,
    token,
    bearer,
    async user(username, roleIds = []) {
      const id = made(await admin.post(`${userStore}/users`, { username, password: { password } }))
      if (roleIds.length > 0) {
        await admin.put(
          `${roleStore}/users/${id}/roles`,
          roleIds.map((role) => ({ id: role, explicit: true })),
        )
      }
      return bearer(id, await signIn(username, password))
    },
    async role(name, permissions = []) {
      return made(await admin.post(`${roleStore}/roles`, { name, permissions }))
    },
    close: () => world.close(),
    [Symbol.asyncDispose]: () => world.close(),
  }
}

export function basicOf({ id, secret }: { readonly id: string; readonly secret: string }): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

/** Calls whose bodies are sent as they are. */
function formCalls({ app }: World): Calls {
  return callsBy(async ({ method, ...sent }) => {
    const answer = await app.inject({ method: method as 'GET', ...sent })
    return { status: answer.statusCode, headers: answer.headers, text: answer.body }
  }, {})
}
