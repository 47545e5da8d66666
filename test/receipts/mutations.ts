/** Ways to change a receipt of which none may go unnoticed. */
import { readCanonical } from '../../src/proof/canonical-json.ts'
import type { NoteSigner } from '../../src/proof/note.ts'
import type { Chance } from '../kernel/cases.ts'
import { fileOfStatement } from './told.ts'

export interface Mutant {
  readonly how: string
  readonly file: string
}

/** A change that is sure to be one. @param stranger a key that nobody trusts, under the log's own name */
export function mutantOf(file: string, dice: Chance, stranger: NoteSigner): Mutant {
  const mutate = dice.oneOf([
    byteFlipped,
    byteFlipped,
    byteLost,
    byteAdded,
    truncated,
    fieldChanged,
    fieldChanged,
    fieldChanged,
  ])
  for (;;) {
    const mutant = mutate(file, dice, stranger)
    if (mutant.file !== file) return mutant
  }
}

function byteFlipped(file: string, dice: Chance): Mutant {
  const bytes = Buffer.from(file)
  const at = dice.below(bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8))
  return { how: `bit flipped at ${at}`, file: bytes.toString('utf8') }
}

function byteLost(file: string, dice: Chance): Mutant {
  const at = dice.below(file.length)
  return { how: `byte ${at} lost`, file: file.slice(0, at) + file.slice(at + 1) }
}

function byteAdded(file: string, dice: Chance): Mutant {
  const at = dice.below(file.length + 1)
  const byte = dice.oneOf([' ', '\n', 'A', '=', '"', '0', '\t', '\\'])
  return { how: `${JSON.stringify(byte)} added at ${at}`, file: file.slice(0, at) + byte + file.slice(at) }
}

function truncated(file: string, dice: Chance): Mutant {
  const length = dice.below(file.length)
  return { how: `cut at ${length}`, file: file.slice(0, length) }
}

/** One field of what is signed is another: under the old signature, or under one of a key that nobody trusts. */
function fieldChanged(file: string, dice: Chance, stranger: NoteSigner): Mutant {
  const { payload, signatures } = JSON.parse(file) as { payload: string; signatures: unknown }
  const statement = readCanonical(Buffer.from(payload, 'base64').toString())
  const how = changeField(statement, dice)
  const forged = fileOfStatement(statement, stranger)
  if (dice.onceIn(3)) return { how: `${how}, signed with another key`, file: forged }
  const envelope = JSON.parse(forged) as object
  return { how, file: `${JSON.stringify({ ...envelope, signatures })}\n` }
}

type Container = Record<string, unknown> | unknown[]

/** Changes one member of a value anywhere inside `root`, in place. @returns how */
export function changeField(root: unknown, dice: Chance): string {
  const places: { readonly container: Container; readonly key: string; readonly path: string }[] = []
  const visit = (container: Container, path: string): void => {
    for (const [key, value] of Object.entries(container)) {
      const here = `${path}.${key}`
      places.push({ container, key, path: here })
      if (typeof value === 'object' && value !== null) visit(value as Container, here)
    }
  }
  visit(root as Container, '')
  const { container, key, path } = dice.oneOf(places)
  return `${path} ${changeMember(container, key, dice)}`
}

function changeMember(container: Container, key: string, dice: Chance): string {
  const members = container as Record<string, unknown>
  const value = members[key]
  if (dice.onceIn(8)) {
    if (Array.isArray(container)) container.splice(Number(key), 1)
    else delete members[key]
    return 'removed'
  }
  if (dice.onceIn(8) && !Array.isArray(container)) {
    members[`${key}2`] = value
    return 'with an unknown member beside it'
  }
  if (Array.isArray(value) && value.length > 1 && dice.onceIn(2)) {
    value.unshift(value.pop())
    return 're-ordered'
  }
  if (Array.isArray(value)) {
    value.push(structuredClone(value.at(-1) ?? 'more'))
    return 'longer'
  }
  members[key] = otherThan(value, dice)
  return 'changed'
}

function otherThan(value: unknown, dice: Chance): unknown {
  switch (typeof value) {
    case 'string': {
      const at = dice.below(value.length + 1)
      const character = dice.oneOf(['a', '0', 'Z', ' ', '\u0000', 'é'].filter((one) => one !== value[at]))
      return value.slice(0, at) + character + value.slice(at + 1)
    }
    case 'number':
      return dice.onceIn(2) ? value + 1 : Math.max(0, value - 1) === value ? 7 : value - 1
    case 'boolean':
      return !value
    default:
      return value === null ? 'something' : null
  }
}
