/** Every field and every byte of what security keys answered, changed, and all that follows from it made anew. */
import type { KeyEvidence } from '../../src/proof/key-evidence.ts'
import { isVote, type Told, type ToldVote } from './told.ts'

export interface EvidenceMutant {
  readonly how: string
  /** The leaf commits to what was changed: nothing but the answer itself tells. */
  readonly told: Told
}

/** None of them may be believed, with the voter's key or without. */
export function* evidenceMutants(told: Told): Generator<EvidenceMutant> {
  for (const vote of told.events.filter(isVote)) {
    if (vote.evidence === undefined) continue
    const of = (how: string, evidence: unknown): EvidenceMutant => ({
      how: `vote ${vote.seq}, ${how}`,
      told: withEvidence(told, vote, evidence),
    })
    yield of('none', undefined)
    yield of('nothing', null)
    yield of('with an unknown member', { ...vote.evidence, more: 'AA' })
    for (const [name, value] of Object.entries(vote.evidence)) {
      for (const [how, changed] of changesOf(name, value)) {
        const { [name as 'kind']: _, ...others } = vote.evidence
        yield of(`${name} ${how}`, changed === undefined ? others : { ...others, [name]: changed })
      }
    }
  }
}

const texts: ReadonlySet<string> = new Set(['kind', 'origin', 'rpId', 'appId'])

function* changesOf(name: string, value: string): Generator<readonly [how: string, changed: unknown]> {
  yield ['removed', undefined]
  yield ['null', null]
  yield ['empty', '']
  yield ['in a list', [value]]
  if (texts.has(name)) {
    yield ['longer', `${value}.`]
    for (let at = 0; at < value.length; at++) {
      yield [
        `with another character at ${at}`,
        value.slice(0, at) + (value[at] === 'x' ? 'y' : 'x') + value.slice(at + 1),
      ]
    }
    return
  }
  yield ['padded', `${value}=`]
  yield ['with a blank', ` ${value}`]
  // It names the key's credential to whoever looks for it, and is not signed.
  if (name === 'credentialId') return
  const bytes = Buffer.from(value, 'base64url')
  yield ['a byte shorter', bytes.subarray(0, -1).toString('base64url')]
  yield ['without its first byte', bytes.subarray(1).toString('base64url')]
  yield ['a byte longer', Buffer.concat([bytes, Buffer.of(0)]).toString('base64url')]
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at)
    yield [`with a bit flipped in byte ${at}`, flipped.toString('base64url')]
  }
}

function withEvidence(told: Told, vote: ToldVote, evidence: unknown): Told {
  const { evidence: _, ...bare } = vote
  const changed = { ...bare, ...(evidence !== undefined && { evidence: evidence as KeyEvidence }) }
  return { ...told, events: told.events.map((event) => (event === vote ? changed : event)) }
}
