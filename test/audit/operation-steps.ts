import { expect } from 'vitest'
import type { Answer, Client } from '../helpers/world.ts'
import { any, id, ids, text, type Step } from './steps.ts'

const url = '/sys/v1/approval_requests'

/** An operation on the group `guarded` that waits for approval by who asks for it, and what becomes of it. */
export function operationSteps(by: { readonly client: () => Client; readonly actor: () => object }): readonly Step[] {
  const path = () => `/sys/v1/groups/${id('guarded')}`
  const ask = async (name: string): Promise<Answer> => {
    const body = { description: text(name) }
    const answer = await by.client().post(url, { method: 'PATCH', operation: path(), body, description: text('why') })
    if (answer.status === 201) ids[name] = answer.body.request_id
    return answer
  }
  const person = () => ({ kind: 'person', id: id('olga') })
  const asked = () => ({
    requester: person(),
    reviewers: [{ ...person(), requiresPassword: false, requiresSecurityKey: false }],
    method: 'PATCH',
    path: path(),
    subjects: [{ kind: 'group', id: id('guarded') }],
    isSensitive: false,
  })
  const created = ['request.created', expect.objectContaining({ dialect: 'fortanix' })] as const
  const vote = (stance: string, to: string) =>
    ['vote.cast', expect.objectContaining({ seq: 1, stance, from: 'open', to })] as const
  return [
    {
      name: `POST ${url}`,
      does: () => ask('renaming'),
      leaves: () => [
        ['template.created', expect.objectContaining({ dialect: 'fortanix' })],
        created,
        ['operation.requested', asked()],
      ],
      changes: ['fortanix_requests', 'policies', 'requests'],
      by: by.actor,
    },
    {
      name: `POST ${url}/:id/challenge`,
      // Nobody has a security key yet.
      does: async () => void (await by.client().post(`${url}/${id('renaming')}/challenge`)),
    },
    {
      name: `POST ${url}/:id/approve`,
      does: () => by.client().post(`${url}/${id('renaming')}/approve`, { body: { part: text('part') } }),
      leaves: () => [
        vote('approve', 'approved'),
        ['operation.contributed', { bodyHmac: any }],
        ['operation.due', { expiresAt: any }],
        ['group.changed', { permissions: [] }],
        ['operation.executed', { execution: 'succeeded', status: 200, resultHmac: any }],
      ],
      changes: ['fortanix_approvals', 'fortanix_requests', 'groups', 'requests', 'votes'],
      by: by.actor,
    },
    {
      name: `POST ${url}/:id/result`,
      does: () => by.client().post(`${url}/${id('renaming')}/result`),
      leaves: () => [['operation.result-read', {}]],
      changes: ['fortanix_requests'],
      by: by.actor,
    },
    {
      name: `POST ${url}: again`,
      does: () => ask('other renaming'),
      leaves: () => [created, ['operation.requested', asked()]],
      changes: ['fortanix_requests', 'requests'],
      by: by.actor,
    },
    {
      name: `POST ${url}/:id/deny`,
      does: () => by.client().post(`${url}/${id('other renaming')}/deny`, { reason: text('no') }),
      leaves: () => [vote('veto', 'rejected')],
      changes: ['fortanix_requests', 'requests', 'votes'],
      by: by.actor,
    },
    {
      name: `DELETE ${url}/:id`,
      does: () => by.client().delete(`${url}/${id('other renaming')}`),
      leaves: () => [['request.deleted', expect.objectContaining({ from: 'rejected' })]],
      changes: ['fortanix_requests', 'requests', 'votes'],
      by: by.actor,
    },
  ]
}
