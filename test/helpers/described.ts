import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { expect } from 'vitest'
import type { ApiDescription, CallDescription } from '../../src/dialects/shared/api-description.ts'

/** Compares what calls are sent and answer with the description of their API, and keeps which were. */
export class DescribedCalls {
  readonly #calls: readonly (readonly [name: string, pattern: RegExp, described: CallDescription])[]
  readonly #seen = new Set<string>()

  constructor({ areas }: ApiDescription) {
    this.#calls = Object.values(areas)
      .flatMap((calls) => Object.entries(calls))
      .map(([name, described]) => [name, new RegExp(`^${name.replaceAll(/:\w+/g, '[^/]+')}$`), described])
  }

  /** Calls that have a success and of which none was compared. */
  get unseen(): string[] {
    return this.#calls.flatMap(([name, , { answers }]) =>
      this.#seen.has(name) || Object.keys(answers).length === 0 ? [] : [name],
    )
  }

  /** Expects that a call that succeeded was sent and answered as described, with no member more or less. */
  compare(
    method: string,
    url: string,
    sent: unknown,
    answer: { readonly status: number; readonly body: unknown },
  ): void {
    const [path = '', query = ''] = url.split('?', 2)
    const call = `${method} ${path}`
    // Paths without a parameter come first: `/users/invite` is no user.
    const found = this.#calls
      .filter(([, pattern]) => pattern.test(call))
      .toSorted(([a], [b]) => colons(a) - colons(b))[0]
    if (found === undefined) throw new Error(`${call} is not described`)
    const [name, , { answers, body, bodyIsOptional, query: asked = {} }] = found
    const answered = answers[answer.status]
    if (answered === undefined) throw new Error(`${call} is not described to answer ${answer.status}`)
    expectShape(`${name} answers`, answered, answer.body)
    if (sent !== undefined) expectShape(`${name} takes`, body ?? neverSent, sent)
    else if (body !== undefined && bodyIsOptional !== true) throw new Error(`${name} is described with a body`)
    expect(Object.keys(asked)).toEqual(expect.arrayContaining([...new URLSearchParams(query).keys()]))
    this.#seen.add(name)
  }
}

const neverSent: TSchema = { not: {} }
const colons = (name: string): number => name.split(':').length

function expectShape(what: string, schema: TSchema, value: unknown): void {
  const [error] = Value.Errors(schema, value)
  expect(error, what).toBeUndefined()
  expect(Value.Clean(schema, structuredClone(value)), what).toEqual(value)
}
