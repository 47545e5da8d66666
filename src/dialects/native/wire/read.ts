import { AppError, type ErrorCode } from '../../../errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws AppError `code` unless `value` is a JSON object */
export function asObject(value: unknown, code: ErrorCode = 'MALFORMED_REQUEST', field?: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError(code, undefined, field === undefined ? {} : { field })
  }
  return value as JsonObject
}

/** An optional text of at most `maxLength` characters; null counts as absent. */
export function optionalText(
  body: JsonObject,
  field: string,
  codes: { type: ErrorCode; tooLong: ErrorCode },
  maxLength: number,
): string | null {
  const value = body[field]
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw new AppError(codes.type, undefined, { field })
  if (value.length > maxLength) throw new AppError(codes.tooLong, undefined, { field })
  return value
}

/** @throws AppError `code`, naming the field */
export function refuse(code: ErrorCode, field: string): never {
  throw new AppError(code, undefined, { field })
}
