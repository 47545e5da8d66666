import { ErasedText } from './erased-text.ts'
import type { ToldLeaf } from './told-leaf.ts'

/**
 * A value that a leaf commits to as JSON. What an erasure leaves is an empty object.
 * @param otherwise when the leaf commits to none; undefined when nothing can be told then
 */
export function jsonText(leaf: ToldLeaf, name: string, otherwise?: object): unknown {
  const text = leaf.text(name)
  if (text instanceof ErasedText) return {}
  if (text === null) return otherwise
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}
