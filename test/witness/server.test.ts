import { expect, it } from 'vitest'
import { latestHead } from '../../src/audit/checkpoint.ts'
import { cosigner } from '../../src/proof/cosignature.ts'
import { parseVerifierKey, verifierKeyText } from '../../src/proof/note.ts'
import { findLatestCheckpoint } from '../../src/store/log-reads.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { startListening } from '../helpers/listening.ts'
import { addLeaves } from '../helpers/log.ts'
import { orgId } from '../helpers/quorum.ts'
import { startServer } from '../helpers/server-process.ts'
import { newKey } from '../helpers/small-log.ts'
import { logVerifierKeys, read, witnessedBy, Witnesses, witnessesText } from '../helpers/witnessed.ts'
import { startWorld } from '../helpers/world.ts'

it('has what it seals cosigned by a witness in another process, while another witness is silent', async () => {
  const databaseUrl = await freshDatabase()
  await using world = await startWorld({ databaseUrl, start: new Date() })
  await using witnesses = new Witnesses()
  await using silent = await startListening(() => {})
  const witness = await witnesses.start(world.ctx, 'w1')
  const { name, type, publicKey } = cosigner('silent', newKey()).key
  const mute = { url: `http://127.0.0.1:${silent.port}`, keyText: verifierKeyText(name, type, publicKey) }
  const asked = [mute, witness]
  const server = await startServer({
    DATABASE_URL: databaseUrl,
    QUORATE_WITNESSES: witnessesText(asked),
    QUORATE_WITNESS_QUORUM: '1',
  })
  try {
    const ctx = witnessedBy(world.ctx, asked, 1)
    const { token } = await world.person('Reader')
    const keys = [...(await logVerifierKeys(ctx)), witness.keyText].map(parseVerifierKey)
    for (let round = 0; round < 3; round += 1) {
      const before = Number((await findLatestCheckpoint(ctx.db, orgId))?.size ?? 0)
      await addLeaves(ctx, [`one ${round}`, `two ${round}`])
      const begun = performance.now()
      const shown = async () => (await latestHead(ctx, orgId).catch(() => null))?.size ?? 0
      await expect.poll(shown, { timeout: 10_000 }).toBeGreaterThanOrEqual(before + 2)
      expect(performance.now() - begun).toBeLessThan(5_000)
      const answer = await fetch(`${server.url}/v1/log/checkpoint`, { headers: { authorization: `Bearer ${token}` } })
      const { size, signers } = read(await answer.text(), keys)
      expect(size).toBeGreaterThanOrEqual(before + 2)
      expect(signers).toContain('w1')
    }
  } finally {
    expect(await server.stop()).toBe(0)
  }
})
