/**
 * Runs one round after another until it is ended.
 * @param round never rejects; resolves to the milliseconds until the next
 * @returns ends it, once the round in hand is done
 */
export function startRounds(round: () => Promise<number>): () => Promise<void> {
  let isEnding = false
  let timer: NodeJS.Timeout | undefined
  let wake = () => {}
  const run = async () => {
    while (!isEnding) {
      const wait = await round()
      if (isEnding) return
      await new Promise<void>((resolve) => {
        wake = resolve
        timer = setTimeout(resolve, wait)
      })
    }
  }
  const running = run()
  return async () => {
    isEnding = true
    clearTimeout(timer)
    wake()
    await running
  }
}
