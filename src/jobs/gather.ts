import { setImmediate, setTimeout } from 'node:timers/promises'

interface Asked<Item, Result> {
  readonly item: Item
  readonly answer: PromiseWithResolvers<Result>
}

/**
 * Does for many at once what many ask for one at a time: one statement in place of many is what leaves the database to the
 * votes. One batch is in hand at a time; what is asked meanwhile is the next. When a batch fails each of it is done alone, so
 * that one that cannot be done does not keep the others from it.
 * @param work gives the results in the order of the items; run again it must change nothing more
 * @param waitMilliseconds how long a batch waits for more
 */
export function gathered<Item, Result>(
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
  waitMilliseconds: number,
): (item: Item) => Promise<Result> {
  let waiting: Asked<Item, Result>[] = []
  let isRunning = false
  const run = async () => {
    while (waiting.length > 0) {
      await (waitMilliseconds > 0 ? setTimeout(waitMilliseconds) : setImmediate())
      const batch = waiting
      waiting = []
      await answer(work, batch)
    }
    isRunning = false
  }
  return async (item) => {
    const answered = Promise.withResolvers<Result>()
    waiting.push({ item, answer: answered })
    if (!isRunning) {
      isRunning = true
      void run()
    }
    return await answered.promise
  }
}

async function answer<Item, Result>(
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
  batch: readonly Asked<Item, Result>[],
): Promise<void> {
  try {
    const results = await work(batch.map(({ item }) => item))
    for (const [index, asked] of batch.entries()) asked.answer.resolve(results[index] as Result)
  } catch (error) {
    if (batch.length === 1) batch[0]?.answer.reject(error)
    else for (const asked of batch) await answer(work, [asked])
  }
}
