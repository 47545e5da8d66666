import { expect, it } from 'vitest'
import { nothingTold, replay } from '../../src/monitor/replay.ts'
import type { ToldLeaf } from '../../src/monitor/told-leaf.ts'
import { nativeOptions } from '../helpers/quorum.ts'
import { toldLeaf } from './leaves.ts'

const [holder, space, first, second] = ['holder', 'space', 'first', 'second']

/** A leaf whose texts are gone. */
const leaf = (kind: string, subject: string, facts: object, texts: Readonly<Record<string, string>> = {}) =>
  toldLeaf(kind, subject, facts, { texts, isGone: true })

const version = { dialect: 'native', space, stages: [], options: nativeOptions }
const role = (template: string) =>
  leaf(
    'roles.assigned',
    holder,
    { holder: 'human', roles: [{ roleName: 'Voter', scopeType: 'workflow_template', template }] },
    { 'roles[0].templateName': 'release' },
  )
const made = [
  leaf('template.created', first, version, { name: 'release' }),
  leaf('template.updated', second, { ...version, replaces: first }, { name: 'release' }),
]

const rolesAfter = (...leaves: readonly ToldLeaf[]) => {
  const told = nothingTold()
  for (const one of leaves) replay(told, one)
  return [...told.role_bindings.keys()]
}

it('a role is on all versions of a template, whatever its name was', () => {
  expect(rolesAfter(...made, role(second))).toEqual(['holder/Voter/workflow_template/first'])
  expect(rolesAfter(...made, role(first), role(second))).toHaveLength(1)
})

it.each([
  ['with the template', leaf('template.deleted', second, {}, { name: 'release' })],
  ['with its space', leaf('space.deleted', space, {})],
  ['when it is taken', leaf('roles.removed', holder, role(first).facts)],
])('it goes %s, though all names be erased', (_, last) => {
  expect(rolesAfter(...made, role(second), last)).toEqual([])
})

it('stays where another template goes', () => {
  const other = leaf('template.created', 'other', version, { name: 'release' })
  expect(rolesAfter(...made, role(second), other, leaf('template.deleted', 'other', {}))).toHaveLength(1)
})
