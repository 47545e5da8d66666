import { Type } from 'typebox'
import { noBody, type CallDescriptions } from '../../shared/api-description.ts'
import { assertion, requestOptions, u2fAnswer, u2fRequest } from './factors.ts'
import { anyOf, flag, id, maybe, principal, range, text, time } from './shapes.ts'

/** Contract fortanix §3. */

const statuses = Type.Enum(['PENDING', 'APPROVED', 'DENIED', 'FAILED'])
const method = Type.Enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
const anything = Type.Unknown({ description: 'As it was sent.' })

const request = Type.Object({
  request_id: id,
  acct_id: id,
  requester: principal,
  method,
  operation: Type.String(),
  body: maybe(anything),
  description: maybe(text),
  created_at: time,
  expiry: time,
  status: statuses,
  approvers: Type.Array(principal),
  reviewers: Type.Array(Type.Object({ user: maybe(id), app: maybe(id), requires_password: flag, requires_2fa: flag })),
  denier: maybe(principal),
  denial_reason: maybe(Type.String()),
  subjects: Type.Array(
    Type.Object({ account: maybe(id), group: maybe(id), app: maybe(id), sobject: maybe(id) }, { minProperties: 1 }),
  ),
  result_viewed: flag,
})

export const approvalRequestCalls: CallDescriptions = {
  'GET /sys/v1/approval_requests': {
    summary: 'Approval requests, newest first',
    query: { requester: maybe(id), reviewer: maybe(id), subject: maybe(id), status: maybe(statuses), ...range },
    answers: { 200: Type.Array(request) },
  },
  'POST /sys/v1/approval_requests': {
    summary: 'Ask for approval of an operation, which is done once it is approved',
    body: Type.Object({
      operation: Type.String({ maxLength: 1024, description: 'The path of the call: `/crypto/v1/sign`.' }),
      method: maybe(Type.Enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], { default: 'POST' })),
      body: maybe(Type.Unknown({ description: 'The body of the call.' })),
      description: maybe(text),
    }),
    answers: { 201: request },
  },
  'GET /sys/v1/approval_requests/:id': { summary: 'One approval request', answers: { 200: request } },
  'DELETE /sys/v1/approval_requests/:id': {
    summary: 'Withdraw an approval request, or remove one that is over',
    answers: { 204: noBody },
  },
  'POST /sys/v1/approval_requests/:id/approve': {
    summary: 'Approve, with what the policy asks the reviewer to prove',
    description: 'The last approval that is needed does the operation before it is answered.',
    body: anyOf({ password: Type.String(), u2f: u2fAnswer, fido2_auth_request: assertion, body: anything }),
    bodyIsOptional: true,
    answers: { 200: request },
  },
  'POST /sys/v1/approval_requests/:id/deny': {
    summary: 'Deny: the request is over',
    body: anyOf({ reason: text }),
    bodyIsOptional: true,
    answers: { 200: request },
  },
  'POST /sys/v1/approval_requests/:id/challenge': {
    summary: 'Ask for what a security key is to sign for an approval',
    query: { protocol: maybe(Type.Enum(['fido2', 'u2f'], { default: 'u2f' })) },
    answers: { 200: Type.Union([requestOptions, u2fRequest]) },
  },
  'POST /sys/v1/approval_requests/:id/result': {
    summary: 'What came of the operation, for who asked for it',
    answers: {
      200: Type.Object({
        status: Type.Integer(),
        body: Type.Unknown({ description: 'As the call would have answered; a text where it was refused.' }),
      }),
    },
  },
}
