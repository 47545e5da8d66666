import type { LogEntry, LoggedType } from '../../../identity/list-audit-log.ts'
import { logIdOf } from './log-cursor.ts'
import { renderScope } from './roles.ts'

/** Which leaves each type of the contract stands for (§2.11). */
export const auditTypes = {
  SPACE_CREATED: { kind: 'space.created', holder: '' },
  SPACE_DELETED: { kind: 'space.deleted', holder: '' },
  GROUP_CREATED: { kind: 'group.created', holder: '' },
  MEMBERSHIPS_ADDED: { kind: 'memberships.added', holder: '' },
  MEMBERSHIPS_REMOVED: { kind: 'memberships.removed', holder: '' },
  USER_ROLES_ASSIGNED: { kind: 'roles.assigned', holder: 'human' },
  USER_ROLES_REMOVED: { kind: 'roles.removed', holder: 'human' },
  AGENT_ROLES_ASSIGNED: { kind: 'roles.assigned', holder: 'agent' },
  AGENT_ROLES_REMOVED: { kind: 'roles.removed', holder: 'agent' },
} as const satisfies Readonly<Record<string, LoggedType>>

type AuditType = keyof typeof auditTypes

export const targetTypes = ['SPACE', 'GROUP', 'USER', 'AGENT'] as const
type TargetType = (typeof targetTypes)[number]

/** The leaves that can be about each kind of target. */
export const typesAbout: Readonly<Record<TargetType, readonly LoggedType[]>> = {
  SPACE: [auditTypes.SPACE_CREATED, auditTypes.SPACE_DELETED],
  GROUP: [auditTypes.GROUP_CREATED, auditTypes.MEMBERSHIPS_ADDED, auditTypes.MEMBERSHIPS_REMOVED],
  USER: [auditTypes.USER_ROLES_ASSIGNED, auditTypes.USER_ROLES_REMOVED],
  AGENT: [auditTypes.AGENT_ROLES_ASSIGNED, auditTypes.AGENT_ROLES_REMOVED],
}

/** Renders an AuditLog (contract §2.11). */
export function renderLogEntry(entry: LogEntry): object {
  const [auditType, target] = wordsOf(entry)
  return {
    id: logIdOf(entry),
    auditType,
    target: { type: target, id: entry.subjectId },
    actor: { id: entry.actor.id, type: entry.actor.kind === 'human' ? 'user' : 'agent' },
    createdAt: entry.at.toISOString(),
    payload: payloadOf(entry),
  }
}

function wordsOf({ kind, facts }: LogEntry): readonly [AuditType, TargetType] {
  const isAgents = facts['holder'] === 'agent'
  switch (kind) {
    case 'space.created':
      return ['SPACE_CREATED', 'SPACE']
    case 'space.deleted':
      return ['SPACE_DELETED', 'SPACE']
    case 'group.created':
      return ['GROUP_CREATED', 'GROUP']
    case 'memberships.added':
      return ['MEMBERSHIPS_ADDED', 'GROUP']
    case 'memberships.removed':
      return ['MEMBERSHIPS_REMOVED', 'GROUP']
    case 'roles.assigned':
      return isAgents ? ['AGENT_ROLES_ASSIGNED', 'AGENT'] : ['USER_ROLES_ASSIGNED', 'USER']
    case 'roles.removed':
      return isAgents ? ['AGENT_ROLES_REMOVED', 'AGENT'] : ['USER_ROLES_REMOVED', 'USER']
  }
}

function payloadOf({ kind, facts, texts }: LogEntry): object {
  switch (kind) {
    case 'space.created':
    case 'group.created':
      return { name: texts.get('name') ?? erased, description: texts.get('description') ?? null }
    case 'space.deleted':
      return {}
    case 'memberships.added':
    case 'memberships.removed':
      return { members: (facts['members'] as readonly Member[]).map(renderMember) }
    case 'roles.assigned':
    case 'roles.removed':
      return { roles: (facts['roles'] as readonly LoggedRole[]).map((role, index) => renderRole(role, index, texts)) }
  }
}

/** A name that the law had us erase. */
const erased = ''

interface Member {
  readonly kind: 'human' | 'agent'
  readonly id: string
}

function renderMember({ kind, id }: Member): object {
  return { entityId: id, entityType: kind }
}

/** As `rolesInLeaf` wrote it: the name of a template stands among the texts. */
interface LoggedRole {
  readonly roleName: string
  readonly scopeType: Parameters<typeof renderScope>[0]
  readonly scopeId?: string
}

function renderRole({ roleName, scopeType, scopeId }: LoggedRole, index: number, texts: LogEntry['texts']): object {
  const id = scopeId ?? texts.get(`roles[${index}].templateName`) ?? erased
  return { roleName, scope: renderScope(scopeType, id) }
}
