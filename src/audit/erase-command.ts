import { parseArgs } from 'node:util'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { eraseText, type Subject } from './erase-text.ts'
import { ErasureRefused } from './gone.ts'

const help = `quorate erase --organization ORG ID [VOTE]

Erases names and free text that the law asks for, for good, and leaves a leaf that says so. ID is that of a user, an agent, an API
client or app, a group or role, a space, a template version (all versions go), a workflow, a request, an API key, the test of an action, a key, or of the
organization itself for the settings of its mail and what it says of itself as an account. Whoever has accounts and is erased can sign in
no more; with the id of the person, and the organization default, all goes that they are in any account. With VOTE, the number of a vote on the request ID, it
is the reason of that vote alone. Erases in the store of DATABASE_URL or QUORATE_DATA_DIR.

  --organization ORG   id or name of the organization
  --help               shows this text

Exits with 0 when it is erased, now or before; 1 when nothing was, and says why.
`

interface Streams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** Runs the command. @param open the store, which must be there @returns the exit code */
export async function eraseCommand(
  open: () => Promise<Ctx>,
  args: readonly string[],
  { out, err }: Streams = { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
): Promise<0 | 1> {
  const subject = subjectOf(args)
  if (subject === null) {
    out(help)
    return 0
  }
  const ctx = await open()
  try {
    const { what, fields, leaves } = await eraseText(ctx, subject)
    if (fields.length === 0) out(`There is nothing left to erase of the ${what} ${subject.id}.\n`)
    else out(`Erased of the ${what} ${subject.id}: ${fields.join(', ')}, and the texts beside ${leaves} leaves.\n`)
    return 0
  } catch (error) {
    if (!(error instanceof ErasureRefused)) throw error
    err(`quorate erase: ${error.message}\n`)
    return 1
  } finally {
    await ctx.close()
  }
}

/** Null when help is asked for. @throws AppError CONFIGURATION_INVALID */
function subjectOf(args: readonly string[]): Subject | null {
  const { values, positionals } = parsed(args)
  if (values.help) return null
  const { organization } = values
  const [id = '', vote, ...more] = positionals
  if (organization === undefined) throw misused('needs --organization')
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) throw misused('needs the id of what to erase')
  if (more.length > 0 || (vote !== undefined && !/^[1-9]\d{0,8}$/.test(vote))) {
    throw misused('takes nothing after the id but the number of a vote')
  }
  return { organization, id: id.toLowerCase(), seq: vote === undefined ? null : Number(vote) }
}

function parsed(args: readonly string[]) {
  const options = { organization: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } } as const
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (cause) {
    throw misused(`does not understand this: ${(cause as Error).message}`, cause)
  }
}

function misused(problem: string, cause?: unknown): AppError {
  return new AppError('CONFIGURATION_INVALID', `"quorate erase" ${problem}; "quorate erase --help" tells more.`, {
    cause,
  })
}
