import type { ToldLeaf } from './told-leaf.ts'
import type { ToldTable } from './told-table.ts'

export function replaySpaces(spaces: ToldTable, leaf: ToldLeaf): void {
  switch (leaf.kind) {
    case 'space.created':
      spaces.set(leaf.subject, {
        name: leaf.text('name'),
        description: leaf.text('description'),
        created_at: leaf.at,
        updated_at: leaf.at,
      })
      return
    case 'space.deleted':
      spaces.delete(leaf.subject)
  }
}
