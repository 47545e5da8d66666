/** What is wrong, and where: `stages[0].rule.of[2].atLeast`. */
export interface Problem {
  readonly path: string
  readonly reason: string
}

/** Looks at a value of unknown shape, found at `path`. */
export type Check = (value: unknown, path: string) => readonly Problem[]

/** Checks of an object's fields; the fields named in `optional` may be absent. */
export function object(fields: Readonly<Record<string, Check>>, optional: readonly string[] = []): Check {
  return (value, path) => {
    if (!isObject(value)) return [{ path, reason: 'must be an object' }]
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key))
    const problems = Object.entries(fields).flatMap(([key, check]) =>
      value[key] === undefined && optional.includes(key) ? [] : check(value[key], path === '' ? key : `${path}.${key}`),
    )
    return unknown === undefined
      ? problems
      : [...problems, { path, reason: `has an unknown field ${JSON.stringify(unknown)}` }]
  }
}

/** Checks a list. One that is too long is not looked into, so that a hostile one costs nothing. */
export function list(item: Check, { min, max }: { readonly min: number; readonly max: number }): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return [{ path, reason: 'must be a list' }]
    if (value.length < min) return [{ path, reason: `must have at least ${min}` }]
    if (value.length > max) return [{ path, reason: `must have at most ${max}` }]
    // Array.from and not flatMap, which would step over the holes of a sparse list.
    return Array.from(value, (each: unknown, index) => item(each, `${path}[${index}]`)).flat()
  }
}

export function oneOf(...allowed: readonly string[]): Check {
  return check((value) => allowed.some((each) => each === value), `must be one of ${allowed.join(', ')}`)
}

export function check(isRight: (value: unknown) => boolean, reason: string): Check {
  return (value, path) => (isRight(value) ? [] : [{ path, reason }])
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const boolean = check((value) => typeof value === 'boolean', 'must be true or false')
export const text = check((value) => typeof value === 'string', 'must be text')
export const identifier = check((value) => typeof value === 'string' && value !== '', 'must be text, and not empty')
export const positive = check(
  (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  'must be a whole number from 1 on',
)
export const isTrue = check((value) => value === true, 'must be true, or left out')
