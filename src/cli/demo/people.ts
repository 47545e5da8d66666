import { call, DemoError, get, request, serverUrl, type Caller } from './http.ts'
import { say } from './say.ts'

/** Someone of the demo, signed in. */
export interface Person extends Caller {
  readonly accessToken: string
  readonly email: string
  /** Ids of their groups, by name. */
  readonly groups: ReadonlyMap<string, string>
}

// The members of the API's answers that the demo reads (contract §1).
interface AuthInfo {
  readonly groups: readonly { readonly groupId: string; readonly groupName: string }[]
}
interface Tokens {
  readonly accessToken: string
}

/** Nothing listens here: the demo reads code and state from the redirect instead of following it. */
const redirectUri = 'http://127.0.0.1:4711/callback'

/** Signs in as the demo server lets scripts do it: login_hint names the person, and the answer is a redirect at once. */
export async function signIn(name: string): Promise<Person> {
  const email = `${name}@example.com`
  const started = await call<{ authorizationUrl: string }>(null, 'POST', '/auth/cli/initiate', { redirectUri })
  const callback = await followToCallback(`${started.authorizationUrl}&login_hint=${encodeURIComponent(email)}`)
  const { code, state } = Object.fromEntries(callback.searchParams)
  const { accessToken } = await call<Tokens>(null, 'POST', '/auth/cli/token', { code, state })
  const display = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
  const caller = { name: display, authorization: () => ({ authorization: `Bearer ${accessToken}` }) }
  const info = await get<AuthInfo>(caller, '/auth/info')
  const groups = new Map(info.groups.map(({ groupName, groupId }) => [groupName, groupId]))
  say(`${display} (${email}), ${groups.size === 0 ? 'in no group' : `of ${[...groups.keys()].join(', ')}`}.`)
  return { ...caller, accessToken, email, groups }
}

async function followToCallback(authorizationUrl: string): Promise<URL> {
  let next = new URL(authorizationUrl)
  for (let hop = 0; hop < 10 && !next.href.startsWith(redirectUri); hop++) {
    const answer = await request(next.href, { redirect: 'manual' })
    const location = answer.headers.get('location')
    if (location === null) {
      throw new DemoError(
        'The identity provider did not sign in without asking. The demo needs the development sign-in of a server that was started without OIDC_ISSUER.',
      )
    }
    next = new URL(location, next)
  }
  return next
}

/**
 * Signs a person in again for one vote on one workflow (contract §6.4): what comes of it votes in their name once, within
 * two minutes.
 */
export async function stepUp(person: Person, workflowId: string): Promise<Person> {
  const started = await request(
    `${serverUrl}/auth/cli/initiatePrivilegedTokenExchange?redirectUri=${encodeURIComponent(redirectUri)}`,
    { headers: person.authorization('GET', serverUrl), redirect: 'manual' },
  )
  const location = started.headers.get('location')
  if (location === null)
    throw new DemoError(`The step-up of ${person.name} answered ${started.status} and no redirect.`)
  const callback = await followToCallback(`${location}&login_hint=${encodeURIComponent(person.email)}`)
  const { code, state } = Object.fromEntries(callback.searchParams)
  const exchange = { code, state, operation: 'vote', resourceId: workflowId }
  const { accessToken } = await call<Tokens>(person, 'POST', '/auth/cli/exchangePrivilegedToken', exchange)
  return { ...person, accessToken, authorization: () => ({ authorization: `Bearer ${accessToken}` }) }
}

/** Casts a person's approving vote; gives the status of the workflow after it. */
export async function approve(person: Person, group: string, workflowId: string): Promise<string> {
  const groupId = person.groups.get(group)
  if (groupId === undefined) throw new DemoError(`${person.name} is not in the group ${group}.`)
  const vote = { voteType: { type: 'APPROVE', votedForGroups: [groupId] }, reason: `Looks good to ${group}.` }
  const path = `/workflows/${workflowId}/vote`
  return (await call<{ workflowStatus: string }>(person, 'POST', path, vote)).workflowStatus
}

/** Names of groups by their ids. */
export function namesOf(...people: readonly Person[]): ReadonlyMap<string, string> {
  return new Map(people.flatMap(({ groups }) => [...groups].map(([name, id]): [string, string] => [id, name])))
}
