import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { gathered } from './gather.ts'

/** Work that doubles numbers, fails for batches with a 13 in them, and keeps what it was asked. */
function doubling() {
  const batches: number[][] = []
  const work = async (numbers: readonly number[]) => {
    batches.push([...numbers])
    await sleep(5)
    if (numbers.includes(13)) throw new Error('thirteen')
    return numbers.map((number) => number * 2)
  }
  return { batches, double: gathered(work, 0) }
}

it('what is asked at once is done together, and each gets its own result', async () => {
  const { batches, double } = doubling()
  expect(await Promise.all([double(1), double(2), double(3)])).toEqual([2, 4, 6])
  expect(batches).toEqual([[1, 2, 3]])
})

it('what is asked while a batch is in hand is the next one', async () => {
  const { batches, double } = doubling()
  const first = double(1)
  await sleep(2)
  const rest = Promise.all([double(2), double(3)])
  expect([await first, ...(await rest)]).toEqual([2, 4, 6])
  expect(batches).toEqual([[1], [2, 3]])
})

it('one that cannot be done fails alone', async () => {
  const { double } = doubling()
  const settled = await Promise.allSettled([double(1), double(13), double(3)])
  expect(settled).toMatchObject([{ value: 2 }, { reason: { message: 'thirteen' } }, { value: 6 }])
  expect(await double(4)).toBe(8)
})
