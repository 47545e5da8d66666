import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Config } from '../config/config.ts'
import { AppError } from '../errors.ts'
import { NoteError, parseVerifierKey } from '../proof/note.ts'
import { openForReading } from '../store/open-for-reading.ts'
import { lineOf, type Finding } from './finding.ts'
import { monitor, type Checked } from './monitor.ts'
import { readState, writeState } from './state-file.ts'

const help = `quorate monitor [--state FILE] [--key VKEY] [--json]

Checks the whole store and the log against each other and against the last run, and names what was edited, deleted,
inserted, reordered or truncated. Reads the store of DATABASE_URL or QUORATE_DATA_DIR and writes nothing to it.

  --state FILE   what is remembered between runs (quorate-monitor.json in the data directory, with DATABASE_URL here)
  --key VKEY     the log's verifier key, as GET /v1/log/key shows it; may be given more than once. Without it the key
                 of the first run is believed from then on
  --json         one JSON object instead of lines
  --help         shows this text

Exits with 0 when nothing was found, 1 when something was, 2 when it could not check.
`

/** Findings that are written out; of more only their number is told. */
const mostFindings = 10_000

interface Surroundings {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly now: () => Date
}

const ofProcess: Surroundings = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  now: () => new Date(),
}

/** Runs the command. @param configured reads the configuration @returns the exit code */
export async function monitorCommand(
  configured: () => Config,
  args: readonly string[],
  surroundings: Surroundings = ofProcess,
): Promise<0 | 1 | 2> {
  const { out, err } = surroundings
  try {
    const options = optionsOf(args)
    if (options.help) {
      out(help)
      return 0
    }
    return await run(configured(), options, surroundings)
  } catch (error) {
    const { code, message, stack } = error as NodeJS.ErrnoException
    err(`quorate monitor: ${code === undefined ? stack : message || code}\n`)
    return 2
  }
}

interface Options {
  readonly state: string | undefined
  readonly keys: readonly string[]
  readonly json: boolean
  readonly help: boolean
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      state: { type: 'string' },
      key: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  for (const key of values.key) requireKey(key)
  return { state: values.state, keys: values.key, json: values.json, help: values.help }
}

function requireKey(text: string): void {
  try {
    parseVerifierKey(text)
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause
    throw new AppError('CONFIGURATION_INVALID', `--key is no verifier key: ${cause.message}`, { cause })
  }
}

async function run(
  config: Config,
  { state, keys, json }: Options,
  { out, err, now }: Surroundings,
): Promise<0 | 1 | 2> {
  const path = state ?? defaultState(config)
  const seen = readState(path)
  const findings: Finding[] = []
  const report = (finding: Finding) => {
    if (findings.length >= mostFindings) return
    findings.push(finding)
    if (!json) out(`${lineOf(finding)}\n`)
  }
  const store = await openForReading(config.store)
  try {
    const done = await store.snapshot((tx) =>
      monitor(tx, { config, seen: seen ?? new Map(), pinned: keys, now: now(), report }),
    )
    writeState(path, done.seen)
    if (json) {
      out(`${JSON.stringify({ organizations: done.checked, total: done.findings, findings })}\n`)
    } else {
      for (const one of done.checked) err(`${summaryOf(one)}\n`)
      err(done.findings === 0 ? 'Nothing found.\n' : `${done.findings} found.\n`)
    }
    return done.findings === 0 ? 0 : 1
  } finally {
    await store.close()
  }
}

function defaultState({ store }: Config): string {
  const name = 'quorate-monitor.json'
  return store.engine === 'pglite' ? join(store.directory, name) : name
}

function summaryOf({ organization, size, unsealed, erased, isFirstUse, keys }: Checked): string {
  const counts = `${size} entries, ${unsealed} leaves not sealed yet, ${erased} texts erased`
  const trust = isFirstUse ? `\n  No --key was given: from now on ${keys.join(' and ')} is believed.` : ''
  return `${organization}: ${counts}${trust}`
}
