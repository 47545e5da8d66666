import { commitmentTo } from '../../src/audit/leaf.ts'
import { Erasures } from '../../src/monitor/erasures.ts'
import { readLeaf, type ToldLeaf } from '../../src/monitor/told-leaf.ts'
import { orgId } from '../helpers/quorum.ts'

/** A leaf as the monitor reads it. @param texts that it commits to; they are beside it unless `isGone` */
export function toldLeaf(
  kind: string,
  subject: string,
  facts: object,
  { texts = {}, isGone = false }: { readonly texts?: Readonly<Record<string, string>>; readonly isGone?: boolean } = {},
): ToldLeaf {
  const salt = 'salt'
  const names = Object.entries(texts)
  const committed = Object.fromEntries(names.map(([name, text]) => [name, commitmentTo(salt, text)]))
  const content = JSON.stringify({
    v: 1,
    org: orgId,
    kind,
    subject,
    actor: { kind: 'system' },
    at: new Date(0).toISOString(),
    facts,
    committed,
  })
  const kept = isGone ? null : Object.fromEntries(names.map(([name, text]) => [name, { salt, text }]))
  const leaf = readLeaf({ id: '1', content, private: kept }, new Erasures())
  if (leaf === null) throw new Error('no leaf')
  return leaf
}
