import { readdirSync, readFileSync } from 'node:fs'

/** More of the machine's time than this taken by others, and what was measured meanwhile says nothing about us. */
const quietShare = 0.1

/** Tells, each time it is asked, whether the machine was ours since the last time. Where it cannot tell it says yes. */
export function watchOthers(): () => boolean {
  let last = sample()
  return () => {
    const now = sample()
    if (last === null || now === null) return true
    const all = now.all - last.all
    const others = now.busy - last.busy - (now.own - last.own)
    last = now
    return others < all * quietShare
  }
}

/**
 * Tells, each time it is asked, how many processors this process and all that it started kept busy since the last time: what
 * they cost, however busy others kept the machine. NaN where it cannot tell.
 */
export function watchOwn(): () => number {
  let [last, lastAt] = [sample(), performance.now()]
  return () => {
    const [now, at] = [sample(), performance.now()]
    const ticks = last === null || now === null ? Number.NaN : now.own - last.own
    const seconds = (at - lastAt) / 1000
    ;[last, lastAt] = [now, at]
    return ticks / ticksASecond / seconds
  }
}

const ticksASecond = 100

interface Sample {
  /** Ticks of all processors, those of them that they were busy, and those of this process and all that it started. */
  readonly all: number
  readonly busy: number
  readonly own: number
}

/** From Linux' `/proc` (proc(5)); null elsewhere. */
function sample(): Sample | null {
  try {
    const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/).map(Number)
    const all = ticks.slice(0, 8).reduce((sum, each) => sum + each, 0)
    return { all, busy: all - ticks[3]! - ticks[4]!, own: ownTicks() }
  } catch {
    return null
  }
}

function ownTicks(): number {
  const processes = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(processOf),
  )
  const isOwn = (pid: number): boolean => {
    const found = processes.get(pid)
    return pid === process.pid || (found !== undefined && found.parent > 1 && isOwn(found.parent))
  }
  return [...processes].reduce((sum, [pid, { ticks }]) => (isOwn(pid) ? sum + ticks : sum), 0)
}

function processOf(pid: string): [number, { parent: number; ticks: number }][] {
  try {
    // The name, in brackets, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    // User and system, and those of children that ended.
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0)
    return [[Number(pid), { parent: Number(fields[1]), ticks }]]
  } catch {
    return []
  }
}
