import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseCheckpoint, renderCheckpoint, type Checkpoint } from '../../src/proof/checkpoint.ts'
import { verifyCosignature } from '../../src/proof/cosignature.ts'
import { NoteError, noteText, parseSignatureLine } from '../../src/proof/note.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { freePort } from '../helpers/free-port.ts'
import { leavesOf, newKey, smallLog, type SmallLog } from '../helpers/small-log.ts'
import { startWitness, type WitnessProcess } from '../helpers/witness-process.ts'
import { attempts, type Attacker } from './split-views.ts'

export interface SplitViewResult {
  readonly attempts: number
  /** What was tried where two histories were cosigned. */
  readonly cosignedTwice: readonly string[]
  /** What was tried where nothing was cosigned, so that nothing was shown. */
  readonly empty: readonly string[]
  /** Bodies sent. */
  readonly sent: number
  readonly cosigned: number
}

type Scene = Pick<Attacker, 'log' | 'fork' | 'laterFork' | 'otherKeysFork' | 'seen' | 'shared'>

/**
 * Shows two histories of `count` logs to a witness that runs as two processes on one directory, in every way of
 * `split-views.ts` in turn. Two are cosigned when no one history explains every cosignature that was given.
 */
export async function runSplitViews({ count, seed }: { count: number; seed: number }): Promise<SplitViewResult> {
  const luck = dice(seed)
  const scenes = Array.from({ length: count }, (_, index) => sceneOf(luck, `log.example/${index}`))
  const directory = mkdtempSync(join(tmpdir(), 'quorate-split-'))
  const logs = scenes.flatMap(({ log, otherKeysFork }) => [log.verifierKey, otherKeysFork.verifierKey])
  const ports = [await freePort(), await freePort()]
  const start = () => Promise.all(ports.map((port) => startWitness({ directory, logs, port })))
  let processes = await start()
  const result = { attempts: 0, cosignedTwice: [] as string[], empty: [] as string[], sent: 0, cosigned: 0 }
  try {
    for (const [index, scene] of scenes.entries()) {
      const kinds = Object.entries(attempts)
      const [kind, { fromNothing = false, run }] = kinds[index % kinds.length] as (typeof kinds)[number]
      const cosigned: Checkpoint[] = []
      const send: Attacker['send'] = async (body, at = 0) => {
        const witness = processes[at] as WitnessProcess
        const { status, text } = await witness.submit(body)
        result.sent += 1
        const checkpoint = checkpointCosigned(witness, body, text)
        if (checkpoint !== null) cosigned.push(checkpoint)
        return { status, size: Number(text) }
      }
      if (!fromNothing) await send(await scene.log.submission(0, scene.seen))
      const restart = async (how: 'kill' | 'stop') => {
        await Promise.all(processes.map((witness) => (how === 'kill' ? witness.kill() : witness.stop())))
        processes = await start()
      }
      const whileHeld: Attacker['whileHeld'] = (work) => holding(directory, work)
      const neighbour = (scenes[(index + 1) % count] as Scene).log
      await run({ ...scene, neighbour, dice: luck, send, restart, whileHeld })
      result.attempts += 1
      result.cosigned += cosigned.length
      if (cosigned.length === 0) result.empty.push(kind)
      const histories = [scene.log, scene.fork, scene.laterFork, scene.otherKeysFork]
      if (!histories.some((history) => explains(history, cosigned))) {
        result.cosignedTwice.push(kind)
      }
    }
  } finally {
    await Promise.all(processes.map((witness) => witness.kill()))
    rmSync(directory, { recursive: true, force: true })
  }
  return result
}

async function holding(directory: string, work: () => Promise<void>): Promise<void> {
  using db = new DatabaseSync(join(directory, 'witness.db'))
  db.exec('pragma busy_timeout = 5000; begin immediate')
  await work()
  db.exec('rollback')
}

function sceneOf(luck: Dice, origin: string): Scene {
  const seen = 2 + luck.roll(60)
  const log = smallLog(origin, leavesOf(seen + 1 + luck.roll(40)))
  const shared = luck.roll(seen)
  const fork = log.fork(shared)
  fork.append(...leavesOf(log.size - shared + luck.roll(20), 'another'))
  const otherKeysFork = log.fork(shared, newKey())
  otherKeysFork.append(...leavesOf(log.size - shared, 'a third'))
  const laterFork = log.fork(seen)
  laterFork.append(...leavesOf(log.size - seen, 'instead'))
  return { log, fork, laterFork, otherKeysFork, seen, shared }
}

/** The checkpoint in a body, when the answer holds the witness's cosignature of it: by the signature, whatever the status. */
function checkpointCosigned({ key }: WitnessProcess, body: string, answer: string): Checkpoint | null {
  const text = noteText(body.slice(body.indexOf('\n\n') + 2))
  try {
    verifyCosignature(key, text, parseSignatureLine(answer.trimEnd()))
    return parseCheckpoint(text)
  } catch (error) {
    if (error instanceof NoteError) return null
    throw error
  }
}

function explains(history: SmallLog, cosigned: readonly Checkpoint[]): boolean {
  const texts = new Map(cosigned.map((checkpoint) => [checkpoint.size, renderCheckpoint(checkpoint)]))
  return cosigned.every(
    (checkpoint) =>
      checkpoint.size <= history.size &&
      Buffer.compare(checkpoint.root, history.root(checkpoint.size)) === 0 &&
      // Lines that a log adds are part of what two people are shown.
      texts.get(checkpoint.size) === renderCheckpoint(checkpoint),
  )
}
