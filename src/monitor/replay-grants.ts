import type { ToldGroups } from './replay-groups.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, keyOf, type ToldRow, type ToldTable } from './told-table.ts'

/** Roles for a while, and what requests do to them. */
export interface ToldGrants {
  readonly grants: ToldTable
  readonly request_grants: ToldTable
  /** Requests that were deleted: nothing of them may be there. */
  readonly deletedRequests: Set<string>
}

export function newGrants(): ToldGrants {
  return { grants: new Map(), request_grants: new Map(), deletedRequests: new Set() }
}

export function replayGrants(told: ToldGrants & ToldGroups, leaf: ToldLeaf): void {
  const { kind, subject, facts, at, actor } = leaf
  switch (kind) {
    case 'grant.made':
      return made(told, leaf)
    case 'grant.used':
      return used(told, leaf)
    case 'grant.ended':
      return ended(told, leaf)
    case 'request.created':
      return asked(told, leaf)
    case 'request.terms-changed':
      return change(told.request_grants, subject, termsIn(facts))
    case 'request.grant-revoked':
      return change(told.request_grants, subject, { revoked_at: at, revoked_by: actor.id ?? null })
    case 'request.deleted':
      told.request_grants.delete(subject)
      told.deletedRequests.add(subject)
  }
}

function made(told: ToldGrants & ToldGroups, { subject, facts, at }: ToldLeaf): void {
  const [principal, group] = [facts['principal'] as string, facts['group'] as string]
  const terms = termsIn(facts)
  const request = facts['request'] as string | undefined
  told.grants.set(subject, {
    principal_id: principal,
    group_id: group,
    ...terms,
    request_id: request ?? null,
    created_at: at,
    used_at: null,
    ended_at: null,
    ended_because: null,
  })
  const { starts_at, ends_at } = terms
  told.memberships.set(keyOf(group, principal), { added_at: at, starts_at, ends_at })
  count(told, group, 1)
  if (request !== undefined) change(told.request_grants, request, { grant_id: subject })
}

function used(told: ToldGrants & ToldGroups, { subject, facts, at }: ToldLeaf): void {
  const terms = termsIn({ ...facts, grantKind: 'time-restricted' })
  change(told.grants, subject, { ...terms, used_at: at })
  const row = told.grants.get(subject)
  if (row === undefined) return
  const { starts_at, ends_at } = terms
  change(told.memberships, keyOf(String(row['group_id']), String(row['principal_id'])), { starts_at, ends_at })
}

function ended(told: ToldGrants & ToldGroups, { subject, facts, at }: ToldLeaf): void {
  const [principal, group] = [facts['principal'] as string, facts['group'] as string]
  change(told.grants, subject, { ended_at: at, ended_because: facts['because'] })
  told.memberships.delete(keyOf(group, principal))
  count(told, group, -1)
}

/** Of a role only who holds it is counted; when that last changed it does not say. */
function count({ groups }: ToldGroups, id: string, difference: 1 | -1): void {
  const group = groups.get(id)
  if (group !== undefined) group['member_count'] = Number(group['member_count']) + difference
}

function asked(told: ToldGrants, { subject, facts }: ToldLeaf): void {
  const grant = facts['grant'] as ToldLeaf['facts'] | undefined
  if (grant === undefined) return
  told.request_grants.set(subject, {
    operation: grant['operation'],
    principal_id: grant['principal'],
    group_id: grant['group'],
    ...termsIn(grant),
    asked: askedIn(grant),
    limits: grant['limits'],
    is_revocable: grant['isRevocable'],
    grant_id: null,
    revoked_at: null,
    revoked_by: null,
  })
}

/** Terms as they were asked for, times in milliseconds; none of a removal. */
function askedIn(grant: ToldLeaf['facts']): object {
  const { grantKind, startsAt, endsAt, floatingHours } = grant
  return {
    ...(grantKind !== undefined && { kind: grantKind }),
    ...(startsAt !== undefined && { startsAt: Date.parse(startsAt as string) }),
    ...(endsAt !== undefined && { endsAt: Date.parse(endsAt as string) }),
    ...(floatingHours !== undefined && { floatingHours }),
  }
}

/** Terms as the columns have them. */
function termsIn(facts: ToldLeaf['facts']): ToldRow {
  const timeOf = (name: string) => (facts[name] === undefined ? null : new Date(facts[name] as string))
  return {
    kind: facts['grantKind'] ?? null,
    starts_at: timeOf('startsAt'),
    ends_at: timeOf('endsAt'),
    floating_hours: facts['floatingHours'] ?? null,
  }
}
