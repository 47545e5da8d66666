import { Type } from 'typebox'
import { appPermissions } from '../../../custody/app.ts'
import { noBody, type CallDescriptions } from '../../shared/api-description.ts'
import {
  accountPolicy,
  anyOf,
  flag,
  groupPolicy,
  id,
  maybe,
  name,
  principal,
  namedSlice,
  previousIdSlice,
  previousSlice,
  text,
  time,
} from './shapes.ts'

/** Accounts, groups and apps (contract fortanix §4, §7). */

const settings = {
  approval_request_expiry: maybe(Type.Integer({ minimum: 1, description: 'Seconds.' })),
  retain_expired_requests: maybe(flag),
  log_expired_pending_requests: maybe(flag),
  check_access_for_sensitive_operation_results: maybe(flag),
}
const standard = Type.Object({ $type: Type.Literal('Standard') })

const account = Type.Object({
  acct_id: id,
  name,
  description: maybe(text),
  enabled: flag,
  created_at: time,
  approval_policy: maybe(accountPolicy),
  ...settings,
  logging_configs: Type.Object({}),
  mark_key_disable_when_deactivated: flag,
  purpose: standard,
  original_purpose: standard,
  subscription: Type.Object({ on_prem: Type.Object({}) }),
})

const group = Type.Object({
  acct_id: id,
  group_id: id,
  name,
  description: maybe(text),
  approval_policy: maybe(groupPolicy),
  created_at: time,
  creator: principal,
})

const permissions = Type.Array(Type.Enum([...appPermissions]))
const permissionsByGroup = Type.Record(Type.String(), permissions, { description: 'By the id of a group.' })

const app = Type.Object({
  acct_id: id,
  app_id: id,
  app_type: Type.String(),
  name,
  description: maybe(text),
  enabled: flag,
  auth_type: Type.Literal('Secret'),
  role: Type.Enum(['crypto', 'admin']),
  groups: Type.Union([Type.Array(id), permissionsByGroup]),
  default_group: maybe(id),
  created_at: time,
  creator: principal,
})
const shown = {
  group_permissions: maybe(
    Type.Enum(['true', 'false'], { description: '`true` shows what an app may in each group.' }),
  ),
}

export const accountCalls: CallDescriptions = {
  'GET /sys/v1/accounts': {
    summary: 'Accounts of the caller',
    query: previousIdSlice,
    answers: { 200: Type.Array(account) },
  },
  'POST /sys/v1/accounts': {
    summary: 'Make an account, with the caller as its administrator',
    body: Type.Object({ name, description: maybe(text), approval_policy: maybe(accountPolicy), ...settings }),
    answers: { 201: account },
  },
  'GET /sys/v1/accounts/:id': { summary: 'One account', answers: { 200: account } },
  'PATCH /sys/v1/accounts/:id': {
    summary: 'Change an account or its approval policy',
    description: 'What is left out stays. May need approval.',
    body: anyOf({ name, description: text, approval_policy: accountPolicy, ...settings }),
    bodyIsOptional: true,
    answers: { 200: account },
  },
}

export const groupCalls: CallDescriptions = {
  'GET /sys/v1/groups': {
    summary: 'Groups that the caller sees',
    query: previousSlice,
    answers: { 200: Type.Array(group) },
  },
  'POST /sys/v1/groups': {
    summary: 'Make a group',
    description: 'May need approval.',
    body: Type.Object({ name, description: maybe(text), approval_policy: maybe(groupPolicy) }),
    answers: { 201: group },
  },
  'GET /sys/v1/groups/:id': { summary: 'One group', answers: { 200: group } },
  'PATCH /sys/v1/groups/:id': {
    summary: 'Change a group or its approval policy',
    description: 'What is left out stays. May need approval.',
    body: anyOf({ name, description: text, approval_policy: groupPolicy }),
    bodyIsOptional: true,
    answers: { 200: group },
  },
  'DELETE /sys/v1/groups/:id': { summary: 'Delete a group that holds no keys', answers: { 204: noBody } },
}

export const appCalls: CallDescriptions = {
  'GET /sys/v1/apps': {
    summary: 'Apps that the caller sees',
    query: { ...namedSlice, ...shown },
    answers: { 200: Type.Array(app) },
  },
  'POST /sys/v1/apps': {
    summary: 'Make an app; the server makes its secret',
    query: shown,
    body: Type.Object({
      name,
      description: maybe(text),
      app_type: maybe(Type.String({ maxLength: 256, default: 'default' })),
      role: maybe(Type.Enum(['crypto', 'admin'])),
      add_groups: maybe(permissionsByGroup),
      default_group: maybe(id),
    }),
    answers: { 201: app },
  },
  'GET /sys/v1/apps/:id': { summary: 'One app', query: shown, answers: { 200: app } },
  'PATCH /sys/v1/apps/:id': {
    summary: 'Change an app',
    description: 'What is left out stays. May need approval.',
    query: shown,
    body: anyOf({
      name,
      description: text,
      enabled: flag,
      default_group: id,
      add_groups: permissionsByGroup,
      mod_groups: permissionsByGroup,
      del_groups: Type.Array(id),
    }),
    bodyIsOptional: true,
    answers: { 200: app },
  },
  'DELETE /sys/v1/apps/:id': { summary: 'Delete an app', answers: { 204: noBody } },
  'GET /sys/v1/apps/:id/credential': {
    summary: 'Read the secret of an app',
    description: 'May need approval.',
    answers: { 200: Type.Object({ app_id: id, credential: Type.Object({ secret: Type.String() }) }) },
  },
  'POST /sys/v1/apps/:id/reset_secret': {
    summary: 'Make another secret for an app',
    description: 'May need approval.',
    query: shown,
    answers: { 200: app },
  },
}
