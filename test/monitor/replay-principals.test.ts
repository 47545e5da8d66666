import { expect, it } from 'vitest'
import { renderLeaf } from '../../src/audit/leaf.ts'
import { compareRow } from '../../src/monitor/compare-rows.ts'
import { ErasedText } from '../../src/monitor/erased-text.ts'
import { Erasures } from '../../src/monitor/erasures.ts'
import { nothingTold, replay } from '../../src/monitor/replay.ts'
import { readLeaf, type ToldLeaf } from '../../src/monitor/told-leaf.ts'
import type { ToldTable } from '../../src/monitor/told-table.ts'
import { anyMarking } from '../helpers/log.ts'
import { orgId } from '../helpers/quorum.ts'

/** That a person is a user, in another organization each time. */
function madeUser(subjectId: string, isErased: boolean): ToldLeaf {
  const { content, private: kept } = renderLeaf(anyMarking, {
    orgId,
    kind: 'user.created',
    subjectId,
    actor: { kind: 'system' },
    at: new Date(0),
    facts: { person: 'person', admin: false },
    privateText: { email: 'ada@example.com', displayName: 'Ada' },
  })
  const leaf = readLeaf({ id: '1', content, private: kept }, new Erasures()) as ToldLeaf
  return isErased ? { ...leaf, text: () => new ErasedText([subjectId]) } : leaf
}

it.each<[string, readonly [first: boolean, second: boolean], readonly string[]]>([
  ['nobody has erased', [false, false], ['ada@example.com']],
  ['the first organization has erased', [true, false], ['ada@example.com', 'erased:a']],
  ['the second organization has erased', [false, true], ['ada@example.com', 'erased:b']],
  ['both have erased', [true, true], ['erased:a', 'erased:b']],
])('the address of a person that %s is one of what they leave', (_, [first, second], expected) => {
  const people: ToldTable = new Map()
  replay(nothingTold(people), madeUser('a', first))
  replay(nothingTold(people), madeUser('b', second))
  const isTold = (email: string) =>
    compareRow(() => {}, 'people', 'person', people.get('person') ?? {}, { email }, ['email'])
  const addresses = ['ada@example.com', 'erased:a', 'erased:b', 'erased:c', 'eve@example.com']
  expect(addresses.filter(isTold)).toEqual(expected)
})
