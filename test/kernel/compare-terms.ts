/** The validity of terms against a naive calendar, on random definitions. */
import { checkTerms, firstUse, isInForce } from '../../src/kernel/grant-terms.ts'
import { chance, type Chance } from './cases.ts'
import { counts, randomTerms, wrongMembers, type TermsCase } from './naive-terms.ts'

export interface TermsCampaign {
  readonly accepted: number
  readonly refused: number
  /** What the two do not agree about, told for a person; none when they do. */
  readonly disagreements: readonly string[]
}

export function compareTerms(seed: number, cases: number): TermsCampaign {
  const disagreements: string[] = []
  let accepted = 0
  for (let number = 0; number < cases; number++) {
    const dice = chance(seed, number)
    const one = randomTerms(dice)
    const wrong = wrongMembers(one)
    const problem = checkTerms(one.terms, one.limits, one.now)
    const agrees = problem === null ? wrong.size === 0 : wrong.has(problem.field)
    if (!agrees)
      disagreements.push(`case ${number}: ${told(one)}: ${problem?.field ?? 'right'}, not ${[...wrong].join()}`)
    if (problem !== null) continue
    accepted += 1
    disagreements.push(...compareForce(dice, one).map((text) => `case ${number}: ${told(one)}: ${text}`))
  }
  return { accepted, refused: cases - accepted, disagreements }
}

/** At instants around every edge, before the first use and after it. */
function compareForce(dice: Chance, one: TermsCase): string[] {
  const { terms, now } = one
  const usedAt = now + dice.below(10_000_000)
  const used = firstUse(terms, usedAt)
  const edges = [now, usedAt, terms.startsAt, terms.endsAt, used.endsAt].filter((edge) => edge !== undefined)
  return edges
    .flatMap((edge) => [edge - 1, edge, edge + 1])
    .flatMap((at) => [
      ...(isInForce(terms, at) === counts(one, null, at) ? [] : [`unused, at ${at}`]),
      ...(isInForce(used, at) === counts(one, usedAt, at) ? [] : [`used at ${usedAt}, at ${at}`]),
    ])
}

function told({ terms, limits, now }: TermsCase): string {
  return `${JSON.stringify(terms)} within ${JSON.stringify(limits)} at ${new Date(now).toISOString()}`
}
