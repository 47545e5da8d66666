import { Type } from 'typebox'
import type { CastVoteInput } from '../../../approvals/cast-vote.ts'
import type { VotingPosition } from '../../../approvals/may-vote.ts'
import { workflowStatus } from '../../../deliveries/status-words.ts'
import type { Status, Stance } from '../../../kernel/request.ts'
import type { Refusal } from '../../../kernel/request.ts'
import { isUuidV7 } from './ids.ts'
import { asObject, optionalText, refuse, type JsonObject } from './read.ts'
import { answers, uuidSchema } from './schemas.ts'

export { workflowStatus }

const stances: Readonly<Record<string, Stance>> = { APPROVE: 'approve', VETO: 'veto', WITHDRAW: 'withdraw' }

/** Reads a WorkflowVoteRequest (contract §2.6). @throws AppError with the codes of §1.4 */
export function parseVote(body: unknown): CastVoteInput {
  const vote = asObject(body)
  if (vote['voteType'] === undefined) refuse('VOTE_TYPE_MISSING', 'voteType')
  const voteType = asObject(vote['voteType'], 'VOTE_TYPE_MALFORMED', 'voteType')
  if (typeof voteType['type'] !== 'string') refuse('VOTE_TYPE_MALFORMED', 'voteType.type')
  const stance = Object.hasOwn(stances, voteType['type']) ? stances[voteType['type']] : undefined
  if (stance === undefined) refuse('VOTE_TYPE_INVALID', 'voteType.type')
  const groups = stance === 'approve' ? parseGroups(voteType) : []
  const reason = optionalText(vote, 'reason', { type: 'REASON_INVALID', tooLong: 'VOTE_REASON_TOO_LONG' }, 1024)
  return { stance, groups, reason, signature: parseSignature(vote) }
}

/** Ours. What is in it is for who checks it. */
function parseSignature({ signature }: JsonObject): string | null {
  if (signature === undefined || signature === null) return null
  return typeof signature === 'string' ? signature : refuse('VOTE_SIGNATURE_MALFORMED', 'signature')
}

function parseGroups(voteType: JsonObject): string[] {
  const groups = voteType['votedForGroups']
  if (groups === undefined) refuse('VOTED_FOR_GROUPS_MISSING', 'voteType.votedForGroups')
  const isList = Array.isArray(groups) && groups.every((group) => typeof group === 'string')
  if (!isList || groups.length > 1000) refuse('VOTED_FOR_GROUPS_INVALID', 'voteType.votedForGroups')
  const malformed = groups.findIndex((group) => !isUuidV7(group))
  if (malformed !== -1) refuse('VOTE_INVALID_GROUP_ID', `voteType.votedForGroups[${malformed}]`)
  return [...new Set(groups.map((group: string) => group.toLowerCase()))]
}

/** Renders a CanVoteResponse (contract §2.6). */
export function renderCanVote(position: VotingPosition): object {
  const voteStatus = position.hasVoted ? 'ALREADY_VOTED' : 'VOTE_PENDING'
  if (!position.may) return { canVote: false, voteStatus, cantVoteReason: cantVoteReason(position.refusal) }
  return {
    canVote: true,
    voteStatus,
    requireHighPrivilege: position.requires.includes('stepUp'),
    ...(position.requires.includes('signature') && { requireSignature: true }),
  }
}

export function cantVoteReason(refusal: Refusal): string {
  switch (refusal.reason) {
    case 'terminal':
      return terminalReasons[refusal.status]
    case 'expired':
      return 'WORKFLOW_EXPIRED'
    case 'policy-closed':
      return 'WORKFLOW_TEMPLATE_NOT_ACTIVE'
    case 'not-eligible':
      return refusal.because === 'no-right' ? 'NO_PERMISSIONS' : 'ENTITY_NOT_IN_GROUP'
    default:
      return 'NO_PERMISSIONS'
  }
}

const terminalReasons: Record<Status, string> = {
  approved: 'WORKFLOW_APPROVED',
  canceled: 'WORKFLOW_CANCELED',
  expired: 'WORKFLOW_EXPIRED',
  // Ours: only a template whose option says that a veto is final leads here.
  rejected: 'WORKFLOW_REJECTED',
  open: 'NO_PERMISSIONS',
}

const tags = ['Workflows']

export const OutcomeSchema = Type.Object({ workflowStatus: Type.Enum(Object.values(workflowStatus)) })

export const castVoteSchema = {
  tags,
  summary: 'Vote on a workflow; the answer is the settled outcome',
  body: Type.Object({
    reason: Type.Optional(Type.String({ maxLength: 1024 })),
    voteType: Type.Union([
      Type.Object({ type: Type.Enum(['APPROVE']), votedForGroups: Type.Array(uuidSchema) }),
      Type.Object({ type: Type.Enum(['VETO', 'WITHDRAW']) }),
    ]),
    signature: Type.Optional(Type.String({ description: 'Compact JWS by the key of the agent that votes' })),
  }),
  response: answers({ 200: OutcomeSchema }),
}

export const canVoteMembers = {
  canVote: Type.Boolean(),
  voteStatus: Type.Enum(['VOTE_PENDING', 'ALREADY_VOTED']),
  cantVoteReason: Type.Optional(Type.String()),
  requireHighPrivilege: Type.Optional(Type.Boolean()),
  requireSignature: Type.Optional(Type.Boolean()),
}

export const canVoteSchema = {
  tags,
  summary: 'Whether the caller may vote on a workflow, and why not',
  response: answers({ 200: Type.Object(canVoteMembers) }),
}
