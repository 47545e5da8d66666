import type { ToldLeaf } from './told-leaf.ts'
import { change, type ToldTable } from './told-table.ts'

export function replayQuotas(quotas: ToldTable, { kind, subject, facts, at }: ToldLeaf): void {
  switch (kind) {
    case 'quota.created':
      quotas.set(subject, {
        quota_type: facts['quotaType'],
        scope: facts['scope'],
        target_id: facts['targetId'],
        limit: String(facts['limit']),
        created_at: at,
        updated_at: at,
      })
      return
    case 'quota.changed':
      return change(quotas, subject, { limit: String(facts['limit']), updated_at: at })
    case 'quota.deleted':
      quotas.delete(subject)
  }
}
