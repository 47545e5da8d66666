// RFC 3339 section 5.6; T and Z may be in lower case.
const form = /^(\d{4})-(\d{2})-(\d{2})t(\d{2}):(\d{2}):(\d{2})(\.\d+)?(z|[+-](\d{2}):(\d{2}))$/i

// What is earlier or later has no spelling that RFC 3339, both stores and every client read alike.
const [earliest, latest] = [0, Date.UTC(9999, 11, 31, 23, 59, 59, 999)]

/**
 * The instant of an RFC 3339 time of any offset, from 1970 to 9999 in UTC; null for any other text, and for a date that is
 * none. What is finer than a millisecond is dropped.
 */
export function parseTime(text: string): Date | null {
  const [, year, month, day, hour, minute, second, , , offsetHour = '0', offsetMinute = '0'] = form.exec(text) ?? []
  if (year === undefined) return null
  const isClock = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60
  if (!isClock || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > daysInMonth) return null
  const instant = Date.parse(text.toUpperCase())
  return instant >= earliest && instant <= latest ? new Date(instant) : null
}

/** RFC 3339 in UTC; milliseconds only where there are any (contract privx §1). */
export function renderTime(instant: Date): string {
  return instant.toISOString().replace('.000Z', 'Z')
}
