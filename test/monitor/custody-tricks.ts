import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Tx } from '../../src/store/open.ts'
import type { Dice } from '../helpers/dice.ts'
import type { Tampering, Trick } from './tampering.ts'

/** What somebody with the database would do to come by keys that a quorum keeps. */
export const custodyTricks: readonly Trick[] = [
  changing('lower the quorum of a group', 'fortanix_groups', ['group_id'], `policy ->> 'kind' = 'quorum'`, {
    policy: `jsonb_set(policy, '{n}', to_jsonb((policy ->> 'n')::int - 1))`,
  }),
  changing('raise the quorum of a group', 'fortanix_groups', ['group_id'], `policy ->> 'kind' = 'quorum'`, {
    policy: `jsonb_set(policy, '{n}', to_jsonb((policy ->> 'n')::int + 1))`,
  }),
  changing('put somebody else into the quorum of a group', 'fortanix_groups', ['group_id'], 'policy is not null', {
    policy: `jsonb_set(policy, '{members,0}', jsonb_build_object('kind', 'person', 'id', gen_random_uuid()))`,
  }),
  changing('ask no password of a quorum', 'fortanix_groups', ['group_id'], `policy @> '{"requiresPassword":true}'`, {
    policy: `jsonb_set(policy, '{requiresPassword}', 'false')`,
  }),
  changing('take the policy of a group away', 'fortanix_groups', ['group_id'], 'policy is not null', {
    policy: 'null',
  }),
  changing('protect less of a group', 'fortanix_groups', ['group_id'], 'protects is not null', {
    protects: 'protects[2:]',
  }),
  changing('protect no use of the keys of a group', 'fortanix_groups', ['group_id'], 'protects_crypto', {
    protects_crypto: 'false',
  }),
  changing('take the policy of an account away', 'fortanix_accounts', ['org_id'], 'policy is not null', {
    policy: 'null',
    protects: `'{}'`,
  }),
  changing('keep secrets from nobody', 'fortanix_accounts', ['org_id'], 'checks_sensitive', {
    checks_sensitive: 'false',
  }),

  changing('make a member an administrator', 'fortanix_members', ['person_id'], `role <> 'administrator'`, {
    role: `'administrator'`,
  }),
  changing('enable a member', 'fortanix_members', ['person_id'], 'not is_enabled', { is_enabled: 'true' }),
  changing('let an invited person in', 'fortanix_members', ['person_id'], `state = 'invited'`, { state: `'joined'` }),
  changing('have a member vote as another', 'fortanix_members', ['person_id'], 'principal_id is not null', {
    principal_id: `(select id from principals where kind = 'human' and id not in
      (select principal_id from fortanix_members where principal_id is not null) limit 1)`,
  }),
  deleting('delete a member', 'fortanix_members', ['person_id']),
  changing('enable an app', 'fortanix_apps', ['principal_id'], 'not is_enabled', { is_enabled: 'true' }),
  changing('allow an app more in a group', 'fortanix_app_groups', ['principal_id', 'group_id'], 'true', {
    permissions: `permissions || '{EXPORT}'`,
  }),
  changing('move an app to another group', 'fortanix_app_groups', ['principal_id', 'group_id'], 'true', {
    group_id: `(select o.group_id from fortanix_groups o where not exists (
      select from fortanix_app_groups a where a.group_id = o.group_id and a.principal_id = t.principal_id) limit 1)`,
  }),

  changing("enlarge a key's operations", 'fortanix_keys', ['id'], `not 'EXPORT' = any(operations)`, {
    operations: `operations || '{EXPORT}'`,
  }),
  changing('move a key to another group', 'fortanix_keys', ['id'], 'true', {
    group_id: '(select o.group_id from fortanix_groups o where o.group_id <> t.group_id limit 1)',
  }),
  changing('enable a key', 'fortanix_keys', ['id'], 'not is_enabled', { is_enabled: 'true' }),
  changing('revive a key', 'fortanix_keys', ['id'], `state <> 'Active'`, { state: `'Active'` }),
  changing('reset the counter of a key', 'fortanix_keys', ['id'], 'used > 0', { used: '0' }),
  changing('undo the last use of a key', 'fortanix_keys', ['id'], 'used > 1', { used: 'used - 1' }),
  changing('exchange what a key is made of', 'fortanix_keys', ['id'], 'material is not null', {
    material: '(select o.material from fortanix_keys o where o.id <> t.id and o.material is not null limit 1)',
  }),
  changing('give a key back what was destroyed', 'fortanix_keys', ['id'], 'material is null', {
    material: '(select o.material from fortanix_keys o where o.material is not null limit 1)',
  }),
  changing('exchange the public half of a key', 'fortanix_keys', ['id'], 'public_key is not null', {
    public_key: '(select o.public_key from fortanix_keys o where o.id <> t.id and o.public_key is not null limit 1)',
  }),

  changing('swap the public key of a security key', 'person_credentials', ['person_id', 'id'], isKey, {
    public_key: `(select o.public_key from person_credentials o where o.id <> t.id and o.public_key is not null limit 1)`,
  }),
  changing('give a security key to somebody else', 'person_credentials', ['person_id', 'id'], isKey, {
    person_id: `(select u.person_id from fortanix_users u where u.person_id <> t.person_id limit 1)`,
  }),
  changing('set a security key back', 'person_credentials', ['person_id', 'id'], 'counter > 0', {
    counter: 'counter - 1',
  }),
  changing('have a security key ask for another origin', 'person_credentials', ['person_id', 'id'], isKey, {
    details: `jsonb_set(details, '{origin}', '"https://evil.example"')`,
  }),
  changing('give somebody the password of another', 'person_credentials', ['person_id', 'id'], `kind = 'password'`, {
    hash: `(select o.hash from person_credentials o where o.id <> t.id and o.hash is not null limit 1)`,
  }),
  deleting('take a security key away', 'person_credentials', ['person_id', 'id'], isKey),
  changing('verify somebody', 'fortanix_users', ['person_id'], 'verified_at is null', { verified_at: 'now()' }),
  smugglingCode(),

  changing('edit the body of an operation', 'fortanix_requests', ['request_id'], 'body is not null', {
    body: '(select o.body from fortanix_requests o where o.request_id <> t.request_id and o.body is not null limit 1)',
  }),
  changing('take the body of an operation away', 'fortanix_requests', ['request_id'], 'body is not null', {
    body: 'null',
  }),
  changing('edit the path of an operation', 'fortanix_requests', ['request_id'], 'true', {
    operation: `operation || '/private'`,
  }),
  changing('edit the query of an operation', 'fortanix_requests', ['request_id'], `operation like '%?%'`, {
    operation: `split_part(operation, '?', 1) || '?why=other'`,
  }),
  changing('edit the method of an operation', 'fortanix_requests', ['request_id'], `method <> 'DELETE'`, {
    method: `'DELETE'`,
  }),
  changing('ask for an operation as somebody else', 'fortanix_requests', ['request_id'], 'true', {
    requester_id: `(select m.person_id from fortanix_members m where m.person_id <> t.requester_id limit 1)`,
  }),
  changing('edit the result of an operation', 'fortanix_requests', ['request_id'], 'result is not null', {
    result: '(select o.body from fortanix_requests o where o.body is not null limit 1)',
  }),
  changing('do an operation once more', 'fortanix_requests', ['request_id'], `execution in ('succeeded', 'failed')`, {
    execution: `'due'`,
    result_status: 'null',
    result: 'null',
    executed_at: 'null',
  }),
  changing('do an operation that waits', 'fortanix_requests', ['request_id'], `execution in ('waiting', 'denied')`, {
    execution: `'due'`,
  }),
  changing('open a denied operation again', 'fortanix_requests', ['request_id'], `execution = 'denied'`, {
    execution: `'waiting'`,
  }),
  changing('call a result no secret', 'fortanix_requests', ['request_id'], 'is_sensitive', { is_sensitive: 'false' }),
  changing('let an operation wait for longer', 'fortanix_requests', ['request_id'], 'true', {
    expires_at: `expires_at + interval '1 day'`,
  }),
  changing('let somebody review an operation without proof', 'fortanix_requests', ['request_id'], needsKey, {
    reviewers: `jsonb_set(reviewers, '{0,requiresSecurityKey}', 'false')`,
  }),
  changing('let somebody else review an operation', 'fortanix_requests', ['request_id'], 'true', {
    reviewer_ids: 'reviewer_ids || gen_random_uuid()',
  }),
  deleting('take an operation away', 'fortanix_requests', ['request_id']),
  deleting('take away what came with an approval', 'fortanix_approvals', ['request_id', 'principal_id']),
  changing('exchange what came with an approval', 'fortanix_approvals', ['request_id', 'principal_id'], 'true', {
    body: '(select o.body from fortanix_requests o where o.body is not null limit 1)',
  }),
  changing("edit what a voter's key signed", 'votes', ['request_id', 'seq'], 'evidence is not null', {
    evidence: `jsonb_set(evidence, '{publicKey}', '"other"')`,
  }),
  changing("take what a voter's key signed away", 'votes', ['request_id', 'seq'], 'evidence is not null', {
    evidence: 'null',
  }),
]

function isKey(): string {
  return `kind = 'security-key'`
}

function needsKey(): string {
  return `reviewers @> '[{"requiresSecurityKey":true}]'`
}

type Where = string | (() => string)

/** @param columns in SQL; the row itself is `t` */
function changing(
  name: string,
  table: string,
  key: readonly string[],
  where: Where,
  columns: Readonly<Record<string, string>>,
): Trick {
  const set = Object.entries(columns).map(([column, value]) => `${column} = ${value}`)
  return custody(name, table, key, where, (which) => `update ${table} t set ${set.join()} where ${which}`)
}

function deleting(name: string, table: string, key: readonly string[], where: Where = 'true'): Trick {
  return custody(name, table, key, where, (which) => `delete from ${table} t where ${which}`)
}

function custody(
  name: string,
  table: string,
  key: readonly string[],
  where: Where,
  statement: (which: string) => string,
): Trick {
  const among = typeof where === 'string' ? where : where()
  return {
    name: `custody: ${name}`,
    needsMemory: false,
    async play(tx, dice) {
      const picked = await pick(tx, table, key, among, dice)
      if (picked === null) return null
      const which = key.map((column) => `t.${column} = '${String(picked[column])}'`).join(' and ')
      await sql.raw(statement(which)).execute(tx)
      return { what: name, rows: [named(table, key, picked)] }
    },
  }
}

/** Somebody writes a code of their own among those that a person lost. */
function smugglingCode(): Trick {
  return {
    name: 'custody: put a recovery code of one’s own',
    needsMemory: false,
    async play(tx, dice) {
      const picked = await pick(tx, 'fortanix_users', ['person_id'], 'true', dice)
      if (picked === null) return null
      const code = createHash('sha256').update(randomBytes(16)).digest('hex')
      await sql`insert into fortanix_recovery_codes values (${picked['person_id']}, ${code}, now())`.execute(tx)
      return {
        what: 'inserted',
        rows: [{ table: 'fortanix_recovery_codes', row: `${String(picked['person_id'])}/${code}` }],
      }
    },
  }
}

type Key = Readonly<Record<string, unknown>>

async function pick(tx: Tx, table: string, key: readonly string[], where: string, dice: Dice): Promise<Key | null> {
  const order = key.map((column) => `t.${column}`).join()
  const { rows } = await sql.raw<Key>(`select ${order} from ${table} t where ${where} order by ${order}`).execute(tx)
  return rows.length === 0 ? null : dice.pick(rows)
}

function named(table: string, key: readonly string[], row: Key): Tampering['rows'][number] {
  return { table, row: key.map((column) => String(row[column])).join('/') }
}
