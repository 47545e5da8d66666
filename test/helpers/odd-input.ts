import Fastify, { type FastifyInstance } from 'fastify'
import { expect } from 'vitest'
import type { Ctx } from '../../src/context.ts'
import type { World } from './world.ts'

/** Whatever is sent to whatever route of a dialect: it is taken or refused, and never a fault of ours. */
export interface OddCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly payload?: string
  readonly headers?: Record<string, string>
}

/** Whether a refusal is in the words of the API. */
export type IsWorded = (answer: { readonly text: string; readonly type: string }) => boolean

const atOnce = 8

/**
 * What came of all these calls that should not have: a fault, or a refusal in no words of this API.
 * @param headers of each call that does not say otherwise
 */
export async function faultsOf(
  { app }: World,
  calls: Generator<OddCall>,
  headers: Record<string, string>,
  isWorded: IsWorded,
): Promise<string[]> {
  const faults: string[] = []
  let count = 0
  const callOn = async () => {
    for (const { headers: own, ...sent } of calls) {
      count++
      const answer = await app.inject({ ...sent, headers: { ...headers, ...own } })
      const { statusCode: status, body: text } = answer
      if (status < 400 || (status < 500 && isWorded({ text, type: String(answer.headers['content-type']) }))) continue
      const { method, url, payload = '' } = sent
      faults.push(`${method} ${url.slice(0, 100)} ${payload.slice(0, 200)}: ${status} ${text.slice(0, 100)}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, callOn))
  expect(count).toBeGreaterThan(0)
  return faults
}

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
/** A megabyte. */
export const long = 'x'.repeat(1024 * 1024)

/** JSON as it is written, in the place of any member. */
export const oddMembers = [
  'null',
  '[]',
  '{}',
  '"x"',
  '-1',
  '0.5',
  '1e400',
  '9007199254740993',
  String.raw`"a\u0000b"`,
  String.raw`"a\ud800b"`,
  String.raw`"%_\\' or 1=1; drop table groups --"`,
  '"0000-01-01T00:00:00+10:00"',
  `"${long.slice(0, 5000)}"`,
]

/** The same in the place of the whole body. */
export const oddBodies = [
  ...oddMembers,
  '[null]',
  '[{}]',
  '""',
  '1',
  'true',
  '{',
  '{"name"',
  String.raw`{"a\u0000": 1}`,
  '{"__proto__": {"a": 1}, "constructor": 1}',
  deep(63),
  deep(1000),
  `"${long}"`,
]

/** Whether everything odd is put everywhere, rather than a part of it that differs from one place to the next. */
export const putsAllOdd = process.env['ALL_ODD_VALUES'] === '1'

/** The body with each of its members in turn, at any depth, written as something odd: every second of these unless `putsAllOdd`. */
export function* mutated(body: unknown, odd: readonly string[]): Generator<string> {
  const mark = '"\u2603"'
  for (const [place, path] of pathsOf(body).entries()) {
    const marked = JSON.stringify(replaced(body, path, '\u2603'))
    const put = odd.filter((_, index) => putsAllOdd || (index + place) % 2 === 0)
    for (const json of put) yield marked.replace(mark, () => json)
  }
}

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [[name], ...pathsOf(member).map((rest) => [name, ...rest])])
}

function replaced(value: unknown, [name = '', ...rest]: readonly string[], by: string): unknown {
  const copy = structuredClone(value) as Record<string, unknown>
  copy[name] = rest.length === 0 ? by : replaced(copy[name], rest, by)
  return copy
}

/** In a query or a path. */
export const oddTexts = [
  '',
  '-1',
  '0.5',
  '1e3',
  '1e400',
  '9007199254740991',
  '9007199254740992',
  '99999999999999999999',
  'NaN',
  'name; drop table groups',
  'name desc, (select 1)',
  '__proto__',
  'constructor',
  'toString',
  '%00',
  '%ED%A0%80',
  '%zz',
  '%25',
  "'",
  long.slice(0, 10_000),
]

/** Every route there is of a dialect, so that a new one is asked too. */
export async function routesOf(
  dialect: (app: FastifyInstance, ctx: Ctx) => Promise<void>,
  ctx: Ctx,
  ...methods: readonly OddCall['method'][]
): Promise<{ method: OddCall['method']; url: string }[]> {
  const found: { method: OddCall['method']; url: string }[] = []
  await using app = Fastify()
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of methods) if ([method].flat().includes(one)) found.push({ method: one, url })
  })
  await dialect(app, ctx)
  return found
}
