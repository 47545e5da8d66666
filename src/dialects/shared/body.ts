import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../../errors.ts'

/** Deeper JSON than this has no use here and costs every later walk over it. */
const maxDepth = 64

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes a form instead of JSON, which the handler is given as URLSearchParams. */
    form?: boolean
  }
}

/** Reads every body as JSON, or as a form where the route says so, whatever its Content-Type; an empty one is no body. */
export function addBodyParser(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (bytes.length === 0) return done(null, undefined)
    // Decoding would put replacement characters where the caller wrote something else.
    if (!isUtf8(bytes as Buffer)) return done(new AppError('MALFORMED_REQUEST', 'The body is not UTF-8.'))
    const text = bytes.toString()
    if (request.routeOptions.config.form === true) {
      const form = new URLSearchParams(text)
      return done(findUnstorable(Object.fromEntries(form)), form)
    }
    void parse(request, text, (error, body) => {
      if (error)
        return done(new AppError('MALFORMED_REQUEST', `The body is not JSON: ${error.message}.`, { cause: error }))
      done(mayHoldTrouble(text) ? findUnstorable(body) : null, body)
    })
  })
}

/** Refuses text that cannot be stored or hashed as it was sent, in path and query, before anything looks at them. */
export function refuseUnstorableText(request: FastifyRequest): void {
  // Only what was written with an escape can decode to such text.
  if (!request.url.includes('%')) return
  const problem = findUnstorable({ path: request.params, query: request.query })
  if (problem !== null) throw problem
}

// JSON can carry NUL and half pairs only as escapes, be deep only with as many brackets, and name a number past the largest
// only with an exponent or hundreds of digits: most bodies need no walk.
function mayHoldTrouble(text: string): boolean {
  return text.includes('\\u') || hugeNumber.test(text) || text.split(/[[{]/, maxDepth + 1).length > maxDepth
}

const hugeNumber = /\d[eE]\+?\d{2}|\d{300}/

// PostgreSQL cannot hold NUL, and RFC 8785 (sections 3.2.2.2 and 3.2.2.3) has no canonical form for a lone surrogate, nor
// for the infinity that a parser makes of 1e400.
function findUnstorable(root: unknown): AppError | null {
  const pending: { value: unknown; path: string; depth: number }[] = [{ value: root, path: '', depth: 0 }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, path, depth } = next
    if (typeof value === 'string' && !isStorable(value)) return unstorable(path)
    if (typeof value === 'number' && !Number.isFinite(value)) return malformed('A number is too large.', path)
    if (typeof value !== 'object' || value === null) continue
    if (depth >= maxDepth) return malformed(`The body is nested deeper than ${maxDepth} levels.`, path)
    for (const [name, member] of Object.entries(value)) {
      const place = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
      if (!isStorable(name)) return unstorable(path)
      pending.push({ value: member, path: place, depth: depth + 1 })
    }
  }
  return null
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function unstorable(field: string): AppError {
  return malformed('Text may not hold a NUL character or half of a surrogate pair.', field)
}

/** What is wrong with the body as a whole names no field. */
function malformed(message: string, field: string): AppError {
  return new AppError('MALFORMED_REQUEST', message, field === '' ? {} : { field })
}
