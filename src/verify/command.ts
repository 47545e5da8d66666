import { createReadStream } from 'node:fs'
import { parseArgs } from 'node:util'
import type { KeyObject } from 'node:crypto'
import { cosignatureType, ed25519Type, NoteError, keyIdOf, parseVerifierKey, type VerifierKey } from '../proof/note.ts'
import { readRsaKey } from '../proof/jws.ts'
import { readP256Key } from '../proof/p256-key.ts'
import { accountOf } from './account.ts'
import { mostBytes } from './open-file.ts'
import { escaped, printableJson, quoted } from './printed.ts'
import { tellAccount } from './tell-account.ts'
import type { Trust } from './trust.ts'
import { verifyReceipt, type Verdict } from './verify-receipt.ts'

const usage = `quorate verify FILE --key KEY [OPTION]...

Checks a receipt. FILE - reads standard input. Nothing is asked of any server.

  --key KEY                the log's verifier key (NAME+ID+BASE64), or a file with one in each line, or the answer of
                           GET /v1/log/key as a file; may be given more than once
  --witness-key KEY        the key of a witness that must have cosigned, in the same forms
  --voter-key ID=FILE      the public key (SPKI PEM) of the voter ID, an agent's own or that of a person's security key:
                           then every vote has to be signed with one of its voter's
  --unsigned ID            a voter whose votes may stand without a signature all the same
  --own-keys               a security key proves nothing unless it is one given with --voter-key
  --policy SHA256          the digest of the rule that you expect
  --json                   the verdict for machines
  --help                   shows this text

Exits with 0 when all holds, 1 when it does not, 2 when this was called wrongly.
`

export interface Output {
  readonly out: (text: string) => unknown
  readonly err: (text: string) => unknown
}

/** What the caller has got wrong. */
class UsageError extends Error {}

/** @returns the exit status */
export async function verifyCommand(args: readonly string[], { out, err }: Output): Promise<0 | 1 | 2> {
  try {
    const options = optionsOf(args)
    if (options === 'help') {
      out(usage)
      return 0
    }
    const trust = await trustOf(options)
    const text = await readReceiptFile(options.file)
    const verdict = text === null ? tooLarge : verifyReceipt(text, trust)
    out(options.json ? `${printableJson(JSON.stringify(reportOf(verdict)))}\n` : toldOf(verdict))
    return verdict.verdict === 'verified' ? 0 : 1
  } catch (error) {
    // More than a text can hold, of a file that no server has made.
    if (!(error instanceof UsageError || error instanceof RangeError)) throw error
    err(`quorate verify: ${escaped(error.message)}\n`)
    return 2
  }
}

/** As a program: what it says goes where programs say it. */
export async function runVerify(args: readonly string[]): Promise<0 | 1 | 2> {
  return await verifyCommand(args, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  })
}

const tooLarge: Verdict = {
  verdict: 'refused',
  failures: [{ code: 'malformed', detail: `The file has more than ${mostBytes} bytes.` }],
}

interface Options {
  readonly file: string
  readonly keys: readonly string[]
  readonly witnessKeys: readonly string[]
  readonly voterKeys: readonly string[]
  readonly unsigned: readonly string[]
  readonly ownKeys: boolean
  readonly policy: string | null
  readonly json: boolean
}

function optionsOf(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parsed(args)
  if (values.help === true) return 'help'
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new UsageError('name one FILE; --help tells more')
  if (values.key === undefined) throw new UsageError("--key is missing: a receipt is checked with the log's key")
  const policy = values.policy ?? null
  if (policy !== null && !/^[0-9a-f]{64}$/.test(policy)) throw new UsageError('--policy takes 64 hexadecimal digits')
  return {
    file,
    keys: values.key,
    witnessKeys: values['witness-key'] ?? [],
    voterKeys: values['voter-key'] ?? [],
    unsigned: values.unsigned ?? [],
    ownKeys: values['own-keys'] ?? false,
    policy,
    json: values.json ?? false,
  }
}

function parsed(args: readonly string[]) {
  const many = { type: 'string', multiple: true } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        key: many,
        'witness-key': many,
        'voter-key': many,
        unsigned: many,
        'own-keys': flag,
        policy: { type: 'string' },
        json: flag,
        help: { ...flag, short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function trustOf(options: Options): Promise<Trust> {
  const { keys: logKeys, witnessKeys: given, voterKeys, unsigned, ownKeys, policy } = options
  const keys = await verifierKeys(logKeys, ed25519Type, '--key')
  const witnessKeys = await verifierKeys(given, cosignatureType, '--witness-key')
  requireDistinct([...keys, ...witnessKeys])
  return {
    keys,
    witnessKeys,
    voterKeys: await voterKeysOf(voterKeys),
    unsigned: new Set(unsigned),
    needsOwnKeys: ownKeys,
    policy,
  }
}

/** A signature names its key by name and id alone, and of ids there are few enough to find two alike. */
function requireDistinct(keys: readonly VerifierKey[]): void {
  const byId = new Map<string, Buffer>()
  for (const key of keys) {
    const known = byId.get(keyIdOf(key))
    const whole = Buffer.concat([Buffer.of(key.type), key.publicKey])
    if (known !== undefined && !known.equals(whole)) {
      throw new UsageError(`two of the keys given are named ${quoted(keyIdOf(key))}: give the one that you mean`)
    }
    byId.set(keyIdOf(key), whole)
  }
}

async function verifierKeys(given: readonly string[], type: number, option: string): Promise<VerifierKey[]> {
  const keys: VerifierKey[] = []
  for (const text of given) {
    for (const line of await keyTexts(text, option)) keys.push(verifierKey(line, type, option))
  }
  return keys
}

/** A key itself, or those of a file. */
async function keyTexts(given: string, option: string): Promise<string[]> {
  if (/^[^+]+\+[0-9a-f]{8}\+/.test(given)) return [given]
  const content = await textOfFile(given, option)
  const texts = content.trimStart().startsWith('{') ? publishedKeys(content, option) : content.split('\n')
  const keys = texts.map((text) => text.trim()).filter((text) => text !== '')
  if (keys.length === 0) throw new UsageError(`${option}: there is no key in ${quoted(given)}`)
  return keys
}

/** As GET /v1/log/key answers. */
function publishedKeys(json: string, option: string): string[] {
  try {
    const { keys } = JSON.parse(json) as { readonly keys: readonly { readonly verifierKey: string }[] }
    return keys.map(({ verifierKey: text }) => String(text))
  } catch {
    throw new UsageError(`${option}: the file has no list of keys`)
  }
}

function verifierKey(text: string, type: number, option: string): VerifierKey {
  try {
    const key = parseVerifierKey(text)
    if (key.type !== type) throw new UsageError(`${option}: the key of ${key.name} is for something else`)
    return key
  } catch (error) {
    if (error instanceof NoteError) throw new UsageError(`${option}: ${error.message}`)
    throw error
  }
}

async function voterKeysOf(given: readonly string[]): Promise<Map<string, KeyObject[]>> {
  const keys = new Map<string, KeyObject[]>()
  for (const text of given) {
    const end = text.indexOf('=')
    if (end < 1) throw new UsageError('--voter-key takes ID=FILE')
    const [id, file] = [text.slice(0, end), text.slice(end + 1)]
    const pem = await textOfFile(file, '--voter-key')
    const key = readRsaKey(pem) ?? readP256Key(pem)
    if (key === null) {
      const kinds = 'an RSA public key of 2048 bits or more, or one on P-256,'
      const form = `${kinds} in SPKI PEM, its lines of 64 characters ending in LF`
      throw new UsageError(`--voter-key: ${quoted(file)} is not ${form}`)
    }
    keys.set(id, [...(keys.get(id) ?? []), key])
  }
  return keys
}

/** Bytes of a file of keys. */
const mostBytesOfKeys = 64 * 1024

async function textOfFile(file: string, option: string): Promise<string> {
  const text = await readUpTo(createReadStream(file), mostBytesOfKeys).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new UsageError(`${option}: ${error.message}`)
    throw new UsageError(`${option}: ${quoted(file)} is neither a key nor a file`)
  })
  if (text === null) throw new UsageError(`${option}: ${quoted(file)} has more than ${mostBytesOfKeys} bytes`)
  return text
}

/** Null when it cannot be a receipt. */
async function readReceiptFile(file: string): Promise<string | null> {
  return await readUpTo(file === '-' ? process.stdin : createReadStream(file), mostBytes).catch((error: Error) => {
    throw new UsageError(error.message)
  })
}

/** Null when there is more. No more than that is ever held in memory. */
async function readUpTo(stream: AsyncIterable<Buffer>, most: number): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > most) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function reportOf(verdict: Verdict) {
  return verdict.verdict === 'verified'
    ? { verdict: 'verified', failures: [], account: accountOf(verdict.verified) }
    : { verdict: 'refused', failures: verdict.failures, account: null }
}

function toldOf(verdict: Verdict): string {
  if (verdict.verdict === 'verified') return tellAccount(accountOf(verdict.verified))
  const reasons = verdict.failures.map(({ code, detail }) => `  ${code}: ${detail}`)
  return `REFUSED. Do not rely on this receipt.\n${reasons.join('\n')}\n`
}
