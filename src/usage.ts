import { AppError } from './errors.ts'

/** What `quorate help` says. */
export const usage = `quorate [COMMAND]
  (none)            serves HTTP and does the jobs
  serve             serves HTTP; jobs are left to others
  work              does the jobs; answers /health, /ping and /metrics alone
  monitor           checks the store and the log
  erase             erases names and texts that the law wants forgotten
  rotate-data-key   makes a new key for what is sealed in the tables
  rotate-log-key    makes a new key that signs the transparency log
  verify FILE       checks a receipt
  witness [key]     cosigns the checkpoints of logs; with "key" shows the key that it cosigns with

"quorate COMMAND --help" tells more of each.
`

const store = `  DATABASE_URL         PostgreSQL; without it the embedded store of QUORATE_DATA_DIR is used
  QUORATE_DATA_DIR     the directory of the embedded store
  QUORATE_MASTER_KEY   seals what is secret in the store`

const stopped = 'Exits with 0 when it was stopped by SIGTERM or SIGINT, 1 when it could not start.'

/** What each command says that the environment tells everything. */
const bare: Readonly<Record<string, string>> = {
  serve: `quorate serve [--help]

Serves HTTP and leaves the jobs to others: see quorate work. Any number of processes may serve one PostgreSQL.

  --help               shows this text

Environment (README.md has all of it):
  HOST, PORT           where it listens
  DATABASE_URL         PostgreSQL; the embedded store is for quorate without a command, which serves and does the jobs
  QUORATE_MASTER_KEY   seals what is secret in the store

Example:
  DATABASE_URL=postgres://quorate@db.example/quorate PORT=8080 quorate serve

${stopped}
`,
  work: `quorate work [--help]

Does the jobs: calls webhooks, sends mail, expires requests, seals the log and asks its witnesses. Over HTTP it answers
/health, /ping and /metrics alone. Any number of processes may work beside each other.

  --help               shows this text

Environment (README.md has all of it):
  HOST, PORT           where it listens
  DATABASE_URL         PostgreSQL; the embedded store is for quorate without a command, which serves and does the jobs
  QUORATE_MASTER_KEY   seals what is secret in the store

Example:
  DATABASE_URL=postgres://quorate@db.example/quorate PORT=8081 quorate work

${stopped}
`,
  'rotate-data-key': `quorate rotate-data-key [--help]

Makes a new key for what is sealed in the tables, and says from when on servers seal with it. What was sealed before stays
readable.

  --help               shows this text

Environment:
${store}

Exits with 0 when the key is made, 1 when it is not.
`,
  'rotate-log-key': `quorate rotate-log-key [--help]

Makes a new key that signs the transparency log. The one before signs beside it for a while: whoever verifies the log needs
the new one by then.

  --help               shows this text

Environment:
${store}

Exits with 0 when the key is made, 1 when it is not.
`,
}

/**
 * The help that is asked for of a command to which nothing can be told but by the environment; null when it is to be done,
 * and for other commands.
 * @throws AppError CONFIGURATION_INVALID naming what it does not know
 */
export function helpOf(command: string | undefined, words: readonly string[]): string | null {
  const help = command === undefined ? undefined : bare[command]
  const [first] = words
  if (help === undefined || first === undefined) return null
  if (words.some((word) => word === '--help' || word === '-h')) return help
  const problem = `"quorate ${command}" does not know "${first}": "quorate ${command} --help" tells what it takes.`
  throw new AppError('CONFIGURATION_INVALID', problem)
}
