/** Texts, and what says how deep a name stands. Numbers and the like hold none of these. */
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g

/**
 * Parses a JSON object that names no member twice at its top: two readers may differ on which value counts, and one of them
 * may be the one that checked (RFC 7519 section 4, RFC 8259 section 4).
 * @returns null for other JSON and for a name that stands twice
 * @throws SyntaxError when it is not JSON
 */
export function parseUniqueMembers(text: string): Readonly<Record<string, unknown>> | null {
  const value: unknown = JSON.parse(text)
  if (!(value instanceof Object) || Array.isArray(value)) return null
  const seen = new Set<string>()
  let depth = 0
  let last = ''
  for (const [token] of text.matchAll(tokens)) {
    if (token === ':' && depth === 1) {
      const name = JSON.parse(last) as string
      if (seen.has(name)) return null
      seen.add(name)
    }
    if (token === '{' || token === '[') depth++
    if (token === '}' || token === ']') depth--
    last = token
  }
  return value as Readonly<Record<string, unknown>>
}
