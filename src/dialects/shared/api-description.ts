// Brings `summary`, `tags` and their like to route schemas.
import type {} from '@fastify/swagger'
import { Type, type TSchema } from 'typebox'

/** Alternatives, none for nothing; each by the names of `securitySchemes`. */
export type Security = Record<string, string[]>[]

/** A call as its API's description tells of it. Nothing is checked by this: dialects read what is sent to them themselves. */
export interface CallDescription {
  readonly summary: string
  readonly description?: string
  readonly query?: Readonly<Record<string, TSchema>>
  readonly body?: TSchema
  /** It may come without a body. */
  readonly bodyIsOptional?: true
  /** The media type of the body where it is not JSON. */
  readonly consumes?: string
  /** What it needs of the caller where that is not as everywhere. */
  readonly security?: Security
  /** By status. Whatever else is answered is a refusal. */
  readonly answers: Readonly<Record<number, TSchema>>
}

/** Calls of one area, by method and path from the root, with `:name` for a parameter: `GET /sys/v1/groups/:id`. */
export type CallDescriptions = Readonly<Record<string, CallDescription>>

/** What the description of an API says of each refusal. */
export interface RefusalDescription {
  readonly mediaType: string
  readonly schema: TSchema
}

/** The description of all calls of a dialect. */
export interface ApiDescription {
  readonly title: string
  readonly description: string
  readonly securitySchemes: Readonly<Record<string, { type: 'http'; scheme: string; description?: string }>>
  /** What a call needs unless it says otherwise. */
  readonly security: Security
  readonly refusal: RefusalDescription
  /** By area, which is the tag of its calls. */
  readonly areas: Readonly<Record<string, CallDescriptions>>
}

export const noBody = Type.Null({ description: 'No body.' })
const parameter = Type.String()
/** Marks operations until `markOptionalBodies` has seen them. */
const optionalBody = 'x-optional-body'

interface Operation {
  readonly requestBody?: { required?: boolean }
  [optionalBody]?: true
}

/** Says of each body that may be left out that it may be: descriptions that are made of routes ask for every one. */
export function markOptionalBodies(paths: Readonly<Record<string, object | undefined>>): void {
  for (const methods of Object.values(paths)) {
    for (const operation of Object.values(methods ?? {}) as Operation[]) {
      if (operation[optionalBody] === true && operation.requestBody !== undefined)
        operation.requestBody.required = false
      delete operation[optionalBody]
    }
  }
}

/** Gives the schema of a route for readers, by its method and path; one that is not described has none but its path. */
export function schemasOf({ areas, refusal }: ApiDescription): (method: string, path: string) => object {
  const { mediaType, schema } = refusal
  const refused = { description: 'What was refused and why.', content: { [mediaType]: { schema } } }
  const refusals = { '4xx': refused, '5xx': refused }
  const calls = new Map(
    Object.entries(areas).flatMap(([tag, described]) =>
      Object.entries(described).map(([call, { query, answers, consumes, bodyIsOptional, ...rest }]) => [
        call,
        {
          ...rest,
          tags: [tag],
          ...(query !== undefined && { querystring: Type.Object(query) }),
          ...(bodyIsOptional === true && { [optionalBody]: true }),
          ...(consumes !== undefined && { consumes: [consumes] }),
          response: { ...answers, ...refusals },
        },
      ]),
    ),
  )
  return (method, path) => {
    const names = path.split('/').flatMap((part) => (part.startsWith(':') ? [part.slice(1)] : []))
    const params = names.length > 0 && {
      params: Type.Object(Object.fromEntries(names.map((name) => [name, parameter]))),
    }
    return { ...calls.get(`${method} ${path}`), ...params }
  }
}
