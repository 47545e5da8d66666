import { Type } from 'typebox'
import { noBody, type CallDescriptions } from '../../shared/api-description.ts'
import { assertion, creationOptions, requestOptions, u2fRequest } from './factors.ts'
import { id, maybe } from './shapes.ts'

const session = Type.Object({
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds, from the last refresh.' }),
  access_token: Type.String(),
  entity_id: id,
  challenge: maybe(u2fRequest),
  fido2_assertion_options: maybe(requestOptions),
  allowed_mfa_methods: maybe(Type.Array(Type.Record(Type.String(), Type.Unknown()))),
})

const nothing = Type.Object({}, { description: 'An empty object.' })
const password = Type.Object({ password: Type.String() })
const protocol = { protocol: maybe(Type.Enum(['fido2', 'u2f'], { default: 'u2f' })) }

export const sessionCalls: CallDescriptions = {
  'POST /sys/v1/session/auth': {
    summary: 'Sign in as a user or an app, by a header Basic or by a body',
    description:
      'The last three members are there while a second factor is owed; the session is good for nothing else until then.',
    security: [{ basic: [] }, {}],
    body: Type.Object({
      method: Type.Enum(['password', 'auth-by-app-name']),
      password: Type.String(),
      email: maybe(Type.String()),
      acct_id: maybe(id),
      name: maybe(Type.String()),
      token_type: maybe(Type.Literal('Bearer')),
    }),
    bodyIsOptional: true,
    answers: { 200: session },
  },
  'POST /sys/v1/session/select_account': {
    summary: 'Choose the account that the session works in',
    body: Type.Object({ acct_id: id }),
    answers: { 200: nothing },
  },
  'POST /sys/v1/session/refresh': { summary: 'Extend the session', answers: { 204: noBody } },
  'POST /sys/v1/session/reauth': { summary: 'Begin another session as the same app', answers: { 200: session } },
  'POST /sys/v1/session/terminate': { summary: 'End the session', answers: { 204: noBody } },
  'POST /sys/v1/session/auth/2fa/recovery_code': {
    summary: 'Deliver a recovery code for the second factor, which is spent by that',
    body: Type.Object({ recovery_code: Type.String() }),
    answers: { 204: noBody },
  },
  'POST /sys/v1/session/auth/2fa/fido2': {
    summary: 'Deliver the second factor that the session owes',
    body: assertion,
    answers: { 204: noBody },
  },
  'POST /sys/v1/session/auth/2fa/u2f': { summary: 'Not offered: always refused with 400', answers: {} },
  'POST /sys/v1/session/config_2fa/auth': {
    summary: 'Unlock the configuration of security keys for ten minutes',
    body: password,
    answers: { 200: nothing },
  },
  'POST /sys/v1/session/config_2fa/new_challenge': {
    summary: 'Ask for what a new security key is to sign',
    query: protocol,
    answers: { 200: creationOptions },
  },
  'POST /sys/v1/session/config_2fa/terminate': {
    summary: 'Lock the configuration of security keys',
    answers: { 204: noBody },
  },
}
