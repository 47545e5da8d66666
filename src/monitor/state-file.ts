import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../errors.ts'
import { packed, unpacked, type SeenKey, type SeenLog } from './seen-log.ts'

/** What the monitor remembers between two runs, by organization. */
export type SeenLogs = ReadonlyMap<string, SeenLog>

const format = 'quorate-monitor/2'
/** Knew of keys but their text. */
const firstFormat = 'quorate-monitor/1'

/**
 * @returns null when there is no such file yet
 * @throws AppError CONFIGURATION_INVALID when it cannot be read, or is no such file
 */
export function readState(path: string): SeenLogs | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw unreadable(path, cause)
  }
  try {
    const { format: found, organizations } = JSON.parse(text) as { format: string; organizations: Stored }
    if (found !== format && found !== firstFormat) throw new Error(`format ${found}`)
    return new Map(Object.entries(organizations).map(([id, stored]) => [id, seenOf(stored)]))
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** Writes the file whole or not at all, also when the machine fails meanwhile. */
export function writeState(path: string, seen: SeenLogs): void {
  const organizations = Object.fromEntries([...seen].map(([id, log]) => [id, storedOf(log)]))
  mkdirSync(dirname(path), { recursive: true })
  const unfinished = `${path}.new`
  const file = openSync(unfinished, 'w', 0o600)
  try {
    writeSync(file, `${JSON.stringify({ format, organizations }, null, 1)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(unfinished, path)
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

type Stored = Readonly<
  Record<
    string,
    {
      readonly origin: string
      readonly keys: readonly (SeenKey | string)[]
      readonly waiting?: SeenLog['waiting']
      readonly size: number
      readonly root: string
      readonly checkpoint: string
      readonly leaves: string | null
      readonly blocks: string
      readonly tail: string
      readonly checkpoints: readonly number[]
    }
  >
>

function storedOf({
  origin,
  keys,
  waiting,
  size,
  root,
  note,
  leaves,
  blocks,
  tail,
  checkpoints,
}: SeenLog): Stored[string] {
  return {
    origin,
    keys,
    waiting,
    size,
    root: Buffer.from(root).toString('base64'),
    checkpoint: note,
    leaves: leaves === null ? null : packed(leaves),
    blocks: packed(blocks),
    tail: packed(tail),
    checkpoints,
  }
}

function seenOf({ checkpoint, root, leaves, blocks, tail, keys, waiting = [], ...rest }: Stored[string]): SeenLog {
  const seen = {
    ...rest,
    keys: keys.map((key) =>
      typeof key === 'string' ? { verifierKey: key, since: null, until: null, row: null } : key,
    ),
    waiting,
    note: checkpoint,
    root: Buffer.from(root, 'base64'),
    leaves: leaves === null ? null : unpacked(leaves),
    blocks: unpacked(blocks),
    tail: unpacked(tail),
  }
  if (!Number.isSafeInteger(seen.size) || typeof seen.origin !== 'string' || seen.root.length !== 32) {
    throw new Error('not a log')
  }
  return seen
}

function unreadable(path: string, cause: unknown): AppError {
  return new AppError(
    'CONFIGURATION_INVALID',
    `The state file ${path} cannot be read. Give another with --state, or move it away to begin anew.`,
    { cause },
  )
}
