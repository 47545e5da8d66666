import type { ToldVote } from './told.ts'

/** Approvals for these seats by people of whom each votes once; the last one decides. */
export function approvalsOf(count: number, seats: readonly string[], at: string): ToldVote[] {
  return Array.from({ length: count }, (_, index) => {
    const isLast = index === count - 1
    return {
      seq: index + 1,
      at,
      principal: `voter-${index}`,
      kind: 'human',
      person: null,
      stance: 'approve',
      stage: 0,
      seats,
      assurance: [],
      from: 'open',
      to: isLast ? 'approved' : 'open',
      ...(isLast && { toStage: 1, lapsed: {} }),
    }
  })
}
