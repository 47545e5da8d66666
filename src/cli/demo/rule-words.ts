import { send } from './http.ts'
import type { Person } from './people.ts'
import { say } from './say.ts'

// The members of the API's answers that the demo reads (contract §1, and ours under /v1).
export type Rule =
  | { readonly type: 'GROUP_REQUIREMENT'; readonly groupId: string; readonly minCount: number }
  | { readonly type: 'AND' | 'OR'; readonly rules: readonly Rule[] }
interface Seats {
  readonly type: 'GROUP_REQUIREMENT'
  readonly groupId: string
  readonly held: number
  readonly needed: number
}
type Branch = Seats | { readonly type: 'AND' | 'OR' | 'AT_LEAST'; readonly rules: readonly Branch[] }
interface Explanation {
  readonly pending?: { readonly rule: Branch }
}

/** What the votes so far leave open. */
export async function sayWhatIsMissing(
  person: Person,
  workflowId: string,
  groups: ReadonlyMap<string, string>,
): Promise<void> {
  const answer = await send(person, 'GET', `/v1/workflows/${workflowId}/explain`)
  const rule = answer.status === 200 ? (answer.body as Explanation).pending?.rule : undefined
  if (rule === undefined) return
  for (const { groupId, held, needed } of leavesOf(rule)) {
    const missing = needed - held
    const rest = missing > 0 ? `, ${missing} more missing` : ''
    say(`  ${groups.get(groupId) ?? groupId}: ${held} of ${needed}${rest}`)
  }
}

function leavesOf(rule: Branch): readonly Seats[] {
  return rule.type === 'GROUP_REQUIREMENT' ? [rule] : rule.rules.flatMap(leavesOf)
}

export function ruleInWords(rule: Rule, groups: ReadonlyMap<string, string>): string {
  if (rule.type === 'GROUP_REQUIREMENT') return `${rule.minCount} of ${groups.get(rule.groupId) ?? rule.groupId}`
  return rule.rules.map((part) => ruleInWords(part, groups)).join(rule.type === 'AND' ? ' and ' : ' or ')
}
