import { Type } from 'typebox'
import { noBody, type CallDescriptions } from '../../shared/api-description.ts'
import { attestation } from './factors.ts'
import { anyOf, flag, id, maybe, name, slice, text, time } from './shapes.ts'

const roleWords = ['ACCOUNTADMINISTRATOR', 'ACCOUNTMEMBER', 'ACCOUNTAUDITOR']
const flags = Type.Array(Type.Enum([...roleWords, 'STATEENABLED', 'PENDINGINVITE']))
const groups = Type.Record(Type.String(), Type.Array(Type.Literal('GROUPADMINISTRATOR')), {
  description: 'By the id of a group.',
})
const devices = Type.Array(Type.Object({ name, type: Type.Enum(['Fido2', 'U2f']), origin: Type.String() }))
const names = { first_name: maybe(text), last_name: maybe(text) }
const email = Type.String({ maxLength: 512 })
const password = Type.String({ minLength: 1, maxLength: 1024 })

const user = Type.Object({
  user_id: id,
  user_email: maybe(Type.String()),
  ...names,
  account_role: flags,
  created_at: time,
  email_verified: flag,
  has_password: flag,
  groups,
  explicit_groups: groups,
  mfa_devices: devices,
  u2f_devices: devices,
})

const changes = anyOf({
  ...names,
  account_role: flags,
  enable: flag,
  add_groups: groups,
  mod_groups: groups,
  del_groups: groups,
  add_mfa_devices: Type.Array(Type.Object({ name, attestationResult: attestation }), { maxItems: 1 }),
  rename_mfa_devices: Type.Array(Type.Object({ old_name: name, new_name: name })),
  del_mfa_devices: Type.Array(Type.Object({ name })),
})

export const userCalls: CallDescriptions = {
  'POST /sys/v1/users': {
    summary: 'Sign up, where that is open to anyone',
    security: [],
    body: Type.Object({ user_email: email, user_password: password, ...names }),
    answers: { 201: user },
  },
  'GET /sys/v1/users': { summary: 'Users of the account', query: slice, answers: { 200: Type.Array(user) } },
  'POST /sys/v1/users/invite': {
    summary: 'Invite somebody into the account, with a first password where they are new',
    body: Type.Object({ user_email: email, account_role: flags, user_password: maybe(password), ...names }),
    answers: { 201: user },
  },
  'POST /sys/v1/users/process_invite': {
    summary: 'Accept and reject invitations into accounts',
    body: anyOf({ accepts: Type.Array(id), rejects: Type.Array(id) }),
    bodyIsOptional: true,
    answers: { 204: noBody },
  },
  'GET /sys/v1/users/accounts': {
    summary: 'What the caller is in each account',
    answers: { 200: Type.Record(Type.String(), flags, { description: 'By the id of an account.' }) },
  },
  'POST /sys/v1/users/generate_recovery_codes': {
    summary: 'Make recovery codes, in place of those there were',
    answers: { 200: Type.Object({ recovery_codes: Type.Array(Type.String()) }) },
  },
  'GET /sys/v1/users/:id': { summary: 'One user', answers: { 200: user } },
  'PATCH /sys/v1/users/:id': {
    summary: "Change a user's names, role, groups or security keys",
    description: 'What is left out stays.',
    body: changes,
    bodyIsOptional: true,
    answers: { 200: user },
  },
}
