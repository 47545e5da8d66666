import type { FastifyInstance, HTTPMethods } from 'fastify'
import { answerWrongMethod } from './error-answer.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Lets `add` make its routes, and answers their paths with 405 under every other method. */
export function refuseOtherMethods(app: FastifyInstance, add: () => void): void {
  const taken = new Map<string, Set<HTTPMethods>>()
  let isDone = false
  app.addHook('onRoute', ({ path, prefix, method }) => {
    if (isDone) return
    const url = path.slice(prefix.length)
    const known = taken.get(url) ?? new Set()
    for (const name of [method].flat()) known.add(name as HTTPMethods)
    taken.set(url, known)
  })
  add()
  isDone = true
  for (const [url, known] of taken) {
    const method = methods.filter((name) => !known.has(name))
    if (method.length > 0) app.route({ method, url, config: { public: true, reads: true }, handler: answerWrongMethod })
  }
}
