import { ErasedText } from './erased-text.ts'
import { orderedJson } from './ordered-json.ts'

/** What was done to a row, as far as can be told from what is left. */
export type Tampering = 'edited' | 'deleted' | 'inserted' | 'reordered' | 'truncated'

export interface Finding {
  /** Id of the organization; null for what belongs to none. */
  readonly organization: string | null
  readonly table: string
  /** The row's key, its parts separated by slashes; a range `4..9` of indexes; empty for the whole table. */
  readonly row: string
  readonly what: Tampering
  /** The column, or what of the row is meant; empty for the row as a whole. */
  readonly column: string
  /** Null when there should be nothing, or nothing is known. Of a long text its first 4,000 characters. */
  readonly expected: string | null
  readonly found: string | null
}

/** Takes findings as they are made. */
export type Report = (finding: Finding) => void

/** What a check of one organization writes its findings with. */
export type Finder = (
  table: string,
  row: string | number,
  what: Tampering,
  details?: { readonly column?: string; readonly expected?: unknown; readonly found?: unknown },
) => void

export function finderFor(organization: string | null, report: Report): Finder {
  return (table, row, what, { column = '', expected, found } = {}) =>
    report({
      organization,
      table,
      row: String(row),
      what,
      column,
      expected: expected === undefined ? null : cut(textOf(expected)),
      found: found === undefined ? null : cut(textOf(found)),
    })
}

/** One line: organization, table, row, what was done, and what was expected and found. */
export function lineOf({ organization, table, row, what, column, expected, found }: Finding): string {
  const where = [organization ?? '-', table, row === '' ? '*' : row, `${what}${column === '' ? '' : ` ${column}`}`]
  const differs = [
    ...(expected === null ? [] : [`expected ${shortened(expected)}`]),
    ...(found === null ? [] : [`found ${shortened(found)}`]),
  ]
  return [...where, ...(differs.length > 0 ? [differs.join(', ')] : [])].join('  ')
}

const longest = 120

function shortened(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

/** A value of a column as text, by which values are also compared: a list or an object with its members in order. */
export function textOf(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no time' : value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof ErasedText) return value.toJSON()
  if (typeof value === 'string') return value
  return value === undefined ? 'nothing' : orderedJson(value)
}

/** A finding is kept, and there may be many. */
const longestKept = 4_000

function cut(text: string): string {
  return text.length > longestKept ? `${text.slice(0, longestKept)}…` : text
}
