import type { Ctx } from '../context.ts'
import type { GrantTerms } from '../kernel/grant-terms.ts'
import type { Status } from '../kernel/request.ts'
import { findPrincipalHandles, findRoleHandles, type Handles } from '../store/privx-handles.ts'
import { listDecisions, type AccessRequestRow, type DecisionRow } from '../store/privx-requests.ts'
import type { WorkflowStep } from '../store/schema-access.ts'

/** A request for a role, with the names that everything in it has now. */
export interface ShownRequest {
  readonly row: AccessRequestRow
  readonly status: Status
  readonly steps: readonly ShownStep[]
  /** As they stand: who decided may have replaced what was asked for. Null for a removal. */
  readonly terms: GrantTerms | null
  readonly asked: GrantTerms | null
  readonly roles: Handles
  readonly people: Handles
}

export interface ShownStep extends Omit<WorkflowStep, 'approvers'> {
  readonly slots: readonly ShownSlot[]
}

export interface ShownSlot {
  readonly id: string
  readonly roleId: string
  /** Null while nobody has taken it. */
  readonly decision: {
    readonly isApproval: boolean
    readonly userId: string
    readonly at: Date
    readonly comment: string
  } | null
}

/** Rows with their votes and names: three queries, however many rows there are. */
export async function showRequests(
  ctx: Ctx,
  orgId: string,
  rows: readonly AccessRequestRow[],
): Promise<ShownRequest[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const decisions = Map.groupBy(await listDecisions(ctx.db, orgId, ids), (decision) => decision.request_id)
  const voters = [...decisions.values()].flat().map(({ principal_id }) => principal_id)
  const [people, roles] = await Promise.all([
    findPrincipalHandles(ctx.db, orgId, [...rows.flatMap(peopleIn), ...voters]),
    findRoleHandles(ctx.db, orgId, rows.flatMap(rolesIn)),
  ])
  return rows.map((row) => ({
    row,
    status: row.status,
    steps: stepsWith(row.steps, decisions.get(row.id) ?? []),
    terms: termsOf(row),
    asked: row.operation === 'grant' ? (row.asked as GrantTerms) : null,
    roles,
    people,
  }))
}

function peopleIn({ requester_id, target_id, revoked_by, touched_by }: AccessRequestRow): string[] {
  return [requester_id, target_id, touched_by, ...(revoked_by === null ? [] : [revoked_by])]
}

function rolesIn({ group_id, steps }: AccessRequestRow): string[] {
  return [group_id, ...steps.flatMap(({ approvers }) => approvers.map(({ groupId }) => groupId))]
}

/** A vote's seat says which place of the step it took; a role has one place in a step. */
function stepsWith(steps: readonly WorkflowStep[], decisions: readonly DecisionRow[]): ShownStep[] {
  return steps.map(({ approvers, ...step }, stage) => ({
    ...step,
    slots: approvers.map(({ id, groupId }) => {
      const taken = decisions.find((decision) => decision.stage === stage && decision.seats.includes(groupId))
      return { id, roleId: groupId, decision: taken === undefined ? null : decisionOf(taken) }
    }),
  }))
}

function decisionOf({ stance, principal_id: userId, cast_at: at, reason }: DecisionRow) {
  return { isApproval: stance === 'approve', userId, at, comment: reason ?? '' }
}

function termsOf({ kind, starts_at, ends_at, floating_hours }: AccessRequestRow): GrantTerms | null {
  if (kind === null) return null
  return {
    kind,
    ...(starts_at !== null && { startsAt: starts_at.getTime() }),
    ...(ends_at !== null && { endsAt: ends_at.getTime() }),
    ...(floating_hours !== null && { floatingHours: floating_hours }),
  }
}
