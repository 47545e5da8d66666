import type { ToldPrincipals } from './replay-principals.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, keyOf, type ToldRow, type ToldTable } from './told-table.ts'

/** What the dialect fortanix keeps of an account beside its keys: who is in it, its groups, its apps, and what needs a quorum. */
export interface ToldAccounts {
  readonly fortanix_accounts: ToldTable
  readonly fortanix_members: ToldTable
  readonly fortanix_groups: ToldTable
  readonly fortanix_apps: ToldTable
  readonly fortanix_app_groups: ToldTable
}

export function newAccounts(): ToldAccounts {
  return {
    fortanix_accounts: new Map(),
    fortanix_members: new Map(),
    fortanix_groups: new Map(),
    fortanix_apps: new Map(),
    fortanix_app_groups: new Map(),
  }
}

export function replayAccounts(told: ToldAccounts & ToldPrincipals, leaf: ToldLeaf): void {
  const { kind, subject, facts, at } = leaf
  switch (kind) {
    case 'account.created':
      told.fortanix_accounts.set(subject, {
        ...unset,
        creator_id: facts['creator'] ?? null,
        created_at: at,
        updated_at: at,
      })
      return
    case 'account.changed':
      return change(told.fortanix_accounts, subject, changed(leaf))
    case 'quorum.set':
      return setQuorum(told, leaf)
    case 'member.invited':
    case 'member.joined':
    case 'member.changed':
      return addMember(told.fortanix_members, leaf)
    case 'member.declined':
      told.fortanix_members.delete(subject)
      return
    case 'group.created':
      if (facts['dialect'] !== 'fortanix') return
      told.fortanix_groups.set(subject, { creator: creatorIn(told, leaf), ...noQuorum })
      return
    case 'group.deleted':
      return leaveGroups(told, (_app, group) => group === subject)
    case 'app.created':
      told.fortanix_apps.set(subject, { creator: creatorIn(told, leaf), created_at: at })
      return writeApp(told, leaf)
    case 'app.changed':
      return writeApp(told, leaf)
    case 'api-client.removed':
      told.fortanix_apps.delete(subject)
      leaveGroups(told, (app) => app === subject)
  }
}

/** Of an account of which nothing was said yet; 30 days (contract fortanix §4.4). */
const unset = {
  description: null,
  policy: null,
  protects: [],
  request_seconds: 2_592_000,
  retains_expired: false,
  logs_expired: false,
  checks_sensitive: true,
}

const noQuorum = { policy: null, protects: null, protects_manage: true, protects_crypto: true }

/** What a leaf does not say stays. */
function changed(leaf: ToldLeaf): ToldRow {
  const { facts, at } = leaf
  const description = leaf.text('description')
  const said = {
    request_seconds: facts['requestSeconds'],
    retains_expired: facts['retainsExpired'],
    logs_expired: facts['logsExpired'],
    checks_sensitive: facts['checksSensitive'],
  }
  return {
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
    ...(description !== null && { description }),
    updated_at: at,
  }
}

function setQuorum(told: ToldAccounts, { subject, facts }: ToldLeaf): void {
  const { policy, protects } = facts
  if (facts['of'] === 'account') return change(told.fortanix_accounts, subject, { policy, protects: protects ?? [] })
  change(told.fortanix_groups, subject, {
    policy,
    protects: protects ?? null,
    protects_manage: facts['protectsManage'] ?? true,
    protects_crypto: facts['protectsCrypto'] ?? true,
  })
}

function addMember(members: ToldTable, { kind, subject, facts, at }: ToldLeaf): void {
  const before = members.get(subject)
  const state = kind === 'member.changed' ? before?.['state'] : kind === 'member.joined' ? 'joined' : 'invited'
  members.set(subject, {
    principal_id: facts['principal'] ?? null,
    role: facts['role'],
    is_enabled: facts['isEnabled'],
    state,
    created_at: before?.['created_at'] ?? at,
    updated_at: at,
  })
}

function writeApp(told: ToldAccounts, leaf: ToldLeaf): void {
  const { subject, facts, at } = leaf
  change(told.fortanix_apps, subject, {
    name: leaf.text('name'),
    description: leaf.text('description'),
    app_type: leaf.text('appType'),
    role: facts['role'],
    default_group: facts['defaultGroup'] ?? null,
    is_enabled: facts['isEnabled'],
    updated_at: at,
  })
  leaveGroups(told, (app) => app === subject)
  for (const { group, permissions } of facts['groups'] as readonly { group: string; permissions: string[] }[]) {
    told.fortanix_app_groups.set(keyOf(subject, group), { permissions })
  }
}

function leaveGroups({ fortanix_app_groups: table }: ToldAccounts, isLeft: (app: string, group: string) => boolean) {
  for (const key of table.keys()) {
    const [app = '', group = ''] = key.split('/')
    if (isLeft(app, group)) table.delete(key)
  }
}

/** Who made something, as the row has it: a person, whoever votes for them, or an app. */
export function creatorIn({ principals }: ToldPrincipals, { actor }: ToldLeaf): unknown {
  if (actor.kind === 'agent') return { app: actor.id }
  const person = principals.get(actor.id ?? '')?.['person_id']
  return person === undefined ? undefined : { person }
}
