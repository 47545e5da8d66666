import { addLogKey } from '../audit/log-key.ts'
import { addDataKey } from '../store/data-keys.ts'
import { openExisting } from './open-existing.ts'

/** `quorate rotate-data-key`. @throws AppError as `openExisting` does */
export async function rotateDataKey(): Promise<void> {
  const ctx = await openExisting()
  const { number, sealsFrom } = await addDataKey(ctx.db, ctx.config.masterKeys, ctx.clock.now())
  process.stdout.write(`Data key ${number} is made. Servers seal with it from ${sealsFrom.toISOString()} on.\n`)
  await ctx.close()
}

/** `quorate rotate-log-key`. @throws AppError as `openExisting` does */
export async function rotateLogKey(): Promise<void> {
  const ctx = await openExisting()
  const { number, until } = await addLogKey(ctx)
  process.stdout.write(
    `Log key ${number} is made and signs from now on; the one before signs beside it until ${until.toISOString()}.\n` +
      `Whoever verifies the log needs the new key by then: ${ctx.publicUrl}/v1/log/key\n`,
  )
  await ctx.close()
}
