import type { InjectOptions } from 'fastify'
import { authorize } from './sign-in.ts'
import type { Answer, World } from './world.ts'

export interface KeptCookie {
  readonly value: string
  readonly path: string
  /** As it was set: its attributes, sorted, without name and value. */
  readonly attributes: readonly string[]
}

/** A browser's cookies and what it says of itself; what it may send along is decided by path, as a browser does. */
export interface Browser {
  readonly jar: Map<string, KeptCookie>
  get(url: string, headers?: Record<string, string>): Promise<Answer>
  /** From a page of ours, unless the headers say otherwise. */
  send(
    method: 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  /** Signs in through the provider; gives the answer of the callback. */
  signIn(email: string): Promise<Answer>
  /** Where the provider sends back to, not followed. */
  backFromLogin(email: string): Promise<URL>
}

export const ownPage = { 'sec-fetch-site': 'same-origin' }

export function openBrowser(world: World): Browser {
  const jar = new Map<string, KeptCookie>()
  const call = async (
    method: InjectOptions['method'] & string,
    url: string,
    body: unknown,
    headers: Record<string, string>,
  ) => {
    const { pathname } = new URL(url, world.ctx.publicUrl)
    const sent = [...jar].filter(([, { path }]) => path === '/' || pathname === path || pathname.startsWith(`${path}/`))
    const cookie = sent.map(([name, { value }]) => `${name}=${value}`).join('; ')
    const answer = await world.app.inject({
      method: method as 'GET',
      url,
      headers: { ...(cookie !== '' && { cookie }), ...headers },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })
    const isJson = String(answer.headers['content-type'] ?? '').includes('json')
    const content = isJson ? answer.json() : answer.body
    const result = { status: answer.statusCode, headers: answer.headers, body: content }
    for (const line of cookiesIn(result)) keep(jar, line)
    return result
  }
  const get: Browser['get'] = async (url, headers = {}) => await call('GET', url, undefined, headers)
  const backFromLogin: Browser['backFromLogin'] = async (email) => {
    const { headers } = await get('/auth/web/login')
    return await authorize(world, String(headers['location']), email)
  }
  return {
    jar,
    get,
    send: async (method, url, body, headers = ownPage) => await call(method, url, body, headers),
    backFromLogin,
    async signIn(email) {
      const { pathname, search } = await backFromLogin(email)
      return await get(`${pathname}${search}`)
    },
  }
}

/** The lines of Set-Cookie. */
export function cookiesIn({ headers }: Answer): readonly string[] {
  return [headers['set-cookie'] ?? []].flat() as string[]
}

function keep(jar: Map<string, KeptCookie>, line: string): void {
  const [pair = '', ...attributes] = line.split('; ')
  const [name = '', value = ''] = pair.split('=')
  const path = attributes.find((attribute) => attribute.startsWith('Path='))?.slice(5) ?? '/'
  const isCleared =
    attributes.includes('Max-Age=0') || attributes.some((it) => it.startsWith('Expires=Thu, 01 Jan 1970'))
  if (isCleared) jar.delete(name)
  else jar.set(name, { value, path, attributes: attributes.toSorted() })
}
