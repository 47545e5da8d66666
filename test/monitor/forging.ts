import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { canonicalJson } from '../../src/audit/leaf.ts'
import type { Tx } from '../../src/store/open.ts'
import { orgId } from '../helpers/quorum.ts'
import type { Trick } from './tampering.ts'

/** A membership with the leaf that tells of it, both by hand: what no one has marked is none of the server's. */
export const forgeries: readonly Trick[] = [
  forging('the next leaf', `nextval('audit_leaves_order')`, null),
  forging('a leaf with a mark of its own', `nextval('audit_leaves_order')`, 32),
  forging('a leaf far ahead', '9000000000000000', 32),
]

function forging(what: string, id: string, markBytes: number | null): Trick {
  return {
    name: `forge ${what}`,
    needsMemory: false,
    async play(tx, dice) {
      const { rows } = await sql<Stranger>`select g.id as "group", a.id as principal from groups g, principals a
        where g.org_id = ${orgId} and a.org_id = ${orgId} and not exists (
          select from memberships m where m.group_id = g.id and m.principal_id = a.id)
        order by g.id, a.id`.execute(tx)
      if (rows.length === 0) return null
      const leafId = await forge(tx, dice.pick(rows), id, markBytes === null ? null : randomBytes(markBytes))
      return { what, rows: [{ table: 'audit_leaves', row: leafId }] }
    },
  }
}

interface Stranger {
  readonly group: string
  readonly principal: string
}

async function forge(tx: Tx, { group, principal }: Stranger, id: string, mark: Buffer | null): Promise<string> {
  const at = '2026-11-21T12:00:00.000Z'
  const kind = 'memberships.added'
  const content = canonicalJson({
    v: 1,
    org: orgId,
    kind,
    subject: group,
    actor: { kind: 'system' },
    at,
    nonce: randomBytes(16).toString('base64url'),
    facts: { members: [{ kind: 'human', id: principal }] },
  })
  await sql`insert into memberships (org_id, group_id, principal_id, added_at)
    values (${orgId}, ${group}, ${principal}, ${at})`.execute(tx)
  await sql`update groups set member_count = member_count + 1 where id = ${group}`.execute(tx)
  const { rows } = await sql<{ id: string }>`
    insert into audit_leaves (org_id, id, kind, subject_id, content, mark, created_at)
    values (${orgId}, ${sql.raw(id)}, ${kind}, ${group}, ${content}, ${mark}, ${at}) returning id`.execute(tx)
  return rows[0]?.id ?? ''
}
