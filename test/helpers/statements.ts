import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** What a contract states, with the test that proves it: a file and a part of a title, or of a line of a table, in it. */
export interface Statement {
  readonly section: string
  readonly says: string
  readonly file: string
  readonly title: string
}

export type Proof<File extends string> = readonly [says: string, file: File, title: string]

const root = join(import.meta.dirname, '../..')

/** @param files by the names that proofs have for them, from the root */
export function statementsOf<File extends string>(
  files: Readonly<Record<File, string>>,
  sections: Readonly<Record<string, readonly Proof<NoInfer<File>>[]>>,
): readonly Statement[] {
  return Object.entries(sections).flatMap(([section, proofs]) =>
    proofs.map(([says, file, title]) => ({ section, says, file: files[file], title })),
  )
}

/** Each has its test; a test that goes takes its line of the table with it, or another takes its place. */
export function testStatements(statements: readonly Statement[]): void {
  describe.each([...Map.groupBy(statements, ({ section }) => section)])('§%s', (_section, stated) => {
    it.each(stated.map(({ says, file, title }) => [says, file, title] as const))('%s: %s', (_says, file, title) => {
      expect(readFileSync(join(root, file), 'utf8')).toContain(title)
    })
  })

  it('no statement is listed twice', () => {
    const said = statements.map(({ section, says }) => `§${section} ${says}`)
    expect(said.toSorted()).toEqual([...new Set(said)].toSorted())
  })
}
