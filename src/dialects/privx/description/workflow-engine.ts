import { Type } from 'typebox'
import type { CallDescriptions } from '../../shared/api-description.ts'
import {
  count,
  done,
  flag,
  grantType,
  id,
  listOf,
  made,
  maybe,
  named,
  orNull,
  roleHandle,
  slice,
  statusCall,
  terms,
  text,
  time,
  userHandle,
} from './shapes.ts'

/** Workflows and requests under them (contract privx §3). */

const match = Type.Enum(['ANY', 'ALL'])
const owned = { id, author: id, created: time, updated: time, updated_by: id }

const workflowMembers = {
  name: Type.String({ minLength: 4, maxLength: 4096 }),
  comment: text,
  action: Type.Enum(['GRANT', 'REMOVE', 'BOTH']),
  grant_types: Type.Array(grantType),
  max_floating_duration: Type.Integer({ minimum: 0, description: 'Hours.' }),
  max_time_restricted_duration: Type.Integer({ minimum: 0, description: 'Days.' }),
  requires_justification: flag,
  max_active_requests: Type.Integer({ minimum: 0 }),
  can_bypass_revoke_workflow: flag,
}

const workflow = Type.Object({
  ...owned,
  workflow: id,
  ...workflowMembers,
  target_roles: Type.Array(roleHandle),
  requester_roles: Type.Array(roleHandle),
  steps: Type.Array(
    Type.Object({ id, name: text, match, approvers: Type.Array(Type.Object({ id, role: roleHandle })) }),
  ),
})

const { name, ...settable } = workflowMembers
const newWorkflow = Type.Object({
  name,
  ...Object.fromEntries(Object.entries(settable).map(([member, schema]) => [member, maybe(schema)])),
  target_roles: Type.Array(named, { minItems: 1 }),
  requester_roles: maybe(Type.Array(named)),
  steps: Type.Array(
    Type.Object({
      id: maybe(id),
      name: maybe(text),
      match,
      approvers: Type.Array(Type.Object({ id: maybe(id), role: named }), { minItems: 1 }),
    }),
    { minItems: 1, maxItems: 3 },
  ),
})

const decision = Type.Enum(['WAITING', 'APPROVED', 'DENIED'])
const request = Type.Object({
  ...owned,
  name: Type.String(),
  comment: text,
  workflow: id,
  action: Type.Enum(['GRANT', 'REMOVE']),
  status: decision,
  requester: userHandle,
  requested_role: roleHandle,
  target_roles: Type.Array(roleHandle),
  target_user: userHandle,
  request_justification: text,
  ...terms,
  requested_grant_type: terms.grant_type,
  requested_grant_start: terms.grant_start,
  requested_grant_end: terms.grant_end,
  requested_floating_length: terms.floating_length,
  approver_can_revoke: flag,
  target_role_revoked: flag,
  target_role_revoked_by: orNull(userHandle),
  target_role_revocation_time: orNull(time),
  steps: Type.Array(
    Type.Object({
      id,
      name: text,
      match,
      approvers: Type.Array(
        Type.Object({
          id,
          role: roleHandle,
          decision,
          user: orNull(userHandle),
          decision_time: orNull(time),
          comment: text,
        }),
      ),
    }),
  ),
})

const filter = Type.Enum(['requests', 'active_requests', 'approvals', 'active_approvals', 'all'])
const orders = slice(
  ['created', 'id', 'name', 'updated', 'status', 'action', 'requester', 'target_user', 'requested_role'],
  100,
)

const settings = Type.Object({
  smtp_server: text,
  smtp_server_port: Type.Integer({ minimum: 0, maximum: 65_535 }),
  smtp_server_enabled: flag,
  smtp_server_username: text,
  smtp_server_password: Type.String({ description: 'Never read back.' }),
  smtp_server_protocol: text,
  smtp_server_insecure_verify: flag,
  smtp_sender_address: text,
  smtp_retry_attempts: count,
  smtp_provider: text,
  smtp_authentication_mode: text,
  smtp_provider_token_endpoint: text,
  smtp_provider_token_scope: text,
  privx_backend_address: text,
  request_role_max_approvers: Type.Integer({ minimum: 1 }),
})

export const workflowCalls: CallDescriptions = {
  'GET /workflow-engine/api/v1/status': statusCall,
  'GET /workflow-engine/api/v1/workflows': {
    summary: 'Workflows',
    query: slice(['name', 'id', 'created', 'updated', 'status', 'action'], 100),
    answers: { 200: listOf(workflow) },
  },
  'POST /workflow-engine/api/v1/workflows': {
    summary: 'Make a workflow: who decides when somebody asks for its roles',
    body: newWorkflow,
    answers: { 201: made },
  },
  'GET /workflow-engine/api/v1/workflows/roles': {
    summary: 'Roles that the caller may ask for',
    query: slice(['name'], 1000),
    answers: {
      200: listOf(
        Type.Object({
          id,
          name: Type.String(),
          action: workflowMembers.action,
          grant_types: workflowMembers.grant_types,
          max_floating_duration: workflowMembers.max_floating_duration,
          max_time_restricted_duration: workflowMembers.max_time_restricted_duration,
        }),
      ),
    },
  },
  'GET /workflow-engine/api/v1/workflows/:id': { summary: 'One workflow', answers: { 200: workflow } },
  'PUT /workflow-engine/api/v1/workflows/:id': {
    summary: 'Replace a workflow; open requests keep theirs',
    body: newWorkflow,
    answers: { 200: done },
  },
  'DELETE /workflow-engine/api/v1/workflows/:id': { summary: 'Delete a workflow', answers: { 200: done } },
}

export const requestCalls: CallDescriptions = {
  'GET /workflow-engine/api/v1/requests': {
    summary: 'Requests of a queue',
    query: { filter, ...orders },
    answers: { 200: listOf(request) },
  },
  'POST /workflow-engine/api/v1/requests/search': {
    summary: 'Search requests',
    query: { filter: maybe(filter), ...orders },
    body: Type.Partial(Type.Object({ filter, keywords: text, start_time: time, end_time: time })),
    bodyIsOptional: true,
    answers: { 200: listOf(request) },
  },
  'POST /workflow-engine/api/v1/requests': {
    summary: 'Ask for a role, or for one to be taken away',
    body: Type.Object({
      requested_role: named,
      target_user: maybe(named),
      workflow: maybe(id),
      action: maybe(Type.Enum(['GRANT', 'REMOVE'], { default: 'GRANT' })),
      request_justification: maybe(text),
      comment: maybe(text),
      ...terms,
    }),
    answers: { 201: made },
  },
  'GET /workflow-engine/api/v1/requests/:id': { summary: 'One request', answers: { 200: request } },
  'DELETE /workflow-engine/api/v1/requests/:id': { summary: 'Delete a request', answers: { 200: done } },
  'POST /workflow-engine/api/v1/requests/:id/decision': {
    summary: 'Approve or deny; the terms of an approval replace those asked for',
    body: Type.Object({
      step: Type.Integer({ minimum: 0 }),
      decision: Type.Enum(['APPROVED', 'DENIED']),
      comment: maybe(text),
      ...terms,
    }),
    answers: { 200: done },
  },
  'POST /workflow-engine/api/v1/requests/:id/role/revoke': {
    summary: 'Take back the role that a request gave',
    answers: { 200: done },
  },
}

export const settingsCalls: CallDescriptions = {
  'GET /workflow-engine/api/v1/settings': { summary: 'Settings of the engine', answers: { 200: settings } },
  'PUT /workflow-engine/api/v1/settings': {
    summary: 'Replace the settings; what is left out is as by default, but for the password',
    body: Type.Partial(settings),
    answers: { 200: done },
  },
  'POST /workflow-engine/api/v1/testsmtp': {
    summary: 'Try to reach and sign in to the mail server of these settings',
    body: Type.Partial(settings),
    answers: { 200: Type.Object({ status: Type.Enum(['OK', 'ERROR']), details: Type.String() }) },
  },
}
