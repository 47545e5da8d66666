import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { machine } from './helpers/agents.ts'
import { signer } from './helpers/vote-signatures.ts'
import { startWorkflowWorld } from './helpers/workflows.ts'

it('the program that the page shows signs a vote that decides', async () => {
  const page = await readFile(join(import.meta.dirname, '..', 'docs', 'voter-signatures.md'), 'utf8')
  const source = /```js\n([^]*?)```/.exec(page)?.[1] ?? ''
  await using world = await startWorkflowWorld({ start: new Date() })
  const url = await world.app.listen({ host: '127.0.0.1', port: 0 })
  const bot = await signer(world, await machine(world, 'bot', world.ada))
  const approvalRule = { ...world.rule(), requireSignature: true }
  const id = await world.opened({ approvalRule }, { metadata: { z: 'straße', a: '"\u2028', Ä: '𝄞', '': '{}' } })

  const directory = await mkdtemp(join(tmpdir(), 'quorate-signer-'))
  const [file, keyFile] = [join(directory, 'sign.mjs'), join(directory, 'key.pem')]
  await writeFile(file, source)
  await writeFile(keyFile, bot.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const { token: TOKEN } = bot.client
  const about = { AGENT_ID: bot.id, KEY_FILE: keyFile, WORKFLOW: id, GROUP: world.guards }
  const child = spawn(process.execPath, [file], { env: { QUORATE: url, TOKEN, ...about } })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += String(text)))
  await once(child, 'close')
  await rm(directory, { recursive: true })
  expect(printed).toContain("200 { workflowStatus: 'APPROVED' }")
  expect(await world.statusOf(id)).toBe('APPROVED')
})
