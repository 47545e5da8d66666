import { Type } from 'typebox'
import type { Pending } from '../../../kernel/explain.ts'
import type { RequestExplanation } from '../../../approvals/explain-request.ts'
import type { Branch } from '../../../kernel/branches.ts'
import { workflowStatus } from './votes.ts'

/** Renders `GET /v1/workflows/{id}/explain` (ours): what is missing, and who could finish it. */
export function renderExplanation(explained: RequestExplanation): object {
  const { explanation, voters } = explained
  const pending = renderPending(explained)
  return {
    workflowStatus: workflowStatus[explanation.status],
    expiresAt: new Date(explanation.expiresAt).toISOString(),
    approvals: voters.map(({ id, seats }) => ({ voterId: id, countsForGroups: seats })),
    ...(pending !== undefined && { pending }),
  }
}

/** What is waited for; undefined when nothing is any more. */
export function renderPending({ explanation, finishing }: RequestExplanation): object | undefined {
  return explanation.pending && renderOpenStage(explanation.pending, finishing)
}

function renderOpenStage(pending: Pending, finishing: RequestExplanation['finishing']): object {
  return {
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

/** Shown as it is: rules nest. */
export const PendingSchema = Type.Object({}, { additionalProperties: true })

export const ExplanationSchema = Type.Object({
  workflowStatus: Type.String(),
  expiresAt: Type.String(),
  approvals: Type.Array(Type.Object({ voterId: Type.String(), countsForGroups: Type.Array(Type.String()) })),
  pending: Type.Optional(PendingSchema),
})
