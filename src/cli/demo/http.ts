/** Where the server listens. */
export const serverUrl = (process.env['QUORATE_URL'] || 'http://127.0.0.1:8080').replace(/\/+$/, '')

/** What went wrong, in words for whoever runs the demo. */
export class DemoError extends Error {}

/** Who sends a call: the headers that prove it, made anew for each. */
export interface Caller {
  readonly name: string
  authorization(method: string, url: string): Record<string, string>
}

export async function get<T>(caller: Caller, path: string): Promise<T> {
  return await call<T>(caller, 'GET', path)
}

/** @throws DemoError when the server refuses */
export async function call<T>(caller: Caller | null, method: string, path: string, body?: object): Promise<T> {
  const answer = await send(caller, method, path, body)
  if (answer.status >= 400) {
    const { code = '', message = '' } = (answer.body ?? {}) as { code?: string; message?: string }
    const who = caller === null ? '' : ` as ${caller.name}`
    throw new DemoError(`${method} ${path}${who} answered ${answer.status} ${code}: ${message}`)
  }
  return answer.body as T
}

export async function send(
  caller: Caller | null,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const url = `${serverUrl}${path}`
  const headers = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...caller?.authorization(method, url),
  }
  const answer = await request(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') === true
  return { status: answer.status, body: isJson ? JSON.parse(text) : null }
}

/** @throws DemoError when nobody answers */
export async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) })
  } catch (cause) {
    const { code } = ((cause as Error).cause ?? {}) as { code?: string }
    const { origin } = new URL(url)
    throw new DemoError(
      `No answer from ${origin} (${code ?? (cause as Error).message}). Start the server with "npm start", or say where it is with QUORATE_URL.`,
    )
  }
}
