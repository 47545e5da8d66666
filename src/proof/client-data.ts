/** What a browser says it had signed: members of any kind. */
export type ClientData = Readonly<Record<string, unknown>>

/** Objects and lists within each other, as in canonical JSON. */
const deepest = 64

/**
 * Reads what a browser says it had signed, as the server does when a vote is cast and the verifier of its receipt later: a JSON
 * object that no two readers understand in two ways (docs/receipt.md, "The voter's security key").
 * @returns null for bytes that are none, or not in UTF-8
 */
export function readClientData(bytes: Uint8Array): ClientData | null {
  try {
    // A byte order mark stays, and is no JSON.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && isUnambiguous(text) ? (value as ClientData) : null
  } catch {
    return null
  }
}

/** A page in a frame of another origin asked: whoever looked at the page did not see whom they answered. */
export function isFromForeignFrame({ crossOrigin, topOrigin }: ClientData): boolean {
  return (crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:]/gu

/** Of a text that is JSON: no member comes twice in its object, no text has half a character, and nothing nests too deep. */
function isUnambiguous(json: string): boolean {
  const open: Set<string>[] = []
  let last = ''
  for (const [token] of json.matchAll(tokens)) {
    if (token === '{' || token === '[') {
      if (open.push(new Set()) > deepest) return false
    } else if (token === '}' || token === ']') {
      open.pop()
    } else if (token === ':') {
      const names = open.at(-1)
      if (names?.has(last)) return false
      names?.add(last)
    } else {
      last = JSON.parse(token) as string
      if (!last.isWellFormed()) return false
    }
  }
  return true
}
