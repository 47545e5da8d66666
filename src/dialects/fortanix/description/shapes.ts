import { Type, type TSchema } from 'typebox'
import { groupPermissions } from '../../../custody/policies.ts'

/** Shapes that several areas of the description have (contract fortanix §1, §4). */

export const id = Type.String({ format: 'uuid' })
export const time = Type.String({ pattern: String.raw`^\d{8}T\d{6}Z$`, description: 'UTC: 20170509T070912Z.' })
export const bytes = Type.String({ description: 'Base64 of either alphabet, padded or not.' })
export const name = Type.String({ minLength: 1, maxLength: 256 })
export const text = Type.String({ maxLength: 4096 })
export const flag = Type.Boolean()
export const maybe = Type.Optional

/** An object of which every member may be left out. */
export const anyOf = (members: Readonly<Record<string, TSchema>>) => Type.Partial(Type.Object(members))

/** Whoever somebody is: a user or an app. */
export const principal = Type.Object(
  { user: maybe(id), app: maybe(id) },
  { minProperties: 1, description: 'Either `user` or `app`.' },
)

const policyMembers = {
  quorum: maybe(
    Type.Object({
      n: Type.Integer({ minimum: 1 }),
      members: Type.Array(Type.Record(Type.String(), Type.Unknown(), { description: 'A policy again.' }), {
        minItems: 1,
        maxItems: 100,
      }),
      require_password: maybe(flag),
      require_2fa: maybe(flag),
    }),
  ),
  user: maybe(id),
  app: maybe(id),
}

/** Of a group: the policy's one member beside the flags. */
export const groupPolicy = Type.Object(
  {
    ...policyMembers,
    protect_permissions: maybe(Type.Array(Type.Enum([...groupPermissions]))),
    protect_manage_operations: maybe(flag),
    protect_crypto_operations: maybe(flag),
  },
  { description: 'One of `quorum`, `user` and `app`, up to 7 quorums deep; `{}` for none.' },
)

export const accountPolicy = Type.Object({
  policy: Type.Object(policyMembers, { description: 'One of the three; `{}` for none.' }),
  manage_groups: maybe(flag),
  protect_authentication_methods: maybe(flag),
  protect_cryptographic_policy: maybe(flag),
  protect_logging_config: maybe(flag),
  protect_custom_role_updates: maybe(flag),
})

/** Which part of a list is asked for. */
export const range = {
  limit: maybe(Type.Integer({ minimum: 0, maximum: 1000 })),
  offset: maybe(Type.Integer({ minimum: 0 })),
}

export const slice = {
  group_id: maybe(id),
  sort: maybe(Type.String({ description: 'By id, downwards where it ends in `desc`.' })),
  start: maybe(Type.String({ format: 'uuid', description: 'The id that the list goes on after.' })),
  ...range,
}

/** The same of a list that may be in the order of names. */
export const namedSlice = {
  ...slice,
  sort: maybe(Type.String({ description: 'By id, or by name where it says so; downwards where it ends in `desc`.' })),
  start: maybe(Type.String({ description: 'The id, or the name in that order, that the list goes on after.' })),
}

/** Other names for the same. */
export const previousIdSlice = { sort_by: slice.sort, previous_id: slice.start, ...range }
export const previousSlice = {
  ...previousIdSlice,
  sort_by: namedSlice.sort,
  previous_sort_value: maybe(
    Type.String({ description: 'The name that the list goes on after, in the order of names.' }),
  ),
}
