import type { Browser } from './browser.ts'
import { authorize, clientRedirect } from './sign-in.ts'
import type { Answer, Calls, Client, World } from './world.ts'

export interface Proof {
  readonly code: string
  readonly state: string
}

/** Starts a step-up from the command line; gives where the person has to go. */
export async function initiated(client: Client, redirectUri = clientRedirect): Promise<URL> {
  const query = new URLSearchParams({ redirectUri }).toString()
  const { status, headers } = await client.get(`/auth/cli/initiatePrivilegedTokenExchange?${query}`)
  if (status !== 302) throw new Error(`initiate answered ${status}`)
  return new URL(String(headers['location']))
}

/** A step-up of the client, with the sign-in of `email` repeated at the development provider. */
export async function stepUpProof(world: World, client: Client, email: string): Promise<Proof> {
  return proofIn(await authorize(world, (await initiated(client)).href, email))
}

export function proofIn({ searchParams }: URL): Proof {
  return { code: searchParams.get('code') ?? '', state: searchParams.get('state') ?? '' }
}

export const exchange = async (client: Calls, body?: unknown): Promise<Answer> =>
  await client.post('/auth/cli/exchangePrivilegedToken', body)

/** The client with a step-up token of its own. */
export async function steppedUpWith(world: World, client: Client, email: string, members: object): Promise<Client> {
  const { status, body } = await exchange(client, { ...(await stepUpProof(world, client, email)), ...members })
  if (status !== 200) throw new Error(`the exchange answered ${status} ${body.code}`)
  return world.withToken(client.id, body.accessToken)
}

/** The same in a browser, which keeps the token as a cookie. */
export async function stepUpInBrowser(world: World, browser: Browser, email: string, members: object): Promise<Answer> {
  const { body } = await browser.send('POST', '/auth/web/initiatePrivilegedTokenExchange')
  const back = await authorize(world, body.authorizationUrl, email)
  return await browser.send('POST', '/auth/web/exchangePrivilegedToken', { ...proofIn(back), ...members })
}
