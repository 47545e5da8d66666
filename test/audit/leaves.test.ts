import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commitmentTo, type LeafKind } from '../../src/audit/leaf.ts'
import { orgId } from '../helpers/quorum.ts'
import type { Answer } from '../helpers/world.ts'
import { byAda, startScene, steps, world, type Facts } from './steps.ts'

let scene: AsyncDisposable
beforeAll(async () => void (scene = await startScene()))
afterAll(() => scene[Symbol.asyncDispose]())

/** What decisions rest on, each with the columns that follow from other rows or only count writes. */
const state: Readonly<Record<string, readonly string[]>> = {
  organizations: [],
  people: [],
  principals: ['row_version', 'eligibility_version', 'ended_sessions'],
  former_owners: [],
  organization_admins: [],
  groups: ['row_version', 'updated_at'],
  memberships: [],
  role_bindings: [],
  spaces: ['row_version', 'updated_at'],
  policies: ['row_version', 'updated_at'],
  requests: ['updated_at'],
  votes: [],
  quotas: ['row_version', 'updated_at'],
  api_keys: ['last_used_at'],
  grants: [],
  request_grants: [],
  credentials: [],
  person_credentials: [],
  fortanix_users: [],
  fortanix_recovery_codes: [],
  fortanix_accounts: ['updated_at'],
  fortanix_members: ['updated_at'],
  fortanix_groups: [],
  fortanix_apps: ['updated_at'],
  fortanix_app_groups: [],
  fortanix_keys: ['used', 'last_used_at'],
  fortanix_requests: [],
  fortanix_approvals: [],
  privx_users: [],
  privx_workflows: [],
  privx_requests: [],
  privx_settings: [],
  webhook_keys: [],
  sessions: ['last_used_at'],
}

/** What comes and goes by itself, or tells how something that has its leaf was done. */
const working = [
  'agent_challenges',
  'call_counters',
  'deliveries',
  'fortanix_sessions',
  'idempotency_keys',
  'key_challenges',
  'oauth_flows',
  'refresh_tokens',
  'request_counts',
  'seen_proofs',
  'server_secrets',
  'sign_in_flows',
  'single_use_tokens',
]

interface StoredLeaf {
  readonly id: string
  readonly kind: LeafKind
  readonly subject: string
  readonly actor: object
  readonly facts: Facts
  readonly committed?: Readonly<Record<string, string>>
  readonly content: string
  readonly private: Readonly<Record<string, { salt: string; text: string }>> | null
}

async function leavesAfter(last: bigint): Promise<StoredLeaf[]> {
  const rows = await world.ctx.db.selectFrom('audit_leaves').selectAll().orderBy('id').execute()
  return rows
    .filter((row) => BigInt(row.id) > last)
    .map((row) => ({
      ...(JSON.parse(row.content) as Omit<StoredLeaf, 'id' | 'content' | 'private'>),
      id: row.id,
      content: row.content,
      private: row.private as StoredLeaf['private'],
    }))
}

const lastLeaf = async (): Promise<bigint> => BigInt((await leavesAfter(-1n)).at(-1)?.id ?? -1)

/** The rows of every table of state, each as one text. */
async function stateNow(): Promise<Map<string, string>> {
  const tables = new Map<string, string>()
  for (const [table, ignored] of Object.entries(state)) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(world.ctx.db)
    const kept = rows.map((row) => Object.entries(row).filter(([column]) => !ignored.includes(column)))
    tables.set(
      table,
      kept
        .map((row) => JSON.stringify(row))
        .toSorted()
        .join('\n'),
    )
  }
  return tables
}

function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...before.keys()].filter((table) => before.get(table) !== after.get(table)).toSorted()
}

/** As long as it lasts no leaf can be written. */
async function withoutLeaves<T>(act: () => Promise<T>): Promise<T> {
  await sql`create or replace function no_leaf() returns trigger language plpgsql as
    $$ begin raise exception 'the log is full'; end $$`.execute(world.ctx.db)
  await sql`create trigger no_leaf before insert on audit_leaves execute function no_leaf()`.execute(world.ctx.db)
  try {
    return await act()
  } finally {
    await sql`drop trigger no_leaf on audit_leaves`.execute(world.ctx.db)
  }
}

/** Whether it was told that it did not happen: a browser by being sent to a page that says so. */
function isToldFailed(answer: Answer | void | Error): boolean {
  if (answer === undefined) return false
  if (answer instanceof Error) return true
  return answer.status >= 500 || String(answer.headers['location']).includes('error=')
}

describe('whatever changes something leaves its leaves, and nothing is changed without', () => {
  it('the organization, when the store was made', async () => {
    const [first] = await leavesAfter(-1n)
    expect(first).toMatchObject({ kind: 'organization.created', subject: orgId, actor: { kind: 'system' } })
    expect(first?.facts).toEqual({})
  })

  it.each(steps)('$name', async ({ does, leaves = () => [], changes = [], by = byAda }) => {
    const [before, last] = [await stateNow(), await lastLeaf()]
    const failed = await withoutLeaves(() => does().catch((error: unknown) => error as Error))
    const isQuiet = leaves().length === 0
    expect(isToldFailed(failed)).toBe(!isQuiet)
    expect(differing(before, await stateNow())).toEqual([])
    expect(await lastLeaf()).toBe(last)

    const answer = await does()
    if (answer !== undefined) expect([answer.status < 400, answer.body]).toEqual([true, answer.body])
    expect(differing(before, await stateNow())).toEqual([...changes].toSorted())
    const written = await leavesAfter(last)
    expect(written.map(({ kind, facts }) => [kind, facts])).toEqual(leaves())
    const actors = by()
    const each = Array.isArray(actors) ? actors : written.map(() => actors)
    expect(written.map(({ actor }) => actor)).toEqual(each)
  })
})

describe('all of it', () => {
  it('every call that is no reading one is among the steps', () => {
    const routes = world.app.printRoutes({ commonPrefix: false, includeHooks: false })
    const called = new Set(steps.map(({ name }) => name.split(': ', 1)[0]))
    expect(routes).toContain('workflow-templates')
    expect(writingRoutes(routes).filter((route) => !hasStep(called, route))).toEqual([])
  })

  it('every table holds state, or is known to hold none', async () => {
    const { rows } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = 'public'`.execute(world.ctx.db)
    // The log itself tells of itself in its signed heads.
    const others = ['audit_leaves', 'kysely_migration', 'kysely_migration_lock']
    const tables = rows.map(({ name }) => name).filter((name) => !name.startsWith('log_') && !others.includes(name))
    expect(tables.toSorted()).toEqual([...Object.keys(state), ...working].toSorted())
  })

  it('no name and no free text is in a leaf; each is committed to, and the text beside opens the commitment', async () => {
    for (const { content, committed = {}, private: kept, kind } of await leavesAfter(-1n)) {
      expect(content.toLowerCase()).not.toContain('zebra')
      for (const [name, { salt, text: opened }] of Object.entries(kept ?? {})) {
        expect(committed[name]).toBe(commitmentTo(salt, opened))
      }
      const elsewhere = kind === 'vote.cast' ? ['reason'] : []
      expect(Object.keys(committed).filter((name) => kept?.[name] === undefined && !elsewhere.includes(name))).toEqual(
        [],
      )
    }
  })

  it('docs/leaves.md lists every kind with exactly the facts and commitments that it has', async () => {
    const documented = await documentedKinds()
    const seen = Map.groupBy(await leavesAfter(-1n), ({ kind }) => kind)
    expect([...seen.keys(), ...byCommand].toSorted()).toEqual(Object.keys(kinds).toSorted())
    expect([...documented.keys()].toSorted()).toEqual(Object.keys(kinds).toSorted())
    for (const [kind, leaves] of seen) {
      const { facts, committed } = documented.get(kind)!
      for (const leaf of leaves) {
        expectMembers(kind, Object.keys(leaf.facts), facts)
        expectMembers(kind, Object.keys(leaf.committed ?? {}).map(withoutIndex), committed)
      }
      const everSeen = new Set(
        leaves.flatMap((leaf) => Object.keys({ ...leaf.facts, ...leaf.committed }).map(withoutIndex)),
      )
      const never = [...facts, ...committed].map(bare).filter((name) => !everSeen.has(name))
      expect([kind, never]).toEqual([kind, []])
    }
  })
})

/** Exhaustive by its type: a new kind has to be documented, and some step has to leave it. */
const kinds: Readonly<Record<LeafKind, true>> = {
  'organization.created': true,
  'user.created': true,
  'user.signed-in': true,
  'user.stepped-up': true,
  'user.disabled': true,
  'user.enabled': true,
  'user.changed': true,
  'user.removed': true,
  'password.changed': true,
  'security-key.added': true,
  'security-key.renamed': true,
  'security-key.removed': true,
  'security-key.used': true,
  'sessions.ended': true,
  'agent.registered': true,
  'api-client.created': true,
  'api-client.changed': true,
  'api-client.removed': true,
  'api-client.secret-changed': true,
  'api-key.created': true,
  'api-key.rotated': true,
  'api-key.revoked': true,
  'webhook-key.created': true,
  'webhook-key.revoked': true,
  'webhook-key.read': true,
  'agent.signed-in': true,
  'agent.changed': true,
  'agent.key-rotated': true,
  'agent.revoked': true,
  'agent.restored': true,
  'admin.added': true,
  'admin.removed': true,
  'group.created': true,
  'group.changed': true,
  'group.deleted': true,
  'memberships.added': true,
  'memberships.removed': true,
  'space.created': true,
  'space.deleted': true,
  'roles.assigned': true,
  'roles.removed': true,
  'quota.created': true,
  'quota.changed': true,
  'quota.deleted': true,
  'template.created': true,
  'template.updated': true,
  'template.deprecated': true,
  'template.closed': true,
  'template.deleted': true,
  'workflow.created': true,
  'workflow.changed': true,
  'workflow.deleted': true,
  'access-settings.changed': true,
  'request.created': true,
  'request.canceled': true,
  'request.expired': true,
  'request.stage-closed': true,
  'vote.cast': true,
  'request.deleted': true,
  'request.terms-changed': true,
  'request.grant-revoked': true,
  'grant.made': true,
  'grant.used': true,
  'grant.ended': true,
  'delivery.requeued': true,
  'action.tested': true,
  'text.erased': true,
  'person.registered': true,
  'person.changed': true,
  'person.recovery-codes-made': true,
  'person.signed-in': true,
  'person.proved-factor': true,
  'person.signed-out': true,
  'person.shut-out': true,
  'account.created': true,
  'account.changed': true,
  'account.selected': true,
  'member.invited': true,
  'member.joined': true,
  'member.changed': true,
  'member.declined': true,
  'quorum.set': true,
  'app.created': true,
  'app.changed': true,
  'app.secret-reset': true,
  'app.secret-read': true,
  'key.created': true,
  'key.changed': true,
  'key.used': true,
  'key.exported': true,
  'key.deleted': true,
  'operation.requested': true,
  'operation.contributed': true,
  'operation.due': true,
  'operation.executed': true,
  'operation.result-read': true,
}

/** Left by a command (`quorate erase`) and no call: no step leaves them. */
const byCommand: readonly LeafKind[] = ['text.erased', 'person.shut-out']

/** `roles[3].templateName` is one name, whatever the number. */
const withoutIndex = (name: string): string => name.replace(/\[\d+\]/, '[…]')
const bare = (name: string): string => name.replace('?', '')

function expectMembers(kind: string, members: readonly string[], documented: readonly string[]): void {
  expect([kind, members.filter((name) => !documented.map(bare).includes(name))]).toEqual([kind, []])
  const needed = documented.filter((name) => !name.endsWith('?'))
  expect([kind, needed.filter((name) => !members.includes(name))]).toEqual([kind, []])
}

type Documented = ReadonlyMap<string, { readonly facts: readonly string[]; readonly committed: readonly string[] }>

/** The table of docs/leaves.md. */
async function documentedKinds(): Promise<Documented> {
  const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'leaves.md'), 'utf8')
  const found = new Map<string, { facts: string[]; committed: string[] }>()
  const names = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')
  for (const line of page.split('\n')) {
    const [, kind, , facts, committed] = line.split('|').map((cell) => cell.trim())
    if (kind === undefined || !/^`[a-z-]+\.[a-z-]+`$/.test(kind)) continue
    // One kind may have all that another has.
    const take = (cell: string | undefined, part: 'facts' | 'committed') =>
      names(cell).flatMap((name) => found.get(name)?.[part] ?? [name])
    found.set(kind.slice(1, -1), { facts: take(facts, 'facts'), committed: take(committed, 'committed') })
  }
  return found
}

/** Method and path of every route that may write, from Fastify's own drawing of its tree. */
function writingRoutes(drawing: string): string[] {
  const open: string[] = []
  return drawing.split('\n').flatMap((line) => {
    const found = /^([│ ]*)[├└]── (\S+) \(([^)]*)\)$/.exec(line.trimEnd())
    if (found === null) return []
    const [, indent = '', part = '', methods = ''] = found
    const depth = indent.length / 4
    open.length = depth
    open[depth] = part
    const path = open.join('').replace(/\/{2,}/g, '/')
    const writing = methods.split(', ').filter((method) => ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method))
    return part === '*' ? [] : writing.map((method) => `${method} ${path}`)
  })
}

function hasStep(called: ReadonlySet<string | undefined>, route: string): boolean {
  return called.has(route) || called.has(route.replace(' ', ' /').replace('//', '/'))
}
