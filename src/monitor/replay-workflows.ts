import { ErasedText } from './erased-text.ts'
import type { ToldPolicies } from './replay-policies.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, type ToldRow, type ToldTable } from './told-table.ts'

/** What the dialect privx calls workflows, and what its requests have of them. */
export interface ToldWorkflows {
  readonly privx_workflows: ToldTable
  /** By the version of the rule that a request is decided by: the workflow that had it, and its steps then. */
  readonly workflowOf: Map<string, WorkflowOfPolicy>
}

export interface WorkflowOfPolicy {
  readonly workflow: string
  readonly steps: ToldSteps
}

/** Steps, with the names that they have; `namesAre` tells where those are gone, so that only the rest can be compared. */
export interface ToldSteps {
  readonly steps: readonly object[]
  readonly namesAre?: 'erased' | 'lost'
}

export function newWorkflows(): ToldWorkflows {
  return { privx_workflows: new Map(), workflowOf: new Map() }
}

export function replayWorkflows(told: ToldWorkflows & ToldPolicies, leaf: ToldLeaf): void {
  const { kind, subject, at, actor } = leaf
  const touched = { updated_by: actor.id, updated_at: at }
  switch (kind) {
    case 'workflow.created':
      told.privx_workflows.set(subject, {
        ...said(told, leaf),
        author_id: actor.id,
        created_at: at,
        ...touched,
        deleted_at: null,
      })
      return
    case 'workflow.changed':
      return change(told.privx_workflows, subject, { ...said(told, leaf), ...touched })
    case 'workflow.deleted':
      return change(told.privx_workflows, subject, { ...touched, deleted_at: at })
  }
}

function said(told: ToldWorkflows & ToldPolicies, leaf: ToldLeaf): ToldRow {
  const { facts, subject } = leaf
  const policy = facts['policy'] as string
  const steps = namedSteps(leaf)
  told.workflowOf.set(policy, { workflow: subject, steps })
  return {
    policy_id: policy,
    version: told.policies.get(policy)?.['version'],
    name: leaf.text('name'),
    comment: leaf.text('comment'),
    operation: facts['operation'],
    grant_kinds: once(facts['grantKinds']),
    max_floating_hours: facts['maxFloatingHours'],
    max_restricted_days: facts['maxRestrictedDays'],
    target_groups: once(facts['targetRoles']),
    requester_groups: once(facts['requesterRoles']),
    requires_justification: facts['requiresJustification'],
    max_active_requests: facts['maxActiveRequests'],
    can_bypass_revoke: facts['canBypassRevoke'],
    is_by_admin: facts['byAdmin'],
    ...steps,
  }
}

/** Each once: so the row has them. */
function once(items: unknown): unknown {
  return Array.isArray(items) ? [...new Set(items)] : undefined
}

function namedSteps(leaf: ToldLeaf): ToldSteps {
  const steps = leaf.facts['steps'] as readonly object[]
  const names = steps.map((_, index) => leaf.text(`steps[${index}].name`))
  if (names.includes(undefined)) return { steps, namesAre: 'lost' }
  if (names.some((name) => name instanceof ErasedText)) return { steps, namesAre: 'erased' }
  return { steps: steps.map((step, index) => ({ ...step, name: names[index] ?? '' })) }
}
