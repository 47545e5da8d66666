/** One thread of the campaign: compares the cases that it is handed. */
import { parentPort } from 'node:worker_threads'
import { brokenEngine } from './broken.ts'
import { compare } from './compare.ts'
import { informedKernelEngine, kernelEngine } from './kernel-engine.ts'
import { type Plan, caseAt } from './plan.ts'
import { show } from './show.ts'
import { shrink } from './shrink.ts'

export interface Task {
  readonly plan: Plan
  readonly from: number
  readonly to: number
  readonly broken: string | undefined
}

export interface Report {
  readonly from: number
  readonly compared: number
  readonly counterexample?: string
}

parentPort?.on('message', (task: Task) => parentPort?.postMessage(perform(task)))

function perform({ plan, from, to, broken }: Task): Report {
  const brokenKernel = broken === undefined ? undefined : brokenEngine(broken)
  for (let number = from; number < to; number++) {
    const sample = caseAt(plan, number)
    const engine = brokenKernel ?? (number % 2 === 0 ? kernelEngine : informedKernelEngine)
    if (compare(sample, engine) === undefined) continue
    const smallest = shrink(sample, (simpler) => compare(simpler, engine) !== undefined)
    const disagreement = compare(smallest, engine)
    if (disagreement === undefined) throw new Error(`case ${number} differs only sometimes`)
    return {
      from,
      compared: number - from + 1,
      counterexample: `case ${number}\n${show(disagreement)}`,
    }
  }
  return { from, compared: to - from }
}
