import type { LogPlace } from '../../../identity/list-audit-log.ts'
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

/** Where a page ends: base64 of `{createdAt}_{id}` of its last entry (contract §2.10). */
export function renderCursor(place: LogPlace): string {
  return Buffer.from(`${place.at.toISOString()}_${logIdOf(place)}`).toString('base64')
}

/** @throws AppError INVALID_CURSOR */
export function parseCursor(value: unknown): LogPlace {
  const text = typeof value === 'string' ? Buffer.from(value, 'base64').toString('latin1') : ''
  const [, time = '', first = '', rest = ''] = form.exec(text) ?? []
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) refuse('INVALID_CURSOR', 'cursor')
  const place = { at, id: String(BigInt(`0x${first}${rest}`) ^ variant) }
  // Nothing else than a cursor of ours comes out as it went in.
  return renderCursor(place) === value ? place : refuse('INVALID_CURSOR', 'cursor')
}

const form =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_[0-9a-f]{8}-[0-9a-f]{4}-7000-([89ab][0-9a-f]{3})-([0-9a-f]{12})$/
