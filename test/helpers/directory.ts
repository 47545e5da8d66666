import { expect, test } from 'vitest'
import { defaultOrganization } from '../../src/identity/organization.ts'
import { insertPrincipal } from '../../src/store/people.ts'
import type { QuotaType } from '../../src/store/quotas.ts'
import type { Answer, Client, World } from './world.ts'

const orgId = defaultOrganization.id

/** An id of the right form that names nothing. */
export const unknownId = '01890000-0000-7000-8000-000000000001'

/** Registers an agent without the second that making its key takes. */
export async function agent(world: World, name: string, responsible: Client): Promise<Client> {
  const id = world.ctx.newId()
  const { person_id } = await world.ctx.db
    .selectFrom('principals')
    .select('person_id')
    .where('id', '=', responsible.id)
    .executeTakeFirstOrThrow()
  const at = world.clock.now()
  const row = {
    org_id: orgId,
    id,
    kind: 'agent',
    person_id,
    name,
    public_key: `PEM of ${name}`,
    created_at: at,
  } as const
  await world.ctx.db.transaction().execute((tx) => insertPrincipal(tx, row))
  return await world.signedIn(id)
}

/** Someone whose token outlived them. */
export async function ghost(world: World): Promise<Client> {
  const person = await world.person('Ghost')
  await world.ctx.db.deleteFrom('principals').where('id', '=', person.id).execute()
  return person
}

/** Puts a template straight into the store; gives its id. */
export async function template(world: World, name: string, spaceId: string | null, version = 1): Promise<string> {
  const id = world.ctx.newId()
  const at = world.clock.now()
  const stages = [{ rule: { kind: 'seats', atLeast: 1, from: { kind: 'group', id: unknownId }, assurance: [] } }]
  await world.ctx.db
    .insertInto('policies')
    .values({
      org_id: orgId,
      id,
      dialect: 'native',
      space_id: spaceId,
      name,
      version,
      metadata: '{}',
      status: version === 1 ? 'active' : 'deprecated',
      takes_votes_when_inactive: true,
      rule: '{}',
      stages: JSON.stringify(stages),
      options: '{}',
      natural_persons: false,
      group_ids: [],
      actions: Buffer.of(0),
      row_version: 1,
      created_at: at,
      updated_at: at,
    })
    .execute()
  return id
}

/** Sets a quota straight in the store. */
export async function quota(
  world: World,
  quotaType: QuotaType,
  limit: number,
  scope = 'Org',
  targetId: string = orgId,
): Promise<() => Promise<void>> {
  const id = world.ctx.newId()
  const at = world.clock.now()
  await world.ctx.db
    .insertInto('quotas')
    .values({
      org_id: orgId,
      id,
      quota_type: quotaType,
      scope,
      target_id: targetId,
      limit,
      created_at: at,
      updated_at: at,
    })
    .execute()
  return async () => void (await world.ctx.db.deleteFrom('quotas').where('id', '=', id).execute())
}

/** The id at the end of a 201's Location. */
export function madeId(answer: Answer): string {
  expect(answer).toMatchObject({ status: 201 })
  return String(answer.headers['location']).split('/').at(-1) ?? ''
}

/** Kinds of the leaves about a subject, oldest first. */
export async function leavesOf(world: World, subjectId: string): Promise<string[]> {
  const rows = await world.ctx.db
    .selectFrom('audit_leaves')
    .select('kind')
    .where('subject_id', '=', subjectId)
    .orderBy('id')
    .execute()
  return rows.map((row) => row.kind)
}

/** How much there is in every table that a call here may write: a refused call leaves all of it alone. */
export async function contents(world: World): Promise<Record<string, unknown>> {
  const { db } = world.ctx
  const tables = [
    'principals',
    'organization_admins',
    'groups',
    'memberships',
    'role_bindings',
    'spaces',
    'quotas',
    'webhook_keys',
    'deliveries',
  ] as const
  const entries = await tables.reduce<Promise<[string, unknown][]>>(async (read, table) => {
    const rows = await db.selectFrom(table).selectAll().execute()
    return [...(await read), [table, rows.map((row) => JSON.stringify(row)).toSorted()]]
  }, Promise.resolve([]))
  const leaves = await db.selectFrom('audit_leaves').select('id').execute()
  return { ...Object.fromEntries(entries), leaves: leaves.length }
}

export type Cast<K extends string> = Readonly<Record<K, Pick<Client, 'get' | 'post' | 'put' | 'patch' | 'delete'>>>

/** One line of a table: who calls what, and what they are told. */
export interface Case<K extends string> {
  readonly name: string
  readonly as: K
  readonly path: () => string
  readonly body?: () => unknown
  readonly status: number
  readonly code?: string
  /** The member that a refusal must name. */
  readonly field?: string
  /** More to hold of the answer. */
  readonly check?: (answer: Answer) => void | Promise<void>
}

/**
 * A test for each line, titled `{row} {status} {code}: {name}`. A refused call must leave what is stored as it was.
 * @param row method and path as the contract writes them
 */
export function table<K extends string>(
  row: string,
  setting: () => { world: World; cast: Cast<K> },
  cases: Case<K>[],
): void {
  const method = row.split(' ', 1)[0]?.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete'
  for (const { name, as, path, body, status, code, field, check } of cases) {
    test(`${row} ${status}${code === undefined ? '' : ` ${code}`}: ${name}`, async () => {
      const { world, cast } = setting()
      const before = code === undefined ? null : await contents(world)
      const answer = await cast[as][method](path(), body?.())
      expect(answer).toMatchObject(code === undefined ? { status } : { status, body: { code } })
      if (field !== undefined) expect(answer.body.details).toMatchObject([{ field }])
      if (before !== null) expect(await contents(world)).toEqual(before)
      await check?.(answer)
    })
  }
}

/** What every protected route answers to who has no token, and to who is gone, whatever else is wrong with the call. */
export function callerCases<K extends string>(path: () => string, nobody: K, gone: K): Case<K>[] {
  return [
    { name: 'no token', as: nobody, path, status: 401, code: 'MISSING_JWT_TOKEN' },
    { name: 'a caller who is gone', as: gone, path, status: 401, code: 'USER_NOT_FOUND' },
  ]
}
