import { Type } from 'typebox'
import type { RequestExplanation } from '../../../approvals/explain-request.ts'
import type { Branch } from '../../../kernel/branches.ts'
import { workflowStatus } from './votes.ts'

/** Renders `GET /v1/workflows/{id}/explain` (ours): what is missing, and who could finish it. */
export function renderExplanation({ explanation, finishing, voters }: RequestExplanation): object {
  const { pending } = explanation
  return {
    workflowStatus: workflowStatus[explanation.status],
    expiresAt: new Date(explanation.expiresAt).toISOString(),
    approvals: voters.map(({ id, seats }) => ({ voterId: id, countsForGroups: seats })),
    ...(pending !== undefined && {
      pending: {
        stage: pending.stage,
        rule: renderBranch(pending.tree),
        vetoes: pending.vetoes,
        finishingSets: finishing,
        exact: pending.exact,
        ...(pending.inexactBecause !== undefined && { inexactBecause: pending.inexactBecause }),
        nobodyCan: pending.nobodyCan,
        laterStages: pending.later.map(({ stage, binding, isSatisfiable }) => ({
          stage,
          advisory: !binding,
          satisfiable: isSatisfiable,
        })),
      },
    }),
  }
}

function renderBranch(branch: Branch): object {
  const { held, needed, missing } = branch
  const progress = { held, needed, missing, satisfied: branch.isSatisfied, satisfiable: branch.isSatisfiable }
  switch (branch.kind) {
    case 'seats':
      return {
        type: 'GROUP_REQUIREMENT',
        groupId: branch.from.id,
        requireHighPrivilege: branch.assurance.includes('stepUp'),
        ...(branch.assurance.includes('signature') && { requireSignature: true }),
        ...progress,
      }
    case 'threshold':
      return { type: typeOf(branch.needed, branch.of.length), ...progress, rules: branch.of.map(renderBranch) }
  }
}

function typeOf(needed: number, children: number): string {
  if (needed === children) return 'AND'
  return needed === 1 ? 'OR' : 'AT_LEAST'
}

export const ExplanationSchema = Type.Object({
  workflowStatus: Type.String(),
  expiresAt: Type.String(),
  approvals: Type.Array(Type.Object({ voterId: Type.String(), countsForGroups: Type.Array(Type.String()) })),
  pending: Type.Optional(Type.Object({}, { additionalProperties: true })),
})
