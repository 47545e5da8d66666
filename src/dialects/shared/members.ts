import { AppError, refuseMembers, type Violation } from '../../errors.ts'
import { idOf } from './ids.ts'
import { parseTime } from './times.ts'

/**
 * Reads a body and says all that is wrong with it at once. Members that nobody asks for are ignored; null counts as absent
 * (contract privx §1).
 * @throws AppError INVALID_MEMBER, naming the one member or each of several
 */
export function readBody<T>(body: unknown, read: (members: Members) => T): T {
  if (!isObject(body)) throw new AppError('MALFORMED_OBJECT', 'The body must be a JSON object.')
  return collect((problems) => read(new Members(body, '', problems)))
}

/** As `readBody`, where the body may be missing. @throws AppError INVALID_MEMBER */
export function readOptionalBody<T>(body: unknown, read: (members: Members) => T): T {
  return readBody(body ?? {}, read)
}

/** As `readBody`, for a body that is an array of objects. @throws AppError INVALID_MEMBER, MALFORMED_REQUEST */
export function readBodyList<T>(body: unknown, read: (members: Members) => T): T[] {
  if (!Array.isArray(body)) throw new AppError('MALFORMED_REQUEST', 'The body must be a JSON array.')
  return collect((problems) => new Members({ '': body }, '', problems).list('', read))
}

/** Runs `read`; what it added to the list is refused in the end. */
function collect<T>(read: (problems: Violation[]) => T): T {
  const problems: Violation[] = []
  const value = read(problems)
  refuseMembers(problems)
  return value
}

interface TextRules {
  readonly min?: number
  readonly max?: number
}

/**
 * The members of one object of a body. Each method gives the member's value, or null when it is absent, and notes what is
 * wrong with it; whoever reads goes on with what they got.
 */
export class Members {
  readonly path: string
  readonly #values: Readonly<Record<string, unknown>>
  readonly #problems: Violation[]

  constructor(values: Readonly<Record<string, unknown>>, path: string, problems: Violation[]) {
    this.#values = values
    this.path = path
    this.#problems = problems
  }

  /** Notes that a member, named as in this object, is wrong. */
  complain(name: string, problem: string): null {
    const field = this.pathOf(name)
    if (this.#problems.length < mostProblems) this.#problems.push({ field, message: `${field} ${problem}.` })
    return null
  }

  /** How much is wrong so far, here and everywhere else in the body. */
  get problemCount(): number {
    return this.#problems.length
  }

  pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name) && this.#values[name] !== null && this.#values[name] !== undefined
  }

  /** Lengths in characters as JavaScript counts them; at most `defaultMax` unless the rules say otherwise. */
  text(name: string, { min = 0, max = defaultMax }: TextRules = {}): string | null {
    const value = this.#value(name)
    if (value === null) return null
    if (typeof value !== 'string') return this.complain(name, 'must be a text')
    if (value.length < min) return this.complain(name, min === 1 ? 'is needed' : `must have at least ${min} characters`)
    if (value.length > max) return this.complain(name, `must have at most ${max} characters`)
    return value
  }

  /** A text that has to be there. */
  neededText(name: string, rules: TextRules = {}): string {
    if (!this.has(name)) this.complain(name, 'is needed')
    return this.text(name, { min: 1, ...rules }) ?? ''
  }

  integer(name: string, { min = 0, max = 2_147_483_647 }: TextRules = {}): number | null {
    const value = this.#value(name)
    if (value === null) return null
    if (!Number.isSafeInteger(value)) return this.complain(name, 'must be a whole number')
    const number = value as number
    if (number < min || number > max) return this.complain(name, `must be from ${min} to ${max}`)
    return number
  }

  flag(name: string): boolean {
    const value = this.#value(name)
    if (value !== null && typeof value !== 'boolean') this.complain(name, 'must be true or false')
    return value === true
  }

  /** One of a closed set of words; an empty text counts as absent. */
  choice<T extends string>(name: string, words: readonly T[]): T | null {
    const value = this.text(name)
    if (value === null || value === '') return null
    return words.find((word) => word === value) ?? this.complain(name, `must be one of ${words.join(', ')}`)
  }

  /** An RFC 3339 time from 1970 to 9999; an empty text counts as absent. */
  time(name: string): Date | null {
    const value = this.text(name)
    if (value === null || value === '') return null
    return parseTime(value) ?? this.complain(name, 'must be an RFC 3339 time from 1970 to 9999')
  }

  /** A UUID; an empty text counts as absent. Any other text names nothing, and is read as `unknownId`. */
  id(name: string): string | null {
    const value = this.text(name)
    if (value === null || value === '') return null
    return idOf(value) ?? unknownId
  }

  /** A UUID, and nothing else. */
  uuid(name: string): string | null {
    const value = this.#value(name)
    return value === null ? null : (idOf(value) ?? this.complain(name, 'must be a UUID'))
  }

  /** An array of UUIDs; empty when it is absent. */
  uuids(name: string): string[] {
    return this.#array(name).flatMap((value, index) => {
      const id = idOf(value)
      if (id === null) this.complain(`${name}[${index}]`, 'must be a UUID')
      return id === null ? [] : [id]
    })
  }

  /** An object whose members are named by UUIDs, each read by itself; null when it is absent. */
  byUuid<T>(name: string, read: (members: Members, id: string) => T): Map<string, T> | null {
    return this.object(name, (object) => {
      const entries = new Map<string, T>()
      for (const id of Object.keys(object.#values)) {
        const known = idOf(id)
        if (known === null) object.complain(id, 'must be named by a UUID')
        else entries.set(known, read(object, id))
      }
      return entries
    })
  }

  /** An array of words of a closed set; empty when it is absent. */
  choices<T extends string>(name: string, words: readonly T[]): T[] {
    return this.#array(name).flatMap((value, index) => {
      const word = words.find((known) => known === value)
      if (word === undefined) this.complain(`${name}[${index}]`, `must be one of ${words.join(', ')}`)
      return word === undefined ? [] : [word]
    })
  }

  /** Null when it is absent. */
  optionalFlag(name: string): boolean | null {
    return this.has(name) ? this.flag(name) : null
  }

  object<T>(name: string, read: (members: Members) => T): T | null {
    const value = this.#value(name)
    if (value === null) return null
    if (!isObject(value)) return this.complain(name, 'must be an object')
    return read(new Members(value, this.pathOf(name), this.#problems))
  }

  /** An array of objects; empty when it is absent. */
  list<T>(name: string, read: (members: Members, index: number) => T): T[] {
    return this.#array(name).flatMap((value, index) => {
      const place = `${name}[${index}]`
      if (isObject(value)) return [read(new Members(value, this.pathOf(place), this.#problems), index)]
      this.complain(place, 'must be an object')
      return []
    })
  }

  /** An array of texts; empty when it is absent. */
  texts(name: string): string[] {
    return this.#array(name).flatMap((value, index) => {
      if (typeof value === 'string' && value.length <= defaultMax) return [value]
      this.complain(`${name}[${index}]`, 'must be a text')
      return []
    })
  }

  /** The member as it was sent, to be kept and echoed. */
  raw(name: string): unknown {
    return this.#value(name)
  }

  #array(name: string): readonly unknown[] {
    const value = this.#value(name)
    if (value === null) return []
    if (Array.isArray(value)) {
      if (value.length <= mostElements) return value as readonly unknown[]
      this.complain(name, `must have at most ${mostElements} elements`)
      return []
    }
    this.complain(name, 'must be an array')
    return []
  }

  #value(name: string): unknown {
    return this.has(name) ? this.#values[name] : null
  }
}

const defaultMax = 4096
/** Of which a caller is told: of a body that is nothing but problems the answer would be far larger. */
const mostProblems = 100
/** More than any list holds that somebody writes. */
const mostElements = 10_000

/** What an id in a body is that is not of the form of one: it names nothing. */
export const unknownId = '00000000-0000-0000-0000-000000000000'

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
