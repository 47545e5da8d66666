import {
  boolean,
  identifier,
  isObject,
  list,
  object,
  oneOf,
  positive,
  text,
  isTrue,
  type Check,
  type Problem,
} from './check.ts'
import { LIMITS } from './limits.ts'
import { leavesOf, seatKey, type Policy } from './rule.ts'

export type Acceptance =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Checks a policy of unknown shape once, before anything is decided by it: its shape, and the limits that bound every
 * later piece of work. Nothing that is not understood is let through.
 *
 * @example
 * acceptPolicy({ stages: [], options })
 * // { ok: false, problems: [{ path: 'stages', reason: 'must have at least 1' }] }
 */
export function acceptPolicy(candidate: unknown): Acceptance {
  const misshapen = policyCheck()(candidate, '')
  if (misshapen.length > 0) return { ok: false, problems: misshapen }
  const policy = candidate as Policy
  const problems = [
    ...undecidable(policy),
    ...uncountable(policy),
    ...unseatable(policy),
    ...unstanding(policy),
    ...tooLong(policy),
  ]
  return problems.length > 0 ? { ok: false, problems } : { ok: true, policy }
}

const optionsCheck = object(
  {
    veto: oneOf('withdrawable', 'final', 'ignored'),
    requesterMayVote: boolean,
    distinctPeople: boolean,
    naturalPersons: boolean,
    recheckEligibility: boolean,
    vetoNeedsAssurance: boolean,
    singleVote: isTrue,
    approvesOnce: isTrue,
  },
  ['singleVote', 'approvesOnce'],
)

const PROOFS = ['stepUp', 'password', 'securityKey', 'signature']

const seatsCheck = object(
  {
    kind: oneOf('seats'),
    atLeast: positive,
    from: object({ kind: oneOf('group', 'principal'), id: identifier }),
    assurance: list(oneOf(...PROOFS), { min: 0, max: PROOFS.length }),
  },
  ['assurance'],
)

function policyCheck(): Check {
  const stage = object({ name: text, binding: boolean, rule: ruleCheck({ nodes: 0 }) }, ['name'])
  return object({ stages: list(stage, { min: 1, max: LIMITS.stages }), options: optionsCheck })
}

/** Counts the nodes of all stages together, and goes no deeper or further than the limits: a hostile rule has no bottom. */
function ruleCheck(seen: { nodes: number }, depth = 0): Check {
  return (rule, path) => {
    seen.nodes += 1
    // Said once, by the node that is one too many.
    if (seen.nodes > LIMITS.nodes + 1) return []
    if (seen.nodes > LIMITS.nodes)
      return [{ path, reason: `is one rule more than the ${LIMITS.nodes} a policy may have` }]
    if (depth > LIMITS.depth) return [{ path, reason: `lies deeper than ${LIMITS.depth} rules below the root` }]
    if (isObject(rule) && rule['kind'] === 'threshold') return thresholdCheck(seen, depth)(rule, path)
    if (isObject(rule) && rule['kind'] === 'seats') return seatsCheck(rule, path)
    return [{ path, reason: 'must be a rule of kind threshold or seats' }]
  }
}

function thresholdCheck(seen: { nodes: number }, depth: number): Check {
  const of = list(ruleCheck(seen, depth + 1), { min: 1, max: LIMITS.nodes })
  const shape = object({ kind: oneOf('threshold'), atLeast: positive, of })
  return (rule, path) => {
    const problems = shape(rule, path)
    if (problems.length > 0) return problems
    const { atLeast, of: children } = rule as { atLeast: number; of: readonly unknown[] }
    if (atLeast <= children.length) return []
    return [
      {
        path: `${path}.atLeast`,
        reason: `must be at most ${children.length}, the number of rules it is of`,
      },
    ]
  }
}

function undecidable({ stages }: Policy): readonly Problem[] {
  return stages.some(({ binding }) => binding)
    ? []
    : [{ path: 'stages', reason: 'must have at least one that is binding' }]
}

function uncountable({ stages, options }: Policy): readonly Problem[] {
  if (!options.distinctPeople) return []
  return stages.flatMap(({ rule }, index) => {
    const leaves = leavesOf(rule).length
    if (leaves <= LIMITS.distinctLeaves) return []
    const reason = `has ${leaves} seats; with distinctPeople a stage may have ${LIMITS.distinctLeaves}`
    return [{ path: `stages[${index}].rule`, reason }]
  })
}

/** With `singleVote` a seat is taken for good and by its name: what would free one again, or name two alike, cannot be. */
function unseatable({ stages, options }: Policy): readonly Problem[] {
  if (options.singleVote !== true) return []
  const refused = [
    options.veto === 'withdrawable' && { path: 'options.veto', reason: 'must be final or ignored with singleVote' },
    options.recheckEligibility && { path: 'options.recheckEligibility', reason: 'must be false with singleVote' },
  ].filter((problem) => problem !== false)
  const doubled = stages.flatMap(({ rule }, index) => {
    const seats = leavesOf(rule).map(({ from }) => seatKey(from))
    if (new Set(seats).size === seats.length) return []
    return [{ path: `stages[${index}].rule`, reason: 'names a seat twice; with singleVote a stage may name it once' }]
  })
  return [...refused, ...doubled]
}

/**
 * With `approvesOnce` an approval stands for good: a veto that leaves the request open would take it back, and who lost
 * their seat and has it again could not give the approval that the rule then misses.
 */
function unstanding({ options }: Policy): readonly Problem[] {
  if (options.approvesOnce !== true) return []
  return [
    options.veto !== 'final' && { path: 'options.veto', reason: 'must be final with approvesOnce' },
    options.recheckEligibility && { path: 'options.recheckEligibility', reason: 'must be false with approvesOnce' },
    options.singleVote && { path: 'options.singleVote', reason: 'must be left out with approvesOnce' },
  ].filter((problem) => problem !== false && problem !== undefined)
}

function tooLong(policy: Policy): readonly Problem[] {
  const bytes = new TextEncoder().encode(JSON.stringify(policy)).length
  return bytes <= LIMITS.jsonBytes
    ? []
    : [{ path: '', reason: `is ${bytes} bytes of JSON; ${LIMITS.jsonBytes} are allowed` }]
}
