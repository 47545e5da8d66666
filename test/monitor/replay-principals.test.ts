import { expect, it } from 'vitest'
import { compareRow } from '../../src/monitor/compare-rows.ts'
import { ErasedText } from '../../src/monitor/erased-text.ts'
import { newPeople } from '../../src/monitor/replay-people.ts'
import { nothingTold, replay } from '../../src/monitor/replay.ts'
import type { ToldLeaf } from '../../src/monitor/told-leaf.ts'
import { toldLeaf } from './leaves.ts'

/** That a person is a user, in another organization each time. */
function madeUser(subjectId: string, isErased: boolean): ToldLeaf {
  const texts = { email: 'ada@example.com', displayName: 'Ada' }
  const leaf = toldLeaf('user.created', subjectId, { person: 'person', admin: false }, { texts })
  return isErased ? { ...leaf, text: () => new ErasedText([subjectId]) } : leaf
}

it.each<[string, readonly [first: boolean, second: boolean], readonly string[]]>([
  ['nobody has erased', [false, false], ['ada@example.com']],
  ['the first organization has erased', [true, false], ['ada@example.com', 'erased:a']],
  ['the second organization has erased', [false, true], ['ada@example.com', 'erased:b']],
  ['both have erased', [true, true], ['erased:a', 'erased:b']],
])('the address of a person that %s is one of what they leave', (_, [first, second], expected) => {
  const told = newPeople()
  replay(nothingTold(told), madeUser('a', first))
  replay(nothingTold(told), madeUser('b', second))
  const isTold = (email: string) =>
    compareRow(() => {}, 'people', 'person', told.people.get('person') ?? {}, { email }, ['email'])
  const addresses = ['ada@example.com', 'erased:a', 'erased:b', 'erased:c', 'eve@example.com']
  expect(addresses.filter(isTold)).toEqual(expected)
})
