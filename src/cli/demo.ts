import { parseArgs } from 'node:util'
import { playAgentJob } from './demo/agent-job.ts'
import { DemoError, serverUrl } from './demo/http.ts'
import { playMainJob } from './demo/main-job.ts'
import { say } from './demo/say.ts'

const help = `npm run demo [-- --agent] [-- --json]

Plays Quorate's main job against a running server, over real HTTP: ada asks for a release, which needs two approvals from
security and one from finance; ben, cleo and dana give them.

  --agent  a machine asks: it signs in with its key, opens the release and waits for what people decide
  --json   ends with one line of JSON: {"workflowId", "accessToken", ...}
  --help   shows this text

Environment:
  QUORATE_URL   where the server listens (default http://127.0.0.1:8080)

The server must be the demo one: start it with "npm start".
`

const { values: options } = parseArgs({
  options: { agent: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
})

async function main(): Promise<void> {
  say(`Quorate at ${serverUrl}`)
  const played = await (options.agent ? playAgentJob() : playMainJob())
  if (options.json) console.log(JSON.stringify(played))
}

if (options.help) process.stdout.write(help)
else {
  try {
    await main()
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof DemoError ? error.message : (error as Error).stack}\n`)
    process.exitCode = 1
  }
}
