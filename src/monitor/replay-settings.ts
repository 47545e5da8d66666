import { ErasedText } from './erased-text.ts'
import { jsonText } from './json-text.ts'
import type { ToldLeaf } from './told-leaf.ts'
import type { ToldTable } from './told-table.ts'

/** Settings are replaced as a whole. */
export function replaySettings(settings: ToldTable, leaf: ToldLeaf): void {
  if (leaf.kind !== 'access-settings.changed') return
  settings.set(leaf.subject, {
    settings: jsonText(leaf, 'settings'),
    isErased: leaf.text('settings') instanceof ErasedText,
    sealed_password: leaf.facts['passwordHmac'] ?? null,
    updated_by: leaf.actor.id,
    updated_at: leaf.at,
  })
}
