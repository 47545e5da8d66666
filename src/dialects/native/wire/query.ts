import type { ErrorCode } from '../../../errors.ts'
import { refuse, type JsonObject } from './read.ts'

/** A query parameter that may be repeated, given as a comma list, or both; empty when absent. */
export function listParameter(query: JsonObject, ...names: readonly string[]): string[] {
  // The query parser gives a text, or a list of texts for a name that is repeated.
  const values = names.flatMap((name) => (query[name] ?? query[`${name}[]`] ?? []) as string | string[])
  return values
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '')
}

/** As `listParameter`, where every item must be a key of `words`: what the keys stand for. @throws AppError `code` */
export function chosenParameters<T>(
  query: JsonObject,
  name: string,
  words: Readonly<Record<string, T>>,
  code: ErrorCode,
): T[] {
  if (query[name] === '') refuse(code, name)
  return listParameter(query, name).map((word) =>
    Object.hasOwn(words, word) ? (words[word] as T) : refuse(code, name),
  )
}

/** `true` or `false`, false when absent. @throws AppError `code` */
export function booleanParameter(query: JsonObject, names: readonly string[], code: ErrorCode): boolean {
  const given = names.filter((name) => query[name] !== undefined)
  const values = given.map((name) => query[name])
  if (values.some((value) => value !== 'true' && value !== 'false')) refuse(code, given[0] ?? '')
  return values.includes('true')
}

/** A parameter given once, not blank; null when absent. @throws AppError `code` */
export function textParameter(query: JsonObject, name: string, code: ErrorCode): string | null {
  const value = query[name]
  if (value === undefined) return null
  if (typeof value !== 'string' || value.trim() === '') refuse(code, name)
  return value
}
