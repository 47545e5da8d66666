import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { statements } from './statements.ts'

const root = join(import.meta.dirname, '../../..')

/** Where to look for what proves a statement; a test that goes takes its line here with it, or another takes its place. */
describe.each([...Map.groupBy(statements, ({ section }) => section)])('§%s', (_section, stated) => {
  it.each(stated.map(({ says, file, title }) => [says, file, title] as const))('%s: %s', (_says, file, title) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(title)
  })
})

it('no statement is listed twice', () => {
  const said = statements.map(({ section, says }) => `§${section} ${says}`)
  expect(said.toSorted()).toEqual([...new Set(said)].toSorted())
})
