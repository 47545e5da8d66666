import { describe, expect, it } from 'vitest'
import { overlapMilliseconds } from '../../src/audit/log-key.ts'
import { BelievedKeys, type BelievedKey } from '../../src/monitor/believed-keys.ts'
import { checkKeyRows, waitingKeys } from '../../src/monitor/check-key-rows.ts'
import type { KeyRow } from '../../src/monitor/key-rows.ts'
import { keysFor, seenKey } from '../../src/monitor/log-keys.ts'
import type { SeenLog } from '../../src/monitor/seen-log.ts'
import { renderCheckpoint } from '../../src/proof/checkpoint.ts'
import { ed25519Signer, signNote, verifierKeyText, type NoteSigner } from '../../src/proof/note.ts'
import { ed25519FromSeed } from '../helpers/ed25519.ts'

const origin = 'log.example'
const [old, young, strange] = [1, 2, 3].map((byte) =>
  ed25519Signer(origin, ed25519FromSeed(Buffer.alloc(32, byte))),
) as [NoteSigner, NoteSigner, NoteSigner]
const now = new Date('2026-11-21T12:00:00.000Z')
const later = (milliseconds: number) => new Date(now.getTime() + milliseconds)

const noteOf = (size: number, ...signers: readonly NoteSigner[]) =>
  signNote(renderCheckpoint({ origin, size, root: Buffer.alloc(32, size) }), signers)
const believed = ({ key }: NoteSigner, part: Partial<BelievedKey> = {}): BelievedKey => ({
  key,
  since: 1,
  until: null,
  ...part,
})
/** Two keys of which the first was replaced, and its time is over. */
const rotated = [believed(old, { until: later(-1) }), believed(young, { since: 50 })]
const untilOf = (keys: BelievedKeys) => keys.known().map(({ until }) => until)

describe('keys of a log that was seen up to 100', () => {
  const seen = { isComplete: false, seenSize: 100, now }

  it.each([
    ['a new checkpoint is not believed by a key that is over alone', 101, [old], false],
    ['one that was seen is', 100, [old], true],
    ['a new one is believed by the newest key', 101, [young], true],
    ['and by the newest beside one that is over', 101, [old, young], true],
    ['and by none that is not known', 101, [strange], false],
  ] as const)('%s', (_, size, signers, isBelieved) => {
    expect(new BelievedKeys(rotated, [], seen).open(noteOf(size, ...signers), size) !== null).toBe(isBelieved)
  })

  it('a key that is over vouches for no other', () => {
    const keys = new BelievedKeys(rotated, [strange.key], seen)
    expect(keys.open(noteOf(101, old, strange), 101)).toBeNull()
    expect(keys.open(noteOf(102, strange), 102)).toBeNull()
    // Nor does one beside a checkpoint that was seen: whoever has the key may have added it since.
    expect(keys.open(noteOf(99, old, strange), 99)).not.toBeNull()
    expect(keys.open(noteOf(102, strange), 102)).toBeNull()
  })

  it('a line of a key that the store does not have is no line of a checkpoint, where all of its keys are known', () => {
    const open = (isComplete: boolean, ...signers: readonly NoteSigner[]) =>
      new BelievedKeys(rotated, [young.key], { ...seen, isComplete }).open(noteOf(101, ...signers), 101)
    expect(open(true, young, strange)).toBeNull()
    expect(open(true, old, young)).not.toBeNull()
    expect(open(false, young, strange)).not.toBeNull()
  })

  it('one that is not over does, and then is over itself as long after as servers let both sign', () => {
    const keys = new BelievedKeys([believed(old)], [young.key], seen)
    expect(keys.open(noteOf(101, old, young), 101)).not.toBeNull()
    expect(untilOf(keys)).toEqual([later(overlapMilliseconds), null])
    expect(keys.open(noteOf(102, young), 102)).not.toBeNull()
    // It has ceased to sign before that.
    expect(untilOf(keys)).toEqual([now, null])
  })

  it('by when it is over is what was seen first, and moves no more', () => {
    const until = later(5_000)
    const keys = new BelievedKeys([believed(old, { until }), believed(young, { since: 50 })], [], seen)
    keys.open(noteOf(101, old, young), 101)
    expect(untilOf(keys)).toEqual([until, null])
  })
})

it('keys that are believed because they are the first are over in the order in which they came', () => {
  const keys = new BelievedKeys([believed(old, { since: null }), believed(young, { since: null })], [], {
    isComplete: false,
    seenSize: 0,
    now,
  })
  for (const [size, signers] of [
    [1, [old]],
    [2, [old, young]],
    [3, [old, young]],
  ] as const) {
    expect(keys.open(noteOf(size, ...signers), size)).not.toBeNull()
  }
  expect(keys.known().map(({ since, until }) => [since, until])).toEqual([
    [1, later(overlapMilliseconds)],
    [2, null],
  ])
})

describe('the rows of the log keys', () => {
  const row = (name: string, number: number, signer: NoteSigner | null): KeyRow => ({
    name,
    number,
    publicKey: signer && signer.key.publicKey,
  })
  const rows = [row('log-key', 1, old), row('log-key-2', 2, young)]
  const keysSeen = rotated.map((key) => seenKey(key, rows, []))
  const log = (part: Partial<SeenLog>) =>
    ({ keys: keysSeen, waiting: [], size: 100, checkpoints: [100], ...part }) as SeenLog
  const findings = (found: readonly KeyRow[], now: Partial<SeenLog> = {}, before: Partial<SeenLog> = {}) => {
    const lines: string[] = []
    const find = (table: string, name: string | number, what: string) => void lines.push(`${table} ${name} ${what}`)
    checkKeyRows(find, found, [{ before: log(before), now: log(now) }])
    return lines
  }

  it.each<[string, readonly KeyRow[], readonly string[]]>([
    ['that are as they were are no finding', rows, []],
    ['of which one is gone', [rows[1] as KeyRow], ['server_secrets log-key deleted']],
    ['of which one is another', [rows[0] as KeyRow, row('log-key-2', 2, strange)], ['server_secrets log-key-2 edited']],
    ['of which one is none', [rows[0] as KeyRow, row('log-key-2', 2, null)], ['server_secrets log-key-2 edited']],
    ['that nobody can open are no finding', [row('log-key', 1, null), row('log-key-2', 2, null)], []],
    [
      'with an older one that nobody saw',
      [...rows, row('log-key-1', 1, strange)],
      ['server_secrets log-key-1 inserted'],
    ],
    ['with one that was made just now are no finding', [...rows, row('log-key-3', 3, strange)], []],
  ])('%s', (_, found, expected) => {
    expect(findings(found)).toEqual(expected)
  })

  it('with a new one that does not sign while the log grows', () => {
    const added = [...rows, row('log-key-3', 3, strange)]
    const waiting = waitingKeys(added, { keys: keysSeen, size: 100 }, null)
    expect(waiting).toEqual([{ row: 'log-key-3', size: 100 }])
    // One checkpoint may have been in the making.
    expect(findings(added, { checkpoints: [100, 101] }, { waiting })).toEqual([])
    expect(findings(added, { checkpoints: [100, 101, 102] }, { waiting })).toEqual([
      'server_secrets log-key-3 inserted',
    ])
    const signing = [...keysSeen, seenKey(believed(strange), added, [])]
    expect(findings(added, { keys: signing, checkpoints: [100, 101, 102] }, { waiting })).toEqual([])
  })

  it('that were seen are believed beside one that the operator gives, if that was seen too', () => {
    const text = ({ key }: NoteSigner) => verifierKeyText(key.name, key.type, key.publicKey)
    const trusted = (pinned: readonly NoteSigner[]) =>
      keysFor(rows, origin, pinned.map(text), keysSeen).trusted.map(({ key, until }) => [
        text({ key } as NoteSigner),
        until,
      ])
    expect(trusted([])).toEqual([
      [text(old), later(-1)],
      [text(young), null],
    ])
    expect(trusted([old])).toEqual(trusted([]))
    expect(trusted([strange])).toEqual([[text(strange), null]])
  })
})
