import type { Rule, Seats } from './rule.ts'

/**
 * Whether a rule holds, given which of its leaves do.
 *
 * @example
 * holds(rule, (leaf, index) => counts[index] >= neededBy(leaf))
 */
export function holds(rule: Rule, leafHolds: (leaf: Seats, index: number) => boolean): boolean {
  let next = 0
  const visit = (node: Rule): boolean => {
    switch (node.kind) {
      case 'seats':
        return leafHolds(node, next++)
      case 'threshold':
        // Every child is visited, also once enough hold, because the leaves are numbered on the way.
        return node.of.filter(visit).length >= neededBy(node)
    }
  }
  return visit(rule)
}

/**
 * Whether a rule holds, given how many distinct voters stand behind each leaf (in pre-order).
 *
 * @example
 * holdsByCount({ kind: 'seats', atLeast: 2, from: security }, [1]) // false
 */
export function holdsByCount(rule: Rule, counts: readonly number[]): boolean {
  return holds(rule, (leaf, index) => (counts[index] ?? 0) >= neededBy(leaf))
}

/**
 * How many a node asks for. Never fewer than one: an empty list means nobody, and a rule that asks for nobody's
 * approval must not pass by itself, should one ever get past `acceptPolicy`.
 *
 * @example
 * neededBy({ kind: 'threshold', atLeast: 0, of: [] }) // 1
 */
export function neededBy(node: Rule): number {
  return Math.max(1, node.atLeast)
}
