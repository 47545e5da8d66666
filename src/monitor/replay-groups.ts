import { jsonText } from './json-text.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, keyOf, type ToldRow, type ToldTable } from './told-table.ts'

export interface ToldGroups {
  readonly groups: ToldTable
  readonly memberships: ToldTable
}

export function newGroups(): ToldGroups {
  return { groups: new Map(), memberships: new Map() }
}

export function replayGroups(told: ToldGroups, leaf: ToldLeaf): void {
  const { kind, subject, facts, at } = leaf
  switch (kind) {
    case 'group.created':
      told.groups.set(subject, created(leaf))
      // A role of another dialect is nobody's until it is given.
      if (facts['member'] === undefined) return
      told.memberships.set(keyOf(subject, facts['member'] as string), { ...unbound, added_at: at })
      return
    case 'group.changed':
      return change(told.groups, subject, { ...shown(leaf), permissions: facts['permissions'], updated_at: at })
    case 'group.deleted':
      return change(told.groups, subject, { deleted_at: at, updated_at: at })
    case 'memberships.added':
      for (const key of membersOf(leaf)) told.memberships.set(key, { ...unbound, added_at: at })
      return count(told, leaf, 1)
    case 'memberships.removed':
      for (const key of membersOf(leaf)) told.memberships.delete(key)
      return count(told, leaf, -1)
  }
}

function created(leaf: ToldLeaf): ToldRow {
  const { facts, at } = leaf
  return {
    ...shown(leaf),
    member_count: facts['member'] === undefined ? 0 : 1,
    // The first leaves of old told neither, for there was one kind of groups.
    dialect: facts['dialect'] ?? 'native',
    permissions: facts['permissions'] ?? [],
    deleted_at: null,
    created_at: at,
    updated_at: at,
  }
}

function shown(leaf: ToldLeaf): ToldRow {
  // A group of the native dialect has none.
  const attributes = jsonText(leaf, 'attributes', {})
  return { name: leaf.text('name'), description: leaf.text('description'), attributes }
}

/** Of who is a member for as long as nobody takes them out. */
const unbound = { starts_at: null, ends_at: null }

function membersOf({ subject, facts }: ToldLeaf): string[] {
  return (facts['members'] as readonly { readonly id: string }[]).map(({ id }) => keyOf(subject, id))
}

function count({ groups }: ToldGroups, leaf: ToldLeaf, sign: 1 | -1): void {
  const group = groups.get(leaf.subject)
  if (group === undefined) return
  group['member_count'] = Number(group['member_count']) + sign * membersOf(leaf).length
  group['updated_at'] = leaf.at
}
