import { Type } from 'typebox'
import { noDeadline } from '../../../approvals/open-request.ts'
import type { ShownRequest } from '../../../approvals/show-request.ts'
import type { RequestView } from '../../../approvals/view-requests.ts'
import type { Refusal } from '../../../kernel/request.ts'
import { PendingSchema, renderPending } from './explanation.ts'
import { grantKinds } from './grants.ts'
import { ReceiptSchema } from './receipts.ts'
import { answers, timestampSchema, uuidSchema } from './schemas.ts'
import { cantVoteReason, canVoteMembers, renderCanVote, workflowStatus } from './votes.ts'

/** Renders a request of any dialect, as one caller sees it. */
export function renderRequest({ row, status, stages, position }: RequestView): object {
  return {
    id: row.id,
    dialect: row.dialect,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    status: workflowStatus[status],
    stage: row.stage,
    stages,
    requester: { id: row.requester_id, name: row.requester_name, kind: row.requester_kind },
    ...(row.beneficiary_id !== null && {
      beneficiary: { id: row.beneficiary_id, name: row.beneficiary_name ?? '' },
    }),
    policy: { id: row.policy_id, name: row.policy_name, version: row.policy_version },
    digest: row.digest,
    votes: row.vote_seq,
    ...renderCanVote(position),
    ...(!position.may && { cantVoteReason: reasonFor(position.refusal) }),
    ...grantOf(row),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    expiresAt: row.expires_at.getTime() === noDeadline.getTime() ? null : row.expires_at.toISOString(),
  }
}

export function renderShownRequest({ view, open }: ShownRequest): object {
  const pending = open === null ? undefined : renderPending(open)
  return { ...renderRequest(view), ...(pending !== undefined && { open: pending }) }
}

/** What an approval does to a role, as it stands: who approved may have changed what was asked for. */
function grantOf(row: RequestView['row']): { grant?: object } {
  if (row.grant_operation === null) return {}
  return {
    grant: {
      operation: row.grant_operation === 'grant' ? 'GRANT' : 'REMOVE',
      role: { id: row.grant_group_id, name: row.grant_group_name ?? '' },
      ...(row.grant_kind !== null && { kind: grantKinds[row.grant_kind] }),
      ...(row.grant_starts_at !== null && { startsAt: row.grant_starts_at.toISOString() }),
      ...(row.grant_ends_at !== null && { endsAt: row.grant_ends_at.toISOString() }),
      ...(row.grant_floating_hours !== null && { floatingHours: row.grant_floating_hours }),
      ...(row.grant_revoked_at !== null && { revokedAt: row.grant_revoked_at.toISOString() }),
    },
  }
}

/** As `canVote` of a workflow tells it; here with words for what it has none for. */
function reasonFor(refusal: Refusal): string {
  switch (refusal.reason) {
    case 'requester-excluded':
      return 'REQUESTER_EXCLUDED'
    case 'beneficiary-excluded':
      return 'BENEFICIARY_EXCLUDED'
    case 'no-free-seat':
      return 'NO_FREE_SEAT'
    case 'already-voted':
      return 'ALREADY_VOTED'
    default:
      return cantVoteReason(refusal)
  }
}

export const requestSchema = Type.Object({
  id: uuidSchema,
  dialect: Type.Enum(['native', 'privx', 'fortanix', 'govern'], { description: 'The API that it was made by.' }),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  status: Type.Enum(Object.values(workflowStatus)),
  stage: Type.Integer({ minimum: 0, description: 'The open stage, from 0 on; `stages` when all were passed.' }),
  stages: Type.Integer({ minimum: 1, description: 'How many there are.' }),
  requester: Type.Object({ id: uuidSchema, name: Type.String(), kind: Type.Enum(['human', 'agent']) }),
  beneficiary: Type.Optional(
    Type.Object(
      { id: uuidSchema, name: Type.String() },
      { description: 'Whom it is for, when that is somebody else than who asks.' },
    ),
  ),
  policy: Type.Object({ id: uuidSchema, name: Type.String(), version: Type.Integer({ minimum: 1 }) }),
  digest: Type.String({ description: 'What a vote is cast on: SHA-256, in hex.' }),
  votes: Type.Integer({
    minimum: 0,
    description: 'Votes cast so far, those that were replaced or taken back among them.',
  }),
  ...canVoteMembers,
  grant: Type.Optional(
    Type.Object(
      {
        operation: Type.Enum(['GRANT', 'REMOVE']),
        role: Type.Object({ id: uuidSchema, name: Type.String() }),
        kind: Type.Optional(Type.Enum(Object.values(grantKinds))),
        startsAt: Type.Optional(timestampSchema),
        endsAt: Type.Optional(timestampSchema),
        floatingHours: Type.Optional(Type.Integer()),
        revokedAt: Type.Optional(timestampSchema),
      },
      { description: 'What its approval does to a role.' },
    ),
  ),
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
  expiresAt: Type.Union([timestampSchema, Type.Null({ description: 'It has no deadline.' })]),
})

const tags = ['requests']

export const showRequestSchema = {
  tags,
  summary: 'Read a request of any API by its id',
  response: answers({ 200: Type.Object({ ...requestSchema.properties, open: Type.Optional(PendingSchema) }) }),
}

export const receiptOfRequestSchema = {
  tags,
  summary: 'The receipt of a decided request of any API, to be checked without us',
  response: answers({ 200: ReceiptSchema }),
}
