import { startServer } from './server-process.ts'
import { callsBy, type Answer, type Calls } from './world.ts'

/** A server in a process of its own, as its clients reach it. */
export interface Remote {
  /** Without a token. */
  readonly anyone: Calls
  bearing(token: string): Calls
}

export interface TwoProcesses extends AsyncDisposable {
  /** Makes so many calls at once, every other one at the other process, and counts what `outcomeOf` makes of each answer. */
  tally(
    count: number,
    call: (at: Remote) => Promise<Answer>,
    outcomeOf: (answer: Answer) => string,
  ): Promise<Record<string, number>>
}

/** Two servers on one PostgreSQL, each in a process of its own, with the real clock. */
export async function startTwoProcesses(env: Readonly<Record<string, string>>): Promise<TwoProcesses> {
  const servers = await Promise.all([startServer(env), startServer(env)])
  const remotes = servers.map(({ url }) => remoteAt(url))
  return {
    async tally(count, call, outcomeOf) {
      const calls = Array.from({ length: count }, (_, index) => call(remotes[index % 2] as Remote))
      const outcomes = (await Promise.all(calls)).map(outcomeOf)
      return Object.fromEntries([...Map.groupBy(outcomes, (each) => each)].map(([each, same]) => [each, same.length]))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

function remoteAt(origin: string): Remote {
  const by = (base: Record<string, string>) =>
    callsBy(async ({ url, payload, ...sent }) => {
      const body = payload === undefined ? {} : { body: payload }
      const answer = await fetch(origin + url, { ...sent, ...body, redirect: 'manual' })
      return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() }
    }, base)
  return { anyone: by({}), bearing: (token) => by({ authorization: `Bearer ${token}` }) }
}
