import { describe, expect, test } from 'vitest'
import { candidacies, type EligiblePrincipal } from './candidacy.ts'
import { all, policyOf, seat, seats, type Case } from '../../test/kernel/cases/case.ts'
import { holdsExactly, mayHold } from './recount.ts'
import { initialState, type StandingApproval } from './request.ts'

const stages: Case['stages'] = [all(seats(2, 'security'), seats(1, 'finance'), seats(1, 'security'))]
const begun = (policy: ReturnType<typeof policyOf>) =>
  initialState(policy, { digest: 'd', expiresAt: 1000, requester: { principal: 'ada', person: 'ada' } })
const eligible = (principal: string, person: string | null, ...holds: readonly string[]): EligiblePrincipal => {
  return { principal, person, holds: holds.map(seat) }
}
function approval(principal: string, held: readonly string[], ...names: readonly string[]): StandingApproval {
  const vote = { stance: 'approve', assurance: [], digest: 'd' } as const
  return { ...vote, principal, person: principal, seats: names.map(seat), holds: held.map(seat) }
}
function known(
  options: Case['options'],
  approvals: readonly StandingApproval[],
  ...people: readonly EligiblePrincipal[]
) {
  const policy = policyOf({ stages, ...(options && { options }) })
  return candidacies(policy, begun(policy), approvals, people)
}

describe('a candidate', () => {
  test('gains every leaf of the seats that they hold', () => {
    const [ben, dana] = known(
      {},
      [],
      eligible('ben', null, 'security'),
      eligible('dana', null, 'finance', 'garden', 'security'),
    )
    expect(ben).toMatchObject({ principal: 'ben', voter: 'principal:ben', gains: [0, 2] })
    expect(dana).toMatchObject({ gains: [1, 0, 2] })
  })

  test('gains only what they do not fill yet, and is none if that is nothing', () => {
    const stands = [approval('dana', ['security', 'finance'], 'security'), approval('ben', ['security'], 'security')]
    const found = known(
      {},
      stands,
      eligible('dana', null, 'security', 'finance'),
      eligible('ben', null, 'security'),
      eligible('gus', null, 'garden'),
    )
    expect(found).toMatchObject([{ principal: 'dana', gains: [1] }])
  })

  test('is not who asked, nor someone who would give up a seat by voting again', () => {
    const moved = approval('dana', [], 'security', 'garden')
    const people = [eligible('ada', null, 'finance'), eligible('dana', null, 'finance')]
    expect(known({ recheckEligibility: false }, [moved], ...people)).toEqual([])
    expect(known({}, [moved], ...people)).toMatchObject([{ principal: 'dana', gains: [1] }])
    expect(known({ recheckEligibility: false }, [approval('dana', [], 'garden')], ...people)).toHaveLength(1)
  })

  test('is like those who gain the same, beside the same', () => {
    const people = [
      eligible('ben', null, 'security', 'finance'),
      eligible('cleo', null, 'finance', 'security'),
      eligible('dana', null, 'finance'),
      eligible('eli', null, 'finance'),
      eligible('fay', null, 'security', 'finance'),
    ]
    const found = known({}, [approval('fay', ['security', 'finance'], 'security')], ...people)
    const alike = new Map(found.map((one) => [one.principal, one.alike]))
    expect(alike.get('ben')).toBe(alike.get('cleo'))
    expect(alike.get('dana')).toBe(alike.get('eli'))
    expect(alike.get('dana')).not.toBe(alike.get('ben'))
    // Fay gains what dana does, and unlike dana could be moved.
    expect(alike.get('fay')).not.toBe(alike.get('dana'))
  })

  test('is like nobody when another of the same person is listed', () => {
    const people = [
      eligible('ben', 'ben', 'security'),
      eligible('bot', 'ben', 'security'),
      eligible('cleo', 'cleo', 'security'),
    ]
    const found = known({ naturalPersons: true }, [], ...people)
    expect(found.map(({ voter }) => voter)).toEqual(['person:ben', 'person:ben', 'person:cleo'])
    expect(new Set(found.map(({ alike }) => alike)).size).toBe(3)
    expect(new Set(known({}, [], ...people).map(({ alike }) => alike)).size).toBe(1)
  })
})

test('a stage that is not there holds for nobody', () => {
  const policy = policyOf({ stages })
  const beyond = { ...begun(policy), stage: 7 }
  expect(holdsExactly(policy, beyond, [])).toBe(false)
  expect(mayHold(policy, beyond)).toBe(false)
})
