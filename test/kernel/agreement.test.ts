/** A bounded slice of the campaign, and the proof that the campaign bites. The whole: `npm run test:kernel`. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BROKEN_NAMES, brokenEngine } from './broken.ts'
import { type Disagreement, type EngineMaker, compare } from './compare.ts'
import { informedKernelEngine, kernelEngine } from './kernel-engine.ts'
import { answers } from './naive.ts'
import { planOf, slice } from './plan.ts'
import { show } from './show.ts'
import { shrink } from './shrink.ts'

const plan = planOf(1_000_000, 1)
const SLICE = 10_000
const SLOW = { timeout: 60_000 }

describe('the kernel and the naive engine', () => {
  it.each([
    ['asked once more when a decision may fall', kernelEngine],
    ['told of all standing approvals with every vote', informedKernelEngine],
  ])('agree on 10,000 cases, the kernel %s', SLOW, (_, engine) => {
    const found = firstDisagreement(engine)
    expect(found && show(found)).toBeUndefined()
  })

  it('are compared on every status and every refusal there is', () => {
    const met = new Set<string>()
    for (const { policy, beginning, happenings } of slice(plan, SLICE)) {
      for (const { status, refusal } of answers(policy, beginning, happenings)) {
        met.add(status)
        if (refusal !== undefined) met.add('because' in refusal ? refusal.because : refusal.reason)
      }
    }
    expect([...met].toSorted()).toEqual([...STATUSES, ...REFUSALS].toSorted())
  })
})

const STATUSES = ['open', 'approved', 'rejected', 'canceled', 'expired'] as const

const REFUSALS = [
  'terminal',
  'policy-closed',
  'voter-disabled',
  'no-group',
  'no-right',
  'no-seat',
  'requester-excluded',
  'beneficiary-excluded',
  'no-free-seat',
  'already-voted',
  'vote-is-final',
  'stale-digest',
  'seat-not-held',
  'assurance-missing',
  'assurance-impossible',
  'stage-not-advisory',
  'veto-stands',
] as const

describe('the comparison', () => {
  it.each(BROKEN_NAMES)('finds out a kernel with %s, in few steps', SLOW, (name) => {
    const engine = brokenEngine(name)
    const found = firstDisagreement(engine)
    if (found === undefined) throw new Error('was not found out')
    const smallest = shrink(found.case, (simpler) => compare(simpler, engine) !== undefined)
    expect(smallest.happenings.length).toBeLessThanOrEqual(4)
    expect(compare(smallest, engine)?.steps.at(-1)?.differing).not.toEqual([])
  })

  it('ends the campaign with one line and success when all agree', SLOW, async () => {
    const { code, output } = await campaign('--cases', '2000', '--seed', '3', '--workers', '1')
    expect(output).toMatch(/^2000 cases agree \(exhaustive 1300, random 700, seed 3\) in [\d.]+ s$/m)
    expect(code).toBe(0)
  })

  it('ends the campaign with a counterexample and failure when they do not', SLOW, async () => {
    const { code, output } = await campaign('--cases', '6000', '--workers', '1', '--broken', 'greedy-matching')
    expect(output).toContain('The engines disagree')
    expect(output).toMatch(/^ +kernel: /m)
    expect(output).toMatch(/^ +naive: /m)
    expect(code).toBe(1)
  })
})

function firstDisagreement(engine: EngineMaker): Disagreement | undefined {
  for (const sample of slice(plan, SLICE)) {
    const found = compare(sample, engine)
    if (found !== undefined) return found
  }
  return undefined
}

function campaign(...options: string[]): Promise<{ code: unknown; output: string }> {
  const script = fileURLToPath(new URL('./campaign.ts', import.meta.url))
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...options], (error, output) => resolve({ code: error?.code ?? 0, output }))
  })
}
