import { randomUUID } from 'node:crypto'
import { sentVote, type SentVote } from '../helpers/crowd.ts'

/** One vote as one person makes it, again and again with the same key if need be. */
export interface Attempt {
  readonly token: string
  readonly requestId: string
  readonly tag: string
  readonly key: string
  readonly body: object
  /** Null when the server died before it came. */
  answer: SentVote | null
}

export async function cast(url: string, { token, requestId, tag, key, body }: Attempt): Promise<SentVote> {
  const answer = await fetch(`${url}/workflows/${requestId}/vote`, {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  })
  return sentVote(requestId, tag, { status: answer.status, body: await answer.json() })
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

export async function openRequest(
  url: string,
  token: string,
  policyId: string,
  name = `r-${randomUUID()}`,
): Promise<string> {
  const answer = await fetch(`${url}/workflows`, {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': 'application/json' },
    body: JSON.stringify({ name, workflowTemplateId: policyId }),
  })
  const id = answer.headers.get('location')?.split('/').at(-1)
  if (answer.status !== 201 || id === undefined) throw new Error(`no request: ${answer.status} ${await answer.text()}`)
  return id
}

/** The real sign-in of a script: the embedded provider follows the login hint and redirects at once (design §6). */
export async function signIn(url: string, email: string): Promise<string> {
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await answer.json()) as Record<string, string>
  }
  const { authorizationUrl } = await post('/auth/cli/initiate', { redirectUri: 'http://127.0.0.1:4711/callback' })
  let next = new URL(authorizationUrl as string)
  next.searchParams.append('login_hint', email)
  while (next.href.startsWith(url)) {
    const { status, headers } = await fetch(next, { redirect: 'manual' })
    const location = headers.get('location')
    if (location === null) throw new Error(`the provider answered ${status}`)
    next = new URL(location, next)
  }
  const { code, state } = Object.fromEntries(next.searchParams)
  const { accessToken } = await post('/auth/cli/token', { code: code ?? '', state: state ?? '' })
  if (accessToken === undefined) throw new Error(`${email} could not sign in`)
  return accessToken
}
