import { describe, expect, test } from 'vitest'
import { all, any, atLeast, seats } from '../../test/kernel/cases/case.ts'
import { countGauge } from './count-gauge.ts'
import { coveringSet } from './covering.ts'
import { distinctGauge } from './distinct-gauge.ts'
import { smallestSets, type Candidate } from './finishing.ts'
import { newGains, votersLeft } from './gains.ts'
import { leavesOf, type Rule } from './rule.ts'
import { shortage } from './shortage.ts'

function candidate(principal: string, gains: readonly number[], voter = principal): Candidate {
  return { principal, voter, gains, alike: voter === principal ? gains.join() : principal }
}
const names = (sets: readonly (readonly Candidate[])[]) =>
  sets.map((set) => set.map(({ principal }) => principal).join(' '))
const gaugeOf = (rule: Rule, held: readonly number[], candidates: readonly Candidate[]) =>
  countGauge(rule, held, candidates, votersLeft(leavesOf(rule).length, candidates))

const both = all(seats(1, 'a'), seats(1, 'b'))
const three = [candidate('p', [0]), candidate('q', [1]), candidate('r', [0, 1])]

describe('what a rule is short of', () => {
  test.each<[string, Rule, readonly number[], object]>([
    ['a seat, of its voters', seats(3, 'a'), [2], { voters: 2, places: 2 }],
    [
      'all branches, of as many voters as the last of them and of the places of each',
      both,
      [2, 3],
      { voters: 3, places: 5 },
    ],
    ['any branch, of what the easiest asks', any(seats(3, 'a'), seats(2, 'b')), [3, 2], { voters: 2, places: 2 }],
    [
      'some of the branches, of what the easiest ask',
      atLeast(2, seats(1, 'a'), seats(1, 'b'), seats(1, 'c')),
      [10, 9, 1],
      { voters: 9, places: 10 },
    ],
    ['a branch that cannot hold, of everything', both, [Infinity, 1], { voters: Infinity, places: Infinity }],
    [
      'more branches than there are, of everything',
      atLeast(3, seats(1, 'a'), seats(1, 'b')),
      [0, 0],
      { voters: Infinity, places: Infinity },
    ],
    ['one branch of one', any(seats(2, 'a')), [2], { voters: 2, places: 2 }],
  ])('%s', (_, rule, short, expected) => {
    expect(shortage(rule, (leaf) => short[leaf] ?? 0)).toEqual(expected)
  })
})

describe('a gauge', () => {
  test('says how many more are needed at least, and that those who are left cannot do it', () => {
    const gauge = gaugeOf(both, [0, 0], three)
    expect(gauge.start).toEqual({ counts: [0, 0], joined: [] })
    expect([0, 1, 2, 3].map((next) => gauge.needed(gauge.start, next))).toEqual([1, 1, 1, Infinity])
    expect(gauge.needed(gauge.join(gauge.start, three[0]!)!, 1)).toBe(1)
    expect(gauge.needed(gauge.join(gauge.start, three[2]!)!, 3)).toBe(0)
    const wide = gaugeOf(all(seats(2, 'a'), seats(2, 'b')), [0, 1], three.slice(0, 2))
    expect(wide.needed(wide.start, 0)).toBe(Infinity)
  })

  test('counts places where no candidate fills two', () => {
    const gauge = gaugeOf(both, [0, 0], three.slice(0, 2))
    expect(gauge.needed(gauge.start, 0)).toBe(2)
    expect(gaugeOf(both, [1, 1], []).needed({ counts: [1, 1], joined: [] }, 0)).toBe(0)
  })

  test('takes no one who fills only what is full', () => {
    const gauge = gaugeOf(both, [1, 0], three)
    expect(gauge.join(gauge.start, three[0]!)).toBeUndefined()
    expect(gauge.join(gauge.start, three[2]!)).toMatchObject({ counts: [2, 1] })
  })

  test('takes no one who brings distinct people no nearer, unless someone may move', () => {
    const gauge = distinctGauge(both, new Map(), three)
    const withOne = gauge.join(gauge.start, three[0]!)!
    expect(gauge.needed(gauge.start, 0)).toBe(2)
    expect(gauge.needed(withOne, 0)).toBe(1)
    expect(gauge.join(withOne, candidate('s', [0]))).toBeUndefined()
    expect(gauge.join(withOne, three[2]!)).toBeDefined()
    const seated = distinctGauge(both, new Map([['r', new Set([0])]]), [candidate('p', [0]), candidate('r', [1])])
    expect(seated.join(seated.start, candidate('p', [0]))).toBeDefined()
    const twice = distinctGauge(both, new Map(), [
      candidate('p', [0], 'v'),
      candidate('q', [1], 'v'),
      candidate('r', [0]),
    ])
    expect(twice.join(twice.join(twice.start, candidate('r', [0]))!, candidate('p', [0], 'v'))).toBeDefined()
  })
})

describe('a gauge of distinct people', () => {
  test('seats a voter once, however many of their principals join', () => {
    const [p, q, r] = [candidate('p', [1], 'v'), candidate('q', [0], 'v'), candidate('r', [1])]
    const gauge = distinctGauge(both, new Map(), [p, q, r])
    const joined = [p, q].reduce((standing, one) => gauge.join(standing, one)!, gauge.start)
    expect(gauge.needed(joined, 0)).toBe(1)
    expect(gauge.needed(gauge.join(joined, r)!, 0)).toBe(0)
    const seated = distinctGauge(both, new Map([['v', new Set([0])]]), [q])
    expect(seated.needed(seated.start, 0)).toBe(Infinity)
  })

  test('takes whoever brings any way of holding nearer', () => {
    const gauge = distinctGauge(any(seats(1, 'a'), seats(1, 'b')), new Map(), three)
    expect(gauge.needed(gauge.join(gauge.start, three[0]!)!, 0)).toBe(0)
  })

  test('aims only at what can be filled with everyone', () => {
    const gauge = distinctGauge(any(seats(1, 'a'), seats(2, 'b')), new Map(), three.slice(1, 2))
    expect(gauge.needed(gauge.start, 0)).toBe(Infinity)
    const wide = distinctGauge(any(seats(1, 'a'), seats(2, 'b')), new Map([['w', new Set([1])]]), three.slice(1, 2))
    expect(wide.needed(wide.start, 0)).toBe(1)
  })

  test('costs more the more sets of leaves there are', () => {
    expect(distinctGauge(both, new Map(), []).cost).toBe(4 / 5)
    expect(gaugeOf(both, [0, 0], []).cost).toBe(2)
  })
})

describe('a candidate', () => {
  test('gains nothing that another principal of theirs has gained', () => {
    const bot = candidate('bot', [0, 1], 'ben')
    expect(newGains([], bot)).toEqual([0, 1])
    expect(newGains([candidate('ben', [0]), candidate('cleo', [1])], bot)).toEqual([1])
  })

  test('is counted among those left once per voter', () => {
    const left = votersLeft(2, [candidate('ben', [0]), candidate('bot', [0, 1], 'ben'), candidate('cleo', [1])])
    expect([0, 1, 2, 3].map((next) => [left(next, 0), left(next, 1)])).toEqual([
      [1, 2],
      [1, 2],
      [0, 1],
      [0, 0],
    ])
    expect(left(9, 0)).toBe(0)
  })
})

describe('the search', () => {
  const search = (rule: Rule, held: readonly number[], candidates: readonly Candidate[], sets = 20, work = 1000) => {
    const found = smallestSets(gaugeOf(rule, held, candidates), candidates, { sets, work })
    return { ...found, sets: names(found.sets) }
  }

  test('finds the sets by size, then in order', () => {
    expect(search(both, [0, 0], three)).toEqual({ sets: ['r', 'p q'], complete: true })
  })

  test('leaves out sets with someone who is not needed', () => {
    expect(search(any(both, seats(1, 'c')), [0, 0, 0], [...three, candidate('s', [2])])).toEqual({
      sets: ['r', 's', 'p q'],
      complete: true,
    })
  })

  test('stops at as many sets as are asked for', () => {
    expect(search(both, [0, 0], three, 1)).toEqual({ sets: ['r'], complete: true })
  })

  test('stops when the work is done, and says that it did', () => {
    expect(search(both, [0, 0], three, 20, 2)).toEqual({ sets: [], complete: false })
    expect(search(both, [0, 0], three, 20, 6)).toEqual({ sets: ['r'], complete: false })
  })

  test('does not begin what cannot be done', () => {
    const hopeless = { start: 0, join: () => expect.unreachable(), needed: () => Infinity, cost: 1 }
    expect(smallestSets(hopeless, three, { sets: 20, work: 1000 })).toEqual({ sets: [], complete: true })
  })

  test('takes no step more than it may', () => {
    expect(search(both, [0, 0], [three[0]!, three[2]!], 20, 2)).toEqual({ sets: [], complete: false })
    expect(search(both, [0, 0], [three[0]!, three[2]!], 20, 3)).toEqual({ sets: ['r'], complete: false })
    expect(search(both, [0, 0], [three[2]!], 1, 2)).toEqual({ sets: ['r'], complete: true })
  })

  test('finds nobody where nobody can, and the empty set where nobody is needed', () => {
    expect(search(both, [0, 0], three.slice(0, 1))).toEqual({ sets: [], complete: true })
    expect(search(both, [1, 1], three)).toEqual({ sets: [''], complete: true })
  })

  test('tries one of many who are alike, and finds all their sets', () => {
    const many = Array.from({ length: 200 }, (_, index) => candidate(`p${index}`, [0]))
    const last = candidate('z', [1])
    expect(search(all(seats(2, 'a'), seats(1, 'b')), [0, 0], [...many, last], 3, 19)).toEqual({
      sets: ['p0 p1 z', 'p0 p2 z', 'p0 p3 z'],
      complete: true,
    })
    expect(
      search(
        all(seats(3, 'a'), any(seats(2, 'b'), seats(1, 'c'))),
        [0, 0, 0],
        [...many, last, candidate('y', [1])],
        1,
        16,
      ),
    ).toEqual({
      sets: ['p0 p1 p2 z y'],
      complete: true,
    })
  })
})

describe('one way to finish', () => {
  const cover = (rule: Rule, held: readonly number[], candidates: readonly Candidate[]) => {
    const left = votersLeft(leavesOf(rule).length, candidates)
    return names([coveringSet(rule, held, candidates, left)])[0]
  }

  test('takes first who fills most, and then in order', () => {
    expect(cover(both, [0, 0], three)).toBe('r')
    expect(cover(all(seats(2, 'a'), seats(1, 'b')), [0, 0], three)).toBe('r p')
    expect(cover(all(seats(2, 'a'), seats(2, 'b')), [1, 0], three)).toBe('r q')
  })

  test('goes for the branches with the fewest places to fill, of those that can be filled', () => {
    const rule = any(seats(2, 'a'), seats(1, 'b'), seats(1, 'c'))
    expect(cover(rule, [0, 0, 0], [candidate('p', [0]), candidate('q', [0]), candidate('s', [2])])).toBe('s')
    expect(
      cover(atLeast(2, seats(3, 'a'), seats(2, 'b'), seats(1, 'c')), [0, 1, 0], [...three, candidate('s', [2])]),
    ).toBe('q s')
    expect(cover(rule, [1, 0, 0], [candidate('p', [0])])).toBe('p')
  })

  test('adds up the places of all branches that are needed', () => {
    const people = [...three.slice(0, 2), candidate('s', [2])]
    expect(cover(any(both, seats(1, 'c')), [0, 0, 0], people)).toBe('s')
    expect(cover(any(both, seats(3, 'c')), [0, 0, 0], [...people, candidate('t', [2]), candidate('u', [2])])).toBe(
      'p q',
    )
  })

  test('takes nobody for what is full, nor a voter twice for one seat', () => {
    expect(cover(all(seats(1, 'a'), seats(2, 'b')), [1, 1], three)).toBe('q')
    const again = [candidate('p', [0], 'v'), candidate('q', [0], 'v'), candidate('r', [0])]
    expect(cover(seats(2, 'a'), [0], again)).toBe('p r')
    expect(cover(seats(1, 'a'), [4], three)).toBe('')
  })
})
