import type { ToldLeaf } from './told-leaf.ts'
import { change, type ToldTable } from './told-table.ts'

/** A key acts as its principal, and so votes as it may. */
export function replayApiKeys(keys: ToldTable, leaf: ToldLeaf): void {
  const { kind, subject, facts, actor, at } = leaf
  switch (kind) {
    case 'api-key.created':
      keys.set(subject, {
        principal_id: facts['principal'],
        name: leaf.text('name'),
        scopes: facts['scopes'],
        secret_hash: facts['secretSha256'],
        expires_at: new Date(facts['expiresAt'] as string),
        previous_hash: null,
        previous_expires_at: null,
        revoked_at: null,
        created_by: actor.id,
        created_at: at,
      })
      return
    case 'api-key.rotated': {
      const grace = Number(facts['graceSeconds'])
      return change(keys, subject, {
        secret_hash: facts['secretSha256'],
        previous_hash: grace === 0 ? null : keys.get(subject)?.['secret_hash'],
        previous_expires_at: grace === 0 ? null : new Date(at.getTime() + grace * 1000),
      })
    }
    case 'api-key.revoked':
      return change(keys, subject, { revoked_at: at })
  }
}
