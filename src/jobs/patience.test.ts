import { describe, expect, it } from 'vitest'
import { createPatience, type Patience } from './patience.ts'

const sink = 'hooks.example'
const quick = { failed: true, milliseconds: 5 }
const hung = { failed: true, milliseconds: 10_000 }
const sent = { failed: false, milliseconds: 5 }

/** A success a moment, so many a second, for so many seconds; gives when it ended. */
function healthy(patience: Patience, callsASecond: number, seconds: number): number {
  for (let n = 0; n <= callsASecond * seconds; n++) patience.learn(sink, sent, (n * 1000) / callsASecond)
  return seconds * 1000
}

function failing(patience: Patience, from: number, times: number, seconds: number): number {
  for (let n = 0; n <= times; n++) patience.learn(sink, quick, from + (n * seconds * 1000) / times)
  return from + seconds * 1000
}

/** How many calls get a turn within a second when as many ask as like to. */
function turnsASecond(patience: Patience, now: number): number {
  for (let count = 0; ; count++) if (patience.turn(sink, now) >= 1000 || count === 10_000) return count
}

describe('a destination that hangs', () => {
  it('is called until it has hung eight times in a row, then let alone, and asked by one call after its rest', () => {
    const patience = createPatience()
    for (let n = 0; n < 7; n++) patience.learn(sink, hung, n)
    expect(patience.allows(sink, 10)).toBe(true)
    patience.learn(sink, hung, 10)
    expect(patience.allows(sink, 2_509)).toBe(false)
    expect([patience.allows(sink, 2_510), patience.allows(sink, 2_510)]).toEqual([true, false])
  })

  it('is asked by another one after each rest, whether or not the last one has an answer', () => {
    const patience = createPatience()
    for (let n = 0; n < 9; n++) patience.learn(sink, hung, 0)
    expect(patience.allows(sink, 2_500)).toBe(true)
    expect(patience.allows(sink, 5_000)).toBe(true)
    patience.learn(sink, hung, 6_000)
    expect([patience.allows(sink, 7_499), patience.allows(sink, 7_500)]).toEqual([false, true])
  })

  it('is called as ever once it answered, be it with an error', () => {
    const patience = createPatience()
    for (let n = 0; n < 9; n++) patience.learn(sink, hung, 0)
    expect(patience.allows(sink, 2_499)).toBe(false)
    patience.learn(sink, quick, 2_499)
    expect([patience.allows(sink, 2_499), patience.allows(sink, 2_499)]).toEqual([true, true])
  })

  it('says nothing about others', () => {
    const patience = createPatience()
    for (let n = 0; n < 9; n++) patience.learn(sink, hung, 0)
    expect(patience.allows('other.example', 0)).toBe(true)
  })
})

it('nobody waits longer than five seconds for a turn', () => {
  const patience = createPatience()
  const now = failing(patience, 0, 100, 10)
  patience.learn(sink, sent, now)
  const turns = Array.from({ length: 100 }, () => patience.turn(sink, now))
  expect(Math.max(...turns)).toBe(5_000)
})

describe('a destination that refuses', () => {
  it('is called every time, without waiting', () => {
    const patience = createPatience()
    const now = failing(patience, healthy(patience, 40, 20), 1_000, 20)
    expect(patience.allows(sink, now)).toBe(true)
    expect(turnsASecond(patience, now)).toBe(10_000)
  })
})

describe('a destination that comes back', () => {
  it('gets at most half as many calls again as it had before', () => {
    const patience = createPatience()
    const now = failing(patience, healthy(patience, 40, 20), 100, 10)
    patience.learn(sink, sent, now)
    const turns = turnsASecond(patience, now)
    expect([turns > 50, turns <= 61]).toEqual([true, true])
  })

  it('is no measure of itself: what it gets while it recovers changes nothing', () => {
    const patience = createPatience()
    const now = failing(patience, healthy(patience, 40, 20), 100, 10)
    for (let n = 0; n < 540; n++) patience.learn(sink, sent, now + n * 16)
    expect(turnsASecond(patience, now + 9_000)).toBeLessThanOrEqual(61)
  })

  it('is called as ever ten seconds later', () => {
    const patience = createPatience()
    const now = failing(patience, healthy(patience, 40, 20), 100, 10)
    patience.learn(sink, sent, now)
    expect(turnsASecond(patience, now + 9_999)).toBeLessThan(100)
    expect(turnsASecond(patience, now + 10_000)).toBe(10_000)
  })

  it('gets ten calls a second where nobody knows what is usual', () => {
    const patience = createPatience()
    const now = failing(patience, 0, 100, 10)
    patience.learn(sink, sent, now)
    expect(turnsASecond(patience, now)).toBe(10)
  })

  it('was not out after failures within a second, or after seven', () => {
    for (const [times, seconds] of [
      [50, 0.9],
      [6, 10],
    ] as const) {
      const patience = createPatience()
      const now = failing(patience, 0, times, seconds)
      patience.learn(sink, sent, now)
      expect(turnsASecond(patience, now)).toBe(10_000)
    }
  })
})
