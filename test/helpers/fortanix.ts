import type { World } from './world.ts'

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
