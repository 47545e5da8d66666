import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '../errors.ts'

/** The largest tree of a log that was cosigned. */
export interface Head {
  readonly size: number
  readonly root: Uint8Array
}

export interface CosignedHead extends Head {
  /** The checkpoint with the log's signatures and the cosignature. */
  readonly note: string
}

/** What a witness must never forget, in one file of its directory: losing it costs the key too, never the memory alone. */
export interface WitnessState extends Disposable {
  /** Ed25519; made at the first start. */
  readonly privateKey: KeyObject
  /** The checkpoint of this log as it was cosigned last. */
  findNote(origin: string): string | null
  /**
   * Hands the last cosigned head of the log to `cosign` (null when there is none) and keeps what that returns, on disk, before returning it. One call at a time for all processes that share the directory; when `cosign` throws,
   * nothing is kept.
   */
  advance(origin: string, cosign: (latest: CosignedHead | null) => CosignedHead): CosignedHead
}

const schema = `
  create table if not exists witness (only integer primary key check (only = 1), name text not null, secret blob not null) strict;
  create table if not exists cosigned (
    origin text primary key, size integer not null, root blob not null, note text not null
  ) strict;
  create trigger if not exists grow_only before update on cosigned when new.size < old.size
    begin select raise(abort, 'a cosigned tree never shrinks'); end;
`

/** @throws AppError CONFIGURATION_INVALID when the directory cannot be used, or is another witness's */
export function openWitnessState({ directory, name }: { directory: string; name: string }): WitnessState {
  const db = openFile(directory)
  const secret = inTransaction(db, () => {
    db.exec(schema)
    return secretOf(db, name)
  })
  const find = db.prepare('select size, root, note from cosigned where origin = ?')
  const keep = db.prepare(
    'insert into cosigned (origin, size, root, note) values (?, ?, ?, ?)' +
      ' on conflict (origin) do update set size = excluded.size, root = excluded.root, note = excluded.note',
  )
  const findHead = (origin: string) => find.get(origin) as unknown as CosignedHead | undefined
  return {
    privateKey: createPrivateKey({ key: Buffer.from(secret), format: 'der', type: 'pkcs8' }),
    findNote: (origin) => findHead(origin)?.note ?? null,
    advance: (origin, cosign) =>
      inTransaction(db, () => {
        const head = cosign(findHead(origin) ?? null)
        keep.run(origin, head.size, head.root, head.note)
        return head
      }),
    [Symbol.dispose]: () => db.close(),
  }
}

function openFile(directory: string): DatabaseSync {
  const file = join(directory, 'witness.db')
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    // SQLite gives its journal the rights of the file that it belongs to.
    closeSync(openSync(file, 'a', 0o600))
    chmodSync(file, 0o600)
    const db = new DatabaseSync(file)
    // Another process of the same witness is waited for. A commit is on the disk, with the directory entry that undoes it
    // removed, before it returns.
    db.exec('pragma busy_timeout = 5000; pragma journal_mode = delete; pragma synchronous = extra')
    return db
  } catch (cause) {
    const problem = `QUORATE_WITNESS_DIR ${directory} cannot be used: ${(cause as Error).message}.`
    throw new AppError('CONFIGURATION_INVALID', problem, { field: 'QUORATE_WITNESS_DIR', cause })
  }
}

/** The key of this directory in PKCS #8, made when it has none. A key cosigns under one name only (C2SP tlog-cosignature). */
function secretOf(db: DatabaseSync, name: string): Uint8Array {
  const kept = db.prepare('select name, secret from witness').get() as { name: string; secret: Uint8Array } | undefined
  if (kept === undefined) {
    const secret = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
    db.prepare('insert into witness (only, name, secret) values (1, ?, ?)').run(name, secret)
    return secret
  }
  if (kept.name === name) return kept.secret
  const problem = `QUORATE_WITNESS_NAME is ${name}, but QUORATE_WITNESS_DIR belongs to the witness ${kept.name}.`
  throw new AppError('CONFIGURATION_INVALID', problem, { field: 'QUORATE_WITNESS_NAME' })
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  // Immediate: who reads has the lock to write, so nobody writes in between.
  db.exec('begin immediate')
  try {
    const result = work()
    db.exec('commit')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}
