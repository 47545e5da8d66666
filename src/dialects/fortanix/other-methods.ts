import type { FastifyInstance } from 'fastify'

/** Which paths there are, so that one that is called with another method can be told from one that is none. */
export function pathsOf(app: FastifyInstance): (url: string) => boolean {
  const patterns: RegExp[] = []
  app.addHook('onRoute', ({ url }) => void patterns.push(patternOf(url)))
  return (url) => {
    const path = url.split('?', 1)[0] ?? ''
    return patterns.some((pattern) => pattern.test(path))
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part))
  return new RegExp(`^${parts.join('/')}$`)
}
