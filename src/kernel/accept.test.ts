import { describe, expect, test } from 'vitest'
import { acceptPolicy } from './accept.ts'
import { advisory, all, everyday, seats } from '../../test/kernel/cases/case.ts'
import type { Rule } from './rule.ts'

const stage = (rule: unknown) => ({ binding: true, rule })
const policy = (rule: unknown, options: object = {}) => ({
  stages: [stage(rule)],
  options: { ...everyday, ...options },
})
const times = <T>(n: number, make: (index: number) => T) => Array.from({ length: n }, (_, index) => make(index))
/** A seat below `depth` thresholds. */
const nested = (depth: number): Rule => (depth === 0 ? seats(1, 'security') : all(nested(depth - 1)))

function problems(candidate: unknown): readonly string[] {
  const answer = acceptPolicy(candidate)
  return answer.ok ? [] : answer.problems.map(({ path, reason }) => `${path} ${reason}`)
}

describe('a policy is accepted', () => {
  test.each<[string, unknown]>([
    ['with one seat', policy(seats(1, 'security'))],
    [
      'with a name and assurance',
      { stages: [{ ...stage(seats(1, '@ben', 'stepUp')), name: 'sign-off' }], options: everyday },
    ],
    [
      'with every option turned',
      policy(seats(1, 'a'), { veto: 'final', requesterMayVote: true, naturalPersons: true }),
    ],
    ['with a veto that is only recorded', policy(seats(1, 'a'), { veto: 'ignored' })],
    ['with every proof', policy(seats(1, 'a', 'stepUp', 'password', 'securityKey', 'signature'))],
    ['with a seat for more voters than anyone has', policy(seats(Number.MAX_SAFE_INTEGER, 'a'))],
    [
      'with an advisory stage before a binding one',
      { stages: [advisory(seats(1, 'a')), stage(seats(1, 'b'))], options: everyday },
    ],
    ['eight rules below the root', policy(nested(8))],
    ['of a thousand rules', policy(all(...times(999, (n) => seats(1, String(n)))))],
    ['of ten stages', { stages: times(10, () => stage(seats(1, 'a'))), options: everyday }],
    [
      'with sixteen seats for distinct people',
      policy(all(...times(16, () => seats(1, 'a'))), { distinctPeople: true }),
    ],
    ['with seventeen seats where people need not be distinct', policy(all(...times(17, () => seats(1, 'a'))))],
    ['of 64 KiB of JSON', policy(seats(1, 'x'.repeat(65_536 - length(policy(seats(1, ''))))))],
  ])('%s', (_, candidate) => {
    expect(acceptPolicy(candidate)).toEqual({ ok: true, policy: candidate })
  })
})

function length(value: unknown): number {
  return JSON.stringify(value).length
}

describe('a policy is refused, and told where and why', () => {
  const good = seats(1, 'a')
  test.each<[string, unknown, readonly string[]]>([
    ['that is nothing', undefined, [' must be an object']],
    ['that is null', null, [' must be an object']],
    ['that is a list', [], [' must be an object']],
    ['that is text', 'policy', [' must be an object']],
    ['that is empty', {}, ['stages must be a list', 'options must be an object']],
    ['with no stage', { stages: [], options: everyday }, ['stages must have at least 1']],
    [
      'with eleven stages',
      { stages: times(11, () => stage(good)), options: everyday },
      ['stages must have at most 10'],
    ],
    [
      'with a hole for a stage',
      { stages: Array(1).concat(stage(good)), options: everyday },
      ['stages[0] must be an object'],
    ],
    [
      'with no binding stage',
      { stages: [advisory(good)], options: everyday },
      ['stages must have at least one that is binding'],
    ],
    [
      'with a field of its own invention',
      { ...policy(good), stages: [{ ...stage(good), quorum: 2 }], expires: 3 },
      ['stages[0] has an unknown field "quorum"', ' has an unknown field "expires"'],
    ],
    [
      'with a stage that does not say what it is',
      { stages: [{ name: 7, rule: good }], options: everyday },
      ['stages[0].name must be text', 'stages[0].binding must be true or false'],
    ],
    [
      'with options that are not what they should be',
      policy(good, { veto: 'maybe', distinctPeople: 1, recheckEligibility: undefined }),
      [
        'options.veto must be one of withdrawable, final, ignored',
        'options.distinctPeople must be true or false',
        'options.recheckEligibility must be true or false',
      ],
    ],
    ['with no rule', policy(undefined), ['stages[0].rule must be a rule of kind threshold or seats']],
    [
      'with a rule of another kind',
      policy({ kind: 'nobody' }),
      ['stages[0].rule must be a rule of kind threshold or seats'],
    ],
    [
      'with a seat that is empty',
      policy({ kind: 'seats' }),
      ['stages[0].rule.atLeast must be a whole number from 1 on', 'stages[0].rule.from must be an object'],
    ],
    [
      'with a seat of nobody',
      policy({ kind: 'seats', atLeast: 1, from: { kind: 'role', id: '' } }),
      [
        'stages[0].rule.from.kind must be one of group, principal',
        'stages[0].rule.from.id must be text, and not empty',
      ],
    ],
    [
      'with a seat whose id is a number',
      policy({ kind: 'seats', atLeast: 1, from: { kind: 'group', id: 7 } }),
      ['stages[0].rule.from.id must be text, and not empty'],
    ],
    [
      'with a proof that nobody knows',
      policy({ ...good, assurance: ['stepUp', 'oath'] }),
      ['stages[0].rule.assurance[1] must be one of stepUp, password, securityKey, signature'],
    ],
    [
      'with more proofs than there are',
      policy({ ...good, assurance: times(5, () => 'stepUp') }),
      ['stages[0].rule.assurance must have at most 4'],
    ],
    [
      'with a threshold of nothing',
      policy(all()),
      ['stages[0].rule.atLeast', 'stages[0].rule.of'].map(
        (path, index) => `${path} ${['must be a whole number from 1 on', 'must have at least 1'][index]}`,
      ),
    ],
    [
      'with a threshold above its children',
      policy(all(good, { kind: 'threshold', atLeast: 3, of: [good, good] })),
      ['stages[0].rule.of[1].atLeast must be at most 2, the number of rules it is of'],
    ],
    ...[0, -1, 1.5, Number.NaN, Infinity, '1', null].map((atLeast): [string, unknown, readonly string[]] => [
      `with a seat for ${atLeast}`,
      policy({ ...good, atLeast }),
      ['stages[0].rule.atLeast must be a whole number from 1 on'],
    ]),
    [
      'nine rules below the root',
      policy(nested(9)),
      [`stages[0].rule${'.of[0]'.repeat(9)} lies deeper than 8 rules below the root`],
    ],
    [
      'of a thousand and one rules',
      policy(all(...times(1000, () => good))),
      ['stages[0].rule.of[999] is one rule more than the 1000 a policy may have'],
    ],
    [
      'of too many rules over all its stages, said once',
      { stages: times(2, () => stage(all(...times(600, () => good)))), options: everyday },
      ['stages[1].rule.of[398] is one rule more than the 1000 a policy may have'],
    ],
    [
      'with a threshold of more rules than a policy may have',
      policy(all(...times(1001, () => good))),
      ['stages[0].rule.of must have at most 1000'],
    ],
    [
      'with seventeen seats for distinct people',
      { stages: [stage(good), stage(all(...times(17, () => good)))], options: { ...everyday, distinctPeople: true } },
      ['stages[1].rule has 17 seats; with distinctPeople a stage may have 16'],
    ],
    [
      'with approvals that stand, and may be taken back',
      {
        ...policy(good),
        options: { ...everyday, recheckEligibility: true, veto: 'ignored', approvesOnce: true, singleVote: true },
      },
      [
        'options.recheckEligibility must be false with singleVote',
        'options.veto must be final with approvesOnce',
        'options.recheckEligibility must be false with approvesOnce',
        'options.singleVote must be left out with approvesOnce',
      ],
    ],
    [
      'with approvals that stand by another word than true',
      { ...policy(good), options: { ...everyday, approvesOnce: false } },
      ['options.approvesOnce must be true, or left out'],
    ],
    [
      'of more than 64 KiB of JSON, counted in bytes',
      policy(seats(1, 'é'.repeat(32_768))),
      [` is ${length(policy(seats(1, ''))) + 65_536} bytes of JSON; 65536 are allowed`],
    ],
  ])('%s', (_, candidate, expected) => {
    expect(problems(candidate)).toEqual(expected)
  })

  test('that has no bottom, without following it', () => {
    const bottomless: Record<string, unknown> = { kind: 'threshold', atLeast: 1 }
    bottomless['of'] = [bottomless]
    expect(problems(policy(bottomless))).toEqual([
      `stages[0].rule${'.of[0]'.repeat(9)} lies deeper than 8 rules below the root`,
    ])
  })

  test('that doubles with every level, without counting it all', () => {
    let wide: unknown = good
    for (let level = 0; level < 8; level++) wide = { kind: 'threshold', atLeast: 1, of: times(100, () => wide) }
    expect(problems(policy(wide))).toHaveLength(1)
  })
})
