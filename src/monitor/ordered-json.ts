/**
 * JSON with the members of objects in order. It takes any depth: whoever alters a value may nest it so that what goes through it
 * by calling itself ends.
 */
export function orderedJson(value: unknown): string {
  const written: string[] = []
  // What is still to be written, the next of it last.
  const rest: Part[] = [{ value }]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === 'string') written.push(next)
    // One by one: as arguments of one call there may be too many.
    else for (const part of partsOf(next.value).toReversed()) rest.push(part)
  }
  return written.join('')
}

type Part = string | { readonly value: unknown }

function partsOf(value: unknown): Part[] {
  if (Array.isArray(value)) return ['[', ...separated(value.map((item: unknown) => [{ value: item }])), ']']
  if (typeof value !== 'object' || value === null || value instanceof Date) return [scalar(value)]
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return ['{', ...separated(members.map(([name, member]) => [`${JSON.stringify(name)}:`, { value: member }])), '}']
}

function separated(items: readonly Part[][]): Part[] {
  return items.flatMap((item, index) => (index === 0 ? item : [',', ...item]))
}

function scalar(value: unknown): string {
  // A number that the database holds and JavaScript does not is none in JSON.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'no time'
  return JSON.stringify(value) ?? 'null'
}
