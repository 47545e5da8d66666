import type { Dice } from '../helpers/dice.ts'
import { newKey, submissionOf, type SmallLog } from '../helpers/small-log.ts'

/** The owner of a log, who shows the witness two histories and wants both cosigned. */
export interface Attacker {
  readonly dice: Dice
  /** What the witness has cosigned up to `seen`. */
  readonly log: SmallLog
  readonly seen: number
  /** Shares the first leaves with `log`, fewer than `seen`, then has others; longer than `seen`. */
  readonly fork: SmallLog
  /** How many leaves they share. */
  readonly shared: number
  /** Shares all that was seen with `log`, then has as many others. */
  readonly laterFork: SmallLog
  /** A third history from where the two part, signed by the log's other key. */
  readonly otherKeysFork: SmallLog
  /** Another log that the witness knows. */
  readonly neighbour: SmallLog
  /** Sends a body to one of the witness's two processes, and notes what is cosigned. @returns the status and the size it names */
  readonly send: (body: string, process?: 0 | 1) => Promise<{ readonly status: number; readonly size: number }>
  /** Stops both processes, with `kill -9` or in peace, and starts them again. */
  readonly restart: (how: 'kill' | 'stop') => Promise<void>
  /** Does this while a third process is about to write to the witness's directory: nobody else can, and all can read. */
  readonly whileHeld: (work: () => Promise<void>) => Promise<void>
}

type Attempt = (attacker: Attacker) => Promise<void>

/** Each begins with `seen` leaves of `log` cosigned, unless it says that it begins at nothing. */
export const attempts: Readonly<Record<string, { readonly fromNothing?: true; readonly run: Attempt }>> = {
  'the same size with another root': {
    async run({ send, fork, seen, log }) {
      await send(submissionOf(seen, [], fork.note(seen)))
      await send(submissionOf(seen, await log.proof(seen), fork.note(seen)))
    },
  },
  'a fork that begins below': {
    run: async ({ send, fork, seen }) => void (await send(await fork.submission(seen))),
  },
  'a fork proven from what both share': {
    run: async ({ send, fork, shared }) => void (await send(await fork.submission(shared))),
  },
  'a smaller tree of another history': {
    async run({ send, fork, shared, seen }) {
      await send(await fork.submission(shared, seen - 1))
      await send(submissionOf(seen, await fork.proof(shared), fork.note(seen - 1)))
    },
  },
  'wrong old sizes': {
    async run({ send, fork, seen }) {
      for (const old of [0, 1, seen - 1, seen + 1, fork.size]) {
        await send(submissionOf(old, await fork.proof(Math.min(old, fork.size)), fork.note()))
      }
    },
  },
  "the other history's checkpoint with this one's proof": {
    async run({ send, log, fork, seen }) {
      log.append(...Array.from({ length: fork.size - log.size }, (_, index) => `more ${index}`))
      await send(submissionOf(seen, await log.proof(seen, fork.size), fork.note()))
      await send(await log.submission(seen, fork.size))
      await send(submissionOf(fork.size, [], fork.note()))
    },
  },
  'proofs made up': {
    async run({ send, dice, log, fork, seen }) {
      const parts = [
        ...(await log.proof(seen)),
        ...(await fork.proof(seen)),
        log.root(seen),
        fork.root(),
        fork.root(seen),
      ]
      for (let round = 0; round < 20; round += 1) {
        const proof = dice.shuffled(parts).slice(0, dice.roll(parts.length + 1))
        await send(submissionOf(seen, proof, fork.note()))
      }
    },
  },
  'both histories at once to one process': {
    fromNothing: true,
    async run({ send, dice, log, fork }) {
      const bodies = [await log.submission(0), await fork.submission(0), log.submission(0, 1), fork.submission(0, 2)]
      await Promise.all(dice.shuffled(bodies).map(async (body) => await send(await body)))
    },
  },
  'both histories at once to two processes on one directory': {
    fromNothing: true,
    async run({ send, log, fork }) {
      const [one, other] = [await log.submission(0), await fork.submission(0)]
      await Promise.all(Array.from({ length: 8 }, (_, at) => send(at % 4 < 2 ? one : other, at % 2 === 0 ? 0 : 1)))
    },
  },
  'growth of both histories at once to two processes': {
    async run({ send, dice, log, fork, shared, seen }) {
      const bodies = [await log.submission(seen), await fork.submission(seen), await fork.submission(shared)]
      await Promise.all(dice.shuffled([...bodies, ...bodies]).map((body, at) => send(body, at % 2 === 0 ? 0 : 1)))
    },
  },
  'both histories to two processes that have to wait for each other': {
    fromNothing: true,
    run: async ({ send, whileHeld, log, fork }) =>
      await atOnce({ send, whileHeld }, await log.submission(0), await fork.submission(0)),
  },
  'growth of both histories to two processes that have to wait for each other': {
    run: async ({ send, whileHeld, log, laterFork, seen }) =>
      await atOnce({ send, whileHeld }, await log.submission(seen), await laterFork.submission(seen)),
  },
  'the other history after a restart': {
    async run({ send, restart, fork, shared, seen }) {
      await restart('stop')
      await send(await fork.submission(0))
      await send(await fork.submission(shared))
      await send(await fork.submission(seen))
    },
  },
  'kill -9 while both are asked for, and both again': {
    fromNothing: true,
    async run({ send, restart, dice, log, fork }) {
      const [one, other] = [await log.submission(0), await fork.submission(0)]
      const sent = Array.from({ length: 12 }, (_, at) =>
        send(at % 4 < 2 ? one : other, at % 2 === 0 ? 0 : 1).catch(() => null),
      )
      await new Promise((resolve) => setTimeout(resolve, dice.roll(30)))
      await restart('kill')
      await Promise.all(sent)
      // What was cosigned and not answered is asked for again.
      for (const history of dice.shuffled([log, fork])) await follow(send, history)
    },
  },
  'kill -9 after the first answer': {
    fromNothing: true,
    async run({ send, restart, log, fork }) {
      await send(await log.submission(0))
      await restart('kill')
      await send(await fork.submission(0))
      await send(await fork.submission(log.size))
    },
  },
  'the key of another log': {
    async run({ send, log, fork, seen, neighbour }) {
      const claimed = { origin: log.origin, size: fork.size, root: fork.root() }
      await send(submissionOf(seen, await fork.proof(seen), neighbour.claim(claimed)))
      await send(submissionOf(0, [], neighbour.claim(claimed)))
      await send(submissionOf(0, [], log.fork(0, newKey()).claim(claimed)))
    },
  },
  'the other key of the log, while one replaces the other': {
    async run({ send, otherKeysFork, shared, seen }) {
      await send(await otherKeysFork.submission(0))
      await send(await otherKeysFork.submission(shared))
      await send(await otherKeysFork.submission(seen))
    },
  },
  'doing as the witness says': {
    run: ({ send, fork }) => follow(send, fork),
  },
  'another root beside lines that other logs may add': {
    async run({ send, log, fork, seen }) {
      await send(submissionOf(seen, [], log.claim({ size: seen, root: fork.root(seen), extensions: ['epoch 2'] })))
      await send(submissionOf(0, [], log.claim({ size: fork.size, root: fork.root(), extensions: ['epoch 2'] })))
    },
  },
  'the same root beside other lines': {
    async run({ send, log, seen }) {
      const [one, other] = ['epoch 1', 'epoch 2'].map((line) =>
        log.claim({ size: log.size, root: log.root(), extensions: [line] }),
      ) as [string, string]
      const proof = await log.proof(seen)
      await Promise.all([send(submissionOf(seen, proof, one)), send(submissionOf(seen, proof, other), 1)])
      await send(submissionOf(log.size, [], one))
      await send(submissionOf(log.size, [], other))
      await send(submissionOf(log.size, [], log.note()))
    },
  },
  'beginning again with the empty tree': {
    async run({ send, log, fork }) {
      await send(submissionOf(0, [], log.note(0)))
      await send(await fork.submission(0))
    },
  },
}

/** Who reads before it may write believes of both that nothing was cosigned: what is held makes a race of moments certain. */
async function atOnce(
  { send, whileHeld }: Pick<Attacker, 'send' | 'whileHeld'>,
  one: string,
  other: string,
): Promise<void> {
  const sent: Promise<unknown>[] = []
  await whileHeld(async () => {
    sent.push(send(one, 0), send(other, 1))
    await new Promise((resolve) => setTimeout(resolve, 150))
  })
  await Promise.all(sent)
}

/** Asks, and asks again from the size that the witness names, as an honest log does. */
async function follow(send: Attacker['send'], history: SmallLog): Promise<void> {
  const { status, size } = await send(await history.submission(0))
  if (status === 409) await send(await history.submission(Math.min(size, history.size)))
}
