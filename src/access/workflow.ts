import type { GrantKind } from '../kernel/grant-terms.ts'
import type { PolicyOptions, Stage } from '../kernel/rule.ts'
import type { WorkflowRow } from '../store/privx-workflows.ts'
import type { WorkflowStep } from '../store/schema-access.ts'

/** Which changes of a role a workflow is for. */
export type Operation = WorkflowRow['operation']

/** What whoever writes a workflow says of it. */
export interface WorkflowContent {
  readonly name: string
  readonly comment: string
  readonly operation: Operation
  readonly grantKinds: readonly GrantKind[]
  /** Hours; 0 is no ceiling. */
  readonly maxFloatingHours: number
  /** Days of 24 hours; 0 is no ceiling. */
  readonly maxRestrictedDays: number
  /** Ids of the roles that can be asked for by it. */
  readonly targetRoles: readonly string[]
  /** Ids of the roles whose holders may use it; empty for everybody. */
  readonly requesterRoles: readonly string[]
  readonly requiresJustification: boolean
  /** Open requests there may be for one role and person. */
  readonly maxActiveRequests: number
  /** Whoever approved a request may take its role back. */
  readonly canBypassRevoke: boolean
  readonly steps: readonly WrittenStep[]
}

export interface WrittenStep {
  /** Null, or none of the workflow's own: a new one is made. */
  readonly id: string | null
  readonly name: string
  readonly match: WorkflowStep['match']
  readonly approvers: readonly { readonly id: string | null; readonly roleId: string }[]
}

/** Who decides on a request: one stage for each step, in order, one seat for each approver (design §3.1). */
export function stagesOf(steps: readonly WorkflowStep[]): Stage[] {
  return steps.map(({ name, match, approvers }) => ({
    ...(name !== '' && { name }),
    binding: true,
    rule: {
      kind: 'threshold',
      atLeast: match === 'ALL' ? approvers.length : 1,
      of: approvers.map(({ groupId }) => ({ kind: 'seats', atLeast: 1, from: { kind: 'group', id: groupId } })),
    },
  }))
}

/**
 * A "no" is the end, nobody decides on what they ask for, and who held the role when deciding has decided (contract §4.3). A person
 * and the agents that they answer for are one: registering an agent makes nobody a second approver, nor an approver of their own.
 */
export const workflowOptions: PolicyOptions = {
  veto: 'final',
  requesterMayVote: false,
  distinctPeople: false,
  naturalPersons: true,
  recheckEligibility: false,
  vetoNeedsAssurance: false,
  singleVote: true,
}

/** Steps as stored: an id that the workflow has already stays with what it names, everything else is given one. */
export function stepsOf(
  written: readonly WrittenStep[],
  before: readonly WorkflowStep[],
  newId: () => string,
): WorkflowStep[] {
  const known = new Set(before.flatMap(({ id, approvers }) => [id, ...approvers.map((approver) => approver.id)]))
  // Each stays once: what is sent twice is two things from now on.
  const idFor = (id: string | null): string => (id !== null && known.delete(id) ? id : newId())
  return written.map(({ id, name, match, approvers }) => ({
    id: idFor(id),
    name,
    match,
    approvers: approvers.map((approver) => ({ id: idFor(approver.id), groupId: approver.roleId })),
  }))
}

/** The columns that a workflow's content fills, beside who wrote it. */
export function columnsOf(content: WorkflowContent, steps: readonly WorkflowStep[]) {
  return {
    name: content.name,
    comment: content.comment,
    operation: content.operation,
    grant_kinds: [...new Set(content.grantKinds)],
    max_floating_hours: content.maxFloatingHours,
    max_restricted_days: content.maxRestrictedDays,
    target_groups: [...new Set(content.targetRoles)],
    requester_groups: [...new Set(content.requesterRoles)],
    requires_justification: content.requiresJustification,
    max_active_requests: content.maxActiveRequests,
    can_bypass_revoke: content.canBypassRevoke,
    steps: JSON.stringify(steps),
  }
}
