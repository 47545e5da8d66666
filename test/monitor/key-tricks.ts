import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { readLogKeys, signersOf } from '../../src/audit/log-key.ts'
import { keyIdOf, signatureLine, type NoteSigner } from '../../src/proof/note.ts'
import { cosigner } from '../../src/proof/cosignature.ts'
import type { Tx } from '../../src/store/open.ts'
import { ed25519FromSeed } from '../helpers/ed25519.ts'
import { orgId } from '../helpers/quorum.ts'
import { insertLeafAt, leavesInOrder, originIn, signAnew } from './rewriting.ts'
import type { Tampering, Trick } from './tampering.ts'

/** What can be done to whoever vouches for the log: its keys, its witnesses, and when it was signed. */
export const keyTricks: readonly Trick[] = [
  {
    name: 'sign with a key that is over',
    needsMemory: true,
    async play(tx, dice, ctx) {
      const keys = await readLogKeys({ ...ctx, db: tx })
      const first = keys.at(-1)
      if (first === undefined || keys.length < 2) return null
      const origin = await originIn(tx)
      const added = await insertLeafAt(tx, String(10_000_000 + dice.roll(1_000_000)))
      const leaves = [...(await leavesInOrder(tx)), added]
      await signAnew(tx, ctx, leaves, signersOf([{ ...first, until: null }], origin, ctx.clock.now()))
      return { what: `${leaves.length} leaves`, rows: [{ table: 'log_checkpoints', row: String(leaves.length) }] }
    },
  },
  keyRow('delete', async (tx, name) => await sql`delete from server_secrets where name = ${name}`.execute(tx)),
  keyRow(
    'edit',
    async (tx, name) =>
      await sql`update server_secrets set value = ${randomBytes(32)} where name = ${name}`.execute(tx),
  ),
  {
    name: 'insert server_secrets',
    needsMemory: true,
    async play(tx) {
      await sql`insert into server_secrets select 'log-key-1', ${randomBytes(32)}, is_sealed, created_at
        from server_secrets where name = 'log-key'`.execute(tx)
      return { what: 'log-key-1', rows: [{ table: 'server_secrets', row: 'log-key-1' }] }
    },
  },
  redating('before', 'size > (select min(size) from log_checkpoints)', '- interval'),
  redating('after', 'size < (select max(size) from log_checkpoints)', '+ interval'),
  ...['junk', 'of another name', 'of no witness', 'cut'].map((kind) => cosigning(kind)),
  {
    name: 'insert log_cosignatures under no checkpoint',
    needsMemory: false,
    async play(tx, dice) {
      const size = 1_000_000 + dice.roll(1_000)
      const name = keyIdOf(witness().key)
      const line = signatureLine(witness(), 'x\n')
      await sql`insert into log_cosignatures values (${orgId}, ${size}, ${name}, ${line}, now())`.execute(tx)
      return { what: name, rows: [{ table: 'log_cosignatures', row: `${size}/${name}` }] }
    },
  },
]

function keyRow(what: string, change: (tx: Tx, name: string) => Promise<unknown>): Trick {
  return {
    name: `${what} server_secrets`,
    needsMemory: true,
    async play(tx, dice) {
      const { rows } = await sql<{ name: string }>`select name from server_secrets
        where name like 'log-key%' order by name`.execute(tx)
      const { name } = dice.pick(rows)
      await change(tx, name)
      return { what: name, rows: [{ table: 'server_secrets', row: name }] }
    },
  }
}

/** A checkpoint that is older, or younger, than those beside it. */
function redating(what: string, among: string, shift: string): Trick {
  return {
    name: `edit log_checkpoints.created_at to ${what}`,
    needsMemory: false,
    async play(tx, dice) {
      const { rows } = await sql<{ size: string }>`select size from log_checkpoints
        where ${sql.raw(among)} order by size`.execute(tx)
      const { size } = dice.pick(rows)
      const by = `created_at ${shift} '${1 + dice.roll(3_000)} days'`
      await sql`update log_checkpoints set created_at = ${sql.raw(by)} where size = ${size}`.execute(tx)
      return { what: by, rows: [{ table: 'log_checkpoints', row: size }] }
    },
  }
}

/** A line that is no cosignature of whom it is kept for. */
function cosigning(kind: string): Trick {
  return {
    name: `insert log_cosignatures ${kind}`,
    needsMemory: false,
    async play(tx, dice): Promise<Tampering> {
      const { rows } = await sql<{ size: string; note: string }>`select size, note from log_checkpoints
        order by size`.execute(tx)
      const { size, note } = dice.pick(rows)
      const body = note.slice(0, note.lastIndexOf('\n\n') + 1)
      const { name, line } = cosignature(kind, body)
      await sql`insert into log_cosignatures values (${orgId}, ${size}, ${name}, ${line}, now())`.execute(tx)
      return { what: `${name}: ${line}`, rows: [{ table: 'log_cosignatures', row: `${size}/${name}` }] }
    },
  }
}

function cosignature(kind: string, body: string): { readonly name: string; readonly line: string } {
  const line = signatureLine(witness(), body)
  const name = keyIdOf(witness().key)
  switch (kind) {
    case 'junk':
      return { name, line: 'junk' }
    case 'of another name':
      return { name: 'other.example+00000000', line }
    case 'of no witness':
      return { name: 'nobody', line }
    default:
      return { name, line: line.slice(0, -24) }
  }
}

function witness(): NoteSigner {
  return cosigner('witness.example', ed25519FromSeed(Buffer.alloc(32, 3)))
}
