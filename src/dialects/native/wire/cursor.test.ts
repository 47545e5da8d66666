import { expect, test } from 'vitest'
import { parsePlace, renderPlace } from './cursor.ts'

const id = '01890000-0000-7000-8000-000000000001'
const cursorOf = (time: string) => Buffer.from(`${time}_${id}`).toString('base64')

test.each(['1970-01-01T00:00:00.000Z', '2026-11-21T12:00:00.123Z', '9999-12-31T23:59:59.999Z'])(
  'a place at %s is read as it was written',
  (time) => {
    const place = { at: new Date(time), id }
    expect(renderPlace(place)).toBe(cursorOf(time))
    expect(parsePlace(cursorOf(time))).toEqual(place)
  },
)

// The year 0 is none to the embedded store, and no item is older than the server.
test.each([
  '0000-01-01T00:00:00.000Z',
  '0050-01-01T00:00:00.000Z',
  '1969-12-31T23:59:59.999Z',
  '2026-02-30T00:00:00.000Z',
])('a place at %s is refused', (time) => {
  expect(() => parsePlace(cursorOf(time))).toThrow(expect.objectContaining({ code: 'INVALID_CURSOR', field: 'cursor' }))
})
