/**
 * Canonical JSON (RFC 8785) over the subset that receipts and leaves use: numbers are whole and from 0 to 2^53 - 1, texts hold
 * no lone surrogate, and nothing nests deeper than 64.
 */

const deepest = 64

/** The one text of a value. @throws TypeError on a value outside the subset */
export function writeCanonical(value: unknown): string {
  return write(value, 0)
}

/**
 * Reads a text that is exactly what `writeCanonical` writes: a member named twice, a blank or another form of a number is
 * none.
 * @returns undefined when it is not
 */
export function readCanonical(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return writeCanonical(value) === text ? value : undefined
  } catch {
    return undefined
  }
}

function write(value: unknown, depth: number): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return digits(value)
  if (typeof value !== 'object' || depth === deepest) throw new TypeError('no value of canonical JSON')
  if (Array.isArray(value)) return `[${value.map((each: unknown) => write(each, depth + 1)).join(',')}]`
  // Sorted by UTF-16 code units, as RFC 8785 has it.
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${quoted(name)}:${write(member, depth + 1)}`).join(',')}}`
}

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('half a character')
  return JSON.stringify(text)
}

function digits(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) throw new TypeError('no whole number')
  return String(value)
}
