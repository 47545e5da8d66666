import { basicOf } from '../helpers/privx.ts'
import type { Seen, Shown } from './granted.ts'

export const engine = '/workflow-engine/api/v1'

/** The answer to a call; null when the server died before it came. */
export type Called = { readonly status: number; readonly body: Body } | null
// Whatever JSON says; each reader takes what it looks for.
type Body = Readonly<Record<string, unknown>>

export async function call(url: string, method: string, path: string, token: string, body?: object): Promise<Called> {
  const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) }
  try {
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    return { status: answer.status, body: (await answer.json()) as Body }
  } catch {
    return null
  }
}

/** The same where the server is not killed. @throws Error when it is not answered with success */
export async function done(...args: Parameters<typeof call>): Promise<Body> {
  const answer = await call(...args)
  if (answer === null || answer.status >= 300) throw new Error(`${args[1]} ${args[2]}: ${JSON.stringify(answer)}`)
  return answer.body
}

interface Pair {
  readonly id: string
  readonly secret: string
}

export async function passwordToken(url: string, client: Pair, { id: username, secret }: Pair): Promise<string> {
  const answer = await fetch(`${url}/auth/api/v1/oauth/token`, {
    method: 'POST',
    headers: { authorization: basicOf(client) },
    body: new URLSearchParams({ grant_type: 'password', username, password: secret }),
  })
  const { access_token: token } = (await answer.json()) as { access_token?: string }
  if (token === undefined) throw new Error(`${username} could not sign in: ${answer.status}`)
  return token
}

type Place = Seen['place']

interface RolesCall {
  readonly path: (userId: string) => string
  readonly read: (body: Body) => Shown[]
}

const rolesIn: Readonly<Record<Place, RolesCall>> = {
  roles: {
    path: (userId) => `/role-store/api/v1/users/${userId}/roles`,
    read: ({ items }) => (items as HeldRole[]).map(shownRole),
  },
  resolve: {
    path: (userId) => `/role-store/api/v1/users/${userId}/resolve`,
    read: ({ roles }) => (roles as HeldRole[]).map(shownRole),
  },
  'own grants': {
    path: () => '/v1/grants',
    read: ({ grants }) =>
      (grants as OwnGrant[]).map(({ role, kind, startsAt, endsAt }) => ({
        roleId: role.id,
        kind,
        startsAt: timeOf(startsAt),
        endsAt: timeOf(endsAt),
      })),
  },
}

export const places = Object.keys(rolesIn) as Place[]

/** What a server shows of somebody's roles in one of the places where it does; null when it died before it did. */
export async function look(
  url: string,
  token: string,
  place: Place,
  userId: string,
): Promise<{ readonly seen: Seen; readonly body: Body } | { readonly status: number } | null> {
  const { path, read } = rolesIn[place]
  const from = Date.now()
  const answer = await call(url, 'GET', path(userId), token)
  if (answer === null) return null
  if (answer.status !== 200) return { status: answer.status }
  return { seen: { place, userId, from, to: Date.now(), roles: read(answer.body) }, body: answer.body }
}

export interface HeldRole {
  readonly id: string
  readonly grant_type: string
  readonly grant_start?: string
  readonly grant_end?: string
}

export interface OwnGrant {
  readonly id: string
  readonly role: { readonly id: string }
  readonly kind: string
  readonly startsAt?: string
  readonly endsAt?: string
}

function shownRole({ id, grant_type: kind, grant_start: start, grant_end: end }: HeldRole): Shown {
  return { roleId: id, kind, startsAt: timeOf(start), endsAt: timeOf(end) }
}

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text)
}
