/** A value that a member of a flat object may have. */
export type FlatValue = string | number | readonly string[]

/**
 * Reads a JSON object (RFC 8259) whose members are texts, whole numbers in plain decimal digits and lists of texts, each member
 * once: so much that no two readers can differ on what it says.
 * @returns null when it is anything else, or empty
 */
export function readFlatObject(bytes: Uint8Array): ReadonlyMap<string, FlatValue> | null {
  const json = textOf(bytes)
  if (json === null) return null
  const members = new Map<string, FlatValue>()
  let at = matchAt(opening, json, 0)?.[0].length ?? json.length
  for (let end = ','; end === ',';) {
    const [whole = '', name = '""', raw = '""', next = ''] = matchAt(member, json, at) ?? []
    if (whole === '') return null
    const value = JSON.parse(raw) as FlatValue
    const key = JSON.parse(name) as string
    if (members.has(key) || !isPlain(value)) return null
    members.set(key, value)
    at += whole.length
    end = next
  }
  return at === json.length ? members : null
}

const blank = String.raw`[ \t\n\r]*`
// One character at a time: nothing here can be matched in two ways, so a hostile text costs no more than its length.
const text = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"`
const whole = String.raw`(?:0|[1-9]\d*)`
const list = String.raw`\[${blank}(?:${text}${blank}(?:,${blank}${text}${blank})*)?\]`
const opening = new RegExp(String.raw`${blank}\{${blank}`, 'y')
const member = new RegExp(`(${text})${blank}:${blank}(${text}|${whole}|${list})${blank}([,}])${blank}`, 'y')

function matchAt(pattern: RegExp, json: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(json)
}

function isPlain(value: FlatValue): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value)
  return typeof value === 'string' ? value.isWellFormed() : value.every((each) => each.isWellFormed())
}

/** Null unless it is UTF-8, strictly. A byte order mark stays, and is no JSON. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}
