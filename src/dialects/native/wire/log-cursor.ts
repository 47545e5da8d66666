import type { LogPlace } from '../../../identity/list-audit-log.ts'
import { parsePlace, renderPlace } from './cursor.ts'
import { refuse } from './read.ts'

/**
 * The id of an entry of the audit log: a UUIDv7 of its time and its number among the leaves, so that it is the same in
 * every answer and sorts as the log does.
 */
export function logIdOf({ at, id }: LogPlace): string {
  const time = at.getTime().toString(16).padStart(12, '0')
  const number = (variant | BigInt(id)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-${number.slice(0, 4)}-${number.slice(4)}`
}

// The two bits before the number that RFC 9562 section 4.1 asks for.
const variant = 1n << 63n

/** Where a page of the log ends: its cursor holds the id that the entry is shown with. */
export function renderCursor(place: LogPlace): string {
  return renderPlace({ at: place.at, id: logIdOf(place) })
}

/** @throws AppError INVALID_CURSOR */
export function parseCursor(value: unknown): LogPlace {
  const { at, id: shown } = parsePlace(value)
  const [, first = '', rest = ''] = form.exec(shown) ?? refuse('INVALID_CURSOR', 'cursor')
  const place = { at, id: String(BigInt(`0x${first}${rest}`) ^ variant) }
  // The time of another entry would be a place that no page ends at.
  return logIdOf(place) === shown ? place : refuse('INVALID_CURSOR', 'cursor')
}

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7000-([89ab][0-9a-f]{3})-([0-9a-f]{12})$/
