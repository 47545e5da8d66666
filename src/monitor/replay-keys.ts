import { creatorIn } from './replay-accounts.ts'
import type { ToldPrincipals } from './replay-principals.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, type ToldRow, type ToldTable } from './told-table.ts'

export interface ToldKeys {
  readonly fortanix_keys: ToldTable
}

export function replayKeys(told: ToldKeys & ToldPrincipals, leaf: ToldLeaf): void {
  const { fortanix_keys: keys } = told
  const { kind, subject, facts, at } = leaf
  switch (kind) {
    case 'key.created':
      keys.set(subject, {
        ...said(leaf),
        name: leaf.text('name'),
        description: leaf.text('description'),
        origin: facts['origin'],
        creator: creatorIn(told, leaf),
        used: '0',
        last_used_at: null,
        created_at: at,
      })
      return
    case 'key.changed': {
      const texts = { name: leaf.text('name'), description: leaf.text('description') }
      const given = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== null))
      return change(keys, subject, { ...said(leaf), ...given })
    }
    case 'key.used':
    case 'key.exported':
      return change(keys, subject, { used: String(BigInt(usesOf(keys.get(subject))) + 1n), last_used_at: at })
    case 'key.deleted':
      keys.delete(subject)
  }
}

function usesOf(key: ToldRow | undefined): string {
  const used = key?.['used']
  return typeof used === 'string' ? used : '0'
}

/** What every leaf of a key tells anew; of what it is made of a digest. */
function said({ facts, at }: ToldLeaf): ToldRow {
  return {
    group_id: facts['group'],
    kind: facts['keyKind'],
    size_bits: facts['size'],
    curve: facts['curve'],
    operations: facts['operations'],
    is_enabled: facts['enabled'],
    state: facts['state'],
    material: facts['secretHmac'],
    public_key: facts['publicKeySha256'],
    updated_at: at,
  }
}
