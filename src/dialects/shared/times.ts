// RFC 3339 section 5.6; T and Z may be in lower case.
const form = /^(\d{4})-(\d{2})-(\d{2})t(\d{2}):(\d{2}):(\d{2})(\.\d+)?(z|[+-](\d{2}):(\d{2}))$/i

/** The instant of an RFC 3339 time of any offset, to the millisecond; null for any other text, and for a date that is none. */
export function parseTime(text: string): Date | null {
  const [, year, month, day, hour, minute, second, , , offsetHour = '0', offsetMinute = '0'] = form.exec(text) ?? []
  if (year === undefined) return null
  const isClock = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60
  if (!isClock || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > daysInMonth) return null
  const instant = new Date(text.toUpperCase())
  return Number.isNaN(instant.getTime()) ? null : instant
}

/** RFC 3339 in UTC; milliseconds only where there are any (contract privx §1). */
export function renderTime(instant: Date): string {
  return instant.toISOString().replace('.000Z', 'Z')
}
