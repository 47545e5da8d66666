import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { originOf, sealNow } from '../../src/audit/seal.ts'
import { readLogKeys } from '../../src/audit/log-key.ts'
import { witnessesConfig, type WitnessesConfig } from '../../src/config/witnesses.ts'
import type { Ctx } from '../../src/context.ts'
import { parseCheckpoint, type Checkpoint } from '../../src/proof/checkpoint.ts'
import { ed25519Type, openNote, verifierKeyOf, verifierKeyText, type VerifierKey } from '../../src/proof/note.ts'
import { addLeaves } from './log.ts'
import { orgId } from './quorum.ts'
import { listenAsWitness } from './witness-here.ts'
import type { WitnessProcess } from './witness-process.ts'

/** The verifier keys of the organization's log, as a witness is told them. */
export async function logVerifierKeys(ctx: Ctx, organization: string = orgId): Promise<string[]> {
  const origin = originOf(ctx, organization)
  return (await readLogKeys(ctx)).map(({ privateKey }) => {
    const { name, type, publicKey } = verifierKeyOf(origin, ed25519Type, privateKey)
    return verifierKeyText(name, type, publicKey)
  })
}

/** Witnesses of this server's log, each with a directory of its own that outlives it. */
export class Witnesses implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-witnesses-'))
  readonly #running: WitnessProcess[] = []

  async start(ctx: Ctx, name: string, port?: number): Promise<WitnessProcess> {
    const where = { directory: join(this.#directory, name), name, logs: await logVerifierKeys(ctx) }
    const witness = await listenAsWitness({ ...where, ...(port !== undefined && { port }) })
    this.#running.push(witness)
    return witness
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((witness) => witness.kill()))
    rmSync(this.#directory, { recursive: true })
  }
}

/** The same server, told of these witnesses. */
export function witnessedBy(ctx: Ctx, witnesses: readonly Asked[], quorum?: number): Ctx {
  const config = { ...ctx.config, witnesses: asked(witnesses, quorum) }
  return Object.defineProperties({} as Ctx, {
    ...Object.getOwnPropertyDescriptors(ctx),
    config: { value: config, enumerable: true },
  })
}

type Asked = Pick<WitnessProcess, 'url' | 'keyText'>

/** `QUORATE_WITNESSES`. */
export function witnessesText(witnesses: readonly Asked[]): string {
  return witnesses.map(({ url, keyText }) => `${keyText}=${url}`).join(',')
}

function asked(witnesses: readonly Asked[], quorum?: number): WitnessesConfig {
  const named = { QUORATE_WITNESSES: witnessesText(witnesses) }
  return witnessesConfig(quorum === undefined ? named : { ...named, QUORATE_WITNESS_QUORUM: String(quorum) })
}

/** Appends so many leaves and seals them. */
export async function grow(ctx: Ctx, count: number, words = 'leaf'): Promise<void> {
  const stamp = performance.now()
  await addLeaves(
    ctx,
    Array.from({ length: count }, (_, index) => `${words} ${stamp} ${index}`),
  )
  await sealNow(ctx, orgId)
}

/** The checkpoint in a note, and who signed it of these keys. @throws NoteError */
export function read(note: string, keys: readonly VerifierKey[]): Checkpoint & { readonly signers: readonly string[] } {
  const { body, verified } = openNote(note, keys)
  return { ...parseCheckpoint(body), signers: verified.map(({ name }) => name) }
}
