import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { watchOthers } from './others.ts'
import { median, quantile, send, type Call, type Load } from './load.ts'

/** Calls at a fixed rate, whatever the answers take: a call that a late answer held up counts from when it was due. */
export interface SteadyPlan {
  readonly origin: string
  readonly clients: number
  /** Calls a second, of all clients together. */
  readonly rate: number
  readonly seconds: number
  readonly next: (n: number) => Call
}

/** The calls of two seconds: what others on the machine do for a moment spoils one window of many. */
export interface Window {
  readonly p99: number
  /** Whether others left us the machine. */
  readonly isQuiet: boolean
}

export interface SteadyLoad extends Load {
  readonly windows: readonly Window[]
}

const windowMilliseconds = 2_000

/** @throws Error when a call is answered with anything but 2xx */
export async function runSteadily(plan: SteadyPlan): Promise<SteadyLoad> {
  const { origin, clients, rate, seconds } = plan
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const latencies: number[] = []
  const windows: number[][] = []
  const quiet: boolean[] = []
  const wasQuiet = watchOthers()
  const watching = setInterval(() => quiet.push(wasQuiet()), windowMilliseconds)
  const start = performance.now()
  const count = Math.floor(rate * seconds)
  const client = async (first: number) => {
    for (let n = first; n < count; n += clients) {
      const due = start + (n / rate) * 1000
      const wait = due - performance.now()
      if (wait >= 1) await sleep(wait)
      await send(origin, agent, plan.next(n))
      const latency = performance.now() - due
      latencies.push(latency)
      const window = Math.floor((due - start) / windowMilliseconds)
      const calls = (windows[window] ??= [])
      calls.push(latency)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, n) => client(n)))
  const elapsed = (performance.now() - start) / 1000
  agent.destroy()
  clearInterval(watching)
  const p99Of = (calls: readonly number[]) => quantile(sorted(calls), 0.99)
  return {
    rate: latencies.length / elapsed,
    p50: quantile(sorted(latencies), 0.5),
    p99: p99Of(latencies),
    windows: windows.map((calls, index) => ({ p99: p99Of(calls), isQuiet: quiet[index] ?? wasQuiet() })),
  }
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}

/** The middle of the p99 of quiet windows, or of all where hardly any was. */
export function middleP99(loads: readonly SteadyLoad[]): number {
  const windows = loads.flatMap((load) => load.windows)
  const quiet = windows.filter(({ isQuiet }) => isQuiet)
  return median((quiet.length < 3 ? windows : quiet).map(({ p99 }) => p99))
}

/** How many windows were quiet, of how many. */
export function quietWindows(loads: readonly SteadyLoad[]): string {
  const windows = loads.flatMap((load) => load.windows)
  return `${windows.filter(({ isQuiet }) => isQuiet).length}/${windows.length}`
}
