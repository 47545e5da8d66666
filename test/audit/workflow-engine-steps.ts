import { expect } from 'vitest'
import { engine, step } from '../helpers/access.ts'
import { roleStore } from '../helpers/privx.ts'
import type { Client } from '../helpers/world.ts'
import { ada, any, id, made, text, world, type Facts, type Step } from './steps.ts'

const dan = async (): Promise<Client> => await world.signedIn(id('dan'))
const byDan = () => ({ kind: 'human', id: id('dan') })
/** The server closes a version by itself once nothing of it is open. */
const bySomebody = () => expect.objectContaining({ kind: any })

const workflow = (members: object = {}) => ({
  name: text('access'),
  comment: text('for all'),
  target_roles: [{ id: id('wanted') }],
  steps: [step('ANY', id('deciders'))],
  can_bypass_revoke_workflow: true,
  ...members,
})
const workflowFacts = (more: Facts = {}): Facts => ({
  policy: any,
  operation: 'GRANT',
  grantKinds: ['permanent'],
  maxFloatingHours: 0,
  maxRestrictedDays: 0,
  targetRoles: [id('wanted')],
  requesterRoles: [],
  requiresJustification: false,
  maxActiveRequests: 1,
  canBypassRevoke: true,
  byAdmin: true,
  steps: [{ id: any, match: 'ANY', approvers: [{ id: any, groupId: id('deciders') }] }],
  ...more,
})
const version = (number: number) => expect.objectContaining({ dialect: 'privx', version: number })
const adaIn = (role: string): Facts => ({ principal: ada.id, group: id(role) })
const asking = () => ada.post(`${engine}/requests`, { requested_role: { id: id('wanted') }, comment: text('please') })

/** Workflows of the dialect privx, and requests by them. */
export const workflowEngineSteps = (): readonly Step[] => [
  ...['wanted', 'deciders'].map((name): Step => ({
    name: `POST /role-store/api/v1/roles: ${name}`,
    does: () => made(name, ada.post(`${roleStore}/roles`, { name: text(name) })),
    leaves: () => [['group.created', { dialect: 'privx', permissions: [] }]],
    changes: ['groups'],
  })),
  {
    name: 'PUT /role-store/api/v1/users/:id/roles: of who decides',
    does: () => ada.put(`${roleStore}/users/${id('dan')}/roles`, [{ id: id('deciders'), explicit: true }]),
    leaves: () => [['grant.made', { principal: id('dan'), group: id('deciders'), grantKind: 'permanent' }]],
    changes: ['grants', 'groups', 'memberships'],
  },
  {
    name: 'PUT /workflow-engine/api/v1/settings',
    does: () => ada.put(`${engine}/settings`, { smtp_server: text('server'), smtp_server_password: text('secret') }),
    leaves: () => [['access-settings.changed', { maxApprovers: 10, mailEnabled: false, passwordHmac: any }]],
    changes: ['privx_settings'],
  },
  { name: 'POST /workflow-engine/api/v1/testsmtp', does: () => ada.post(`${engine}/testsmtp`, {}) },
  {
    name: 'POST /workflow-engine/api/v1/workflows',
    does: () => made('flow', ada.post(`${engine}/workflows`, workflow())),
    leaves: () => [
      ['template.created', version(1)],
      ['workflow.created', workflowFacts()],
    ],
    changes: ['policies', 'privx_workflows'],
  },
  {
    name: 'POST /workflow-engine/api/v1/requests',
    does: () => made('roleRequest', asking()),
    leaves: () => [['request.created', expect.objectContaining({ dialect: 'privx', requester: ada.id })]],
    changes: ['privx_requests', 'request_grants', 'requests'],
  },
  { name: 'POST /workflow-engine/api/v1/requests/search', does: () => ada.post(`${engine}/requests/search`, {}) },
  {
    name: 'POST /workflow-engine/api/v1/requests/:id/decision',
    does: async () =>
      await (
        await dan()
      ).post(`${engine}/requests/${id('roleRequest')}/decision`, {
        step: 0,
        decision: 'APPROVED',
        comment: text('go on'),
      }),
    leaves: () => [
      ['vote.cast', expect.objectContaining({ stance: 'approve', seats: [id('deciders')], to: 'approved' })],
      ['grant.made', { ...adaIn('wanted'), grantKind: 'permanent', request: id('roleRequest') }],
    ],
    changes: ['grants', 'groups', 'memberships', 'request_grants', 'requests', 'votes'],
    by: byDan,
  },
  {
    name: 'POST /workflow-engine/api/v1/requests/:id/role/revoke',
    does: async () => await (await dan()).post(`${engine}/requests/${id('roleRequest')}/role/revoke`),
    leaves: () => [
      ['grant.ended', { ...adaIn('wanted'), because: 'revoked' }],
      ['request.grant-revoked', { digest: any, ...adaIn('wanted'), hasEnded: true }],
    ],
    changes: ['grants', 'groups', 'memberships', 'request_grants'],
    by: byDan,
  },
  {
    name: 'PUT /workflow-engine/api/v1/workflows/:id',
    does: () =>
      ada.put(`${engine}/workflows/${id('flow')}`, workflow({ requires_justification: false, action: 'BOTH' })),
    leaves: () => [
      ['template.deprecated', { cancels: false }],
      ['template.closed', {}],
      ['template.updated', version(2)],
      ['workflow.changed', workflowFacts({ operation: 'BOTH' })],
    ],
    changes: ['policies', 'privx_workflows'],
    by: bySomebody,
  },
  {
    name: 'POST /workflow-engine/api/v1/requests: to be deleted',
    does: () => made('roleRequest', asking()),
    leaves: () => [['request.created', expect.objectContaining({ dialect: 'privx' })]],
    changes: ['privx_requests', 'request_grants', 'requests'],
  },
  {
    name: 'DELETE /workflow-engine/api/v1/requests/:id',
    does: () => ada.delete(`${engine}/requests/${id('roleRequest')}`),
    leaves: () => [['request.deleted', { digest: any, policy: any, seq: 0, stage: 0, from: 'open' }]],
    changes: ['privx_requests', 'request_grants', 'requests'],
  },
  {
    name: 'DELETE /workflow-engine/api/v1/workflows/:id',
    does: () => ada.delete(`${engine}/workflows/${id('flow')}`),
    leaves: () => [
      ['template.deprecated', { cancels: false }],
      ['template.closed', {}],
      ['workflow.deleted', {}],
    ],
    changes: ['policies', 'privx_workflows'],
    by: bySomebody,
  },
]
