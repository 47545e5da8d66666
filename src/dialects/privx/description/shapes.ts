import { Type, type TSchema } from 'typebox'

/** Shapes that several services of the description have (contract privx §1, §3, §4). */

export const id = Type.String({ format: 'uuid' })
export const time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' })
export const text = Type.String({ maxLength: 4096 })
export const flag = Type.Boolean()
export const count = Type.Integer({ minimum: 0 })
export const maybe = Type.Optional
export const orNull = (schema: TSchema) => Type.Union([schema, Type.Null()])

/** Of an object that is referred to: its name is the last one of what is gone. */
export const roleHandle = Type.Object({ id, name: Type.String(), deleted: maybe(flag) })
export const userHandle = Type.Object({ id, display_name: Type.String(), deleted: maybe(flag) })
/** How one is named in a body. */
export const named = Type.Object({ id })

export const listOf = (item: TSchema) =>
  Type.Object({ count: Type.Integer({ minimum: 0, description: 'Before paging.' }), items: Type.Array(item) })
export const done = Type.Object({}, { description: 'An empty object.' })
export const made = Type.Object({ id }, { description: 'The header Location is where it is.' })

export const grantType = Type.Enum(['PERMANENT', 'TIME_RESTRICTED', 'FLOATING'])
export const terms = {
  grant_type: maybe(grantType),
  grant_start: maybe(time),
  grant_end: maybe(time),
  floating_length: maybe(Type.Integer({ minimum: 0, description: 'Hours from the first use.' })),
}

/** Which part of a list is asked for, and in which order. */
export const slice = (sortKeys: readonly string[], maximum: number) => ({
  offset: maybe(Type.Integer({ minimum: 0, default: 0 })),
  limit: maybe(Type.Integer({ minimum: 0, maximum, default: 50 })),
  sortkey: maybe(Type.Enum([...sortKeys])),
  sortdir: maybe(Type.Enum(['ASC', 'DESC'])),
})
export const byName = slice(['id', 'name', 'created'], 1000)

/** What every service says of itself. */
export const statusCall = {
  summary: 'What the service says of itself',
  security: [],
  answers: {
    200: Type.Object({
      variant: Type.String(),
      version: Type.String(),
      api_version: Type.String(),
      status: Type.String(),
      status_message: Type.String(),
      start_time: time,
    }),
  },
}
