import { isObject, type Problem } from '../kernel/check.ts'

/**
 * Looks at a value of unknown form. Unlike the checks of the kernel it ends at the first problem, so that a file with a million
 * of them costs no more than a good one.
 * @returns where in the value it is wrong, and how; null when it is right
 */
export type Form = (value: unknown) => Problem | null

/** Exactly these members; those named in `optional` may be absent. */
export function object(members: Readonly<Record<string, Form>>, optional: readonly string[] = []): Form {
  const all = Object.entries(members)
  return (value) => {
    if (!isObject(value)) return { path: '', reason: 'must be an object' }
    for (const [name, form] of all) {
      if (!Object.hasOwn(value, name) && optional.includes(name)) continue
      const problem = form(value[name])
      if (problem !== null) return within(`.${name}`, problem)
    }
    for (const name in value) if (!Object.hasOwn(members, name)) return { path: '', reason: 'has an unknown member' }
    return null
  }
}

/** Any number of members, each of this form. */
export function recordOf(item: Form): Form {
  return (value) => {
    if (!isObject(value)) return { path: '', reason: 'must be an object' }
    for (const name in value) {
      const problem = item(value[name])
      if (problem !== null) return within(`.${name}`, problem)
    }
    return null
  }
}

export function list(item: Form, { min = 0, max = Infinity } = {}): Form {
  return (value) => {
    if (!Array.isArray(value)) return { path: '', reason: 'must be a list' }
    if (value.length < min) return { path: '', reason: `must have at least ${min}` }
    if (value.length > max) return { path: '', reason: `must have at most ${max}` }
    for (let index = 0; index < value.length; index++) {
      const problem = item(value[index])
      if (problem !== null) return within(`[${index}]`, problem)
    }
    return null
  }
}

/** A list in which nothing comes twice. */
export function distinct(item: Form, sizes: { readonly min?: number; readonly max?: number } = {}): Form {
  return both(
    list(item, sizes),
    is((value) => isDistinct(value as unknown[]), 'must not name anything twice'),
  )
}

/** The second form is looked at where the first one is right. */
export function both(first: Form, second: Form): Form {
  return (value) => first(value) ?? second(value)
}

export function is(isRight: (value: unknown) => boolean, reason: string): Form {
  return (value) => (isRight(value) ? null : { path: '', reason })
}

export function oneOf(...allowed: readonly string[]): Form {
  return is((value) => allowed.some((each) => each === value), `must be one of ${allowed.join(', ')}`)
}

export const boolean = is((value) => typeof value === 'boolean', 'must be true or false')
export const text = is((value) => typeof value === 'string', 'must be text')
export const identifier = is((value) => typeof value === 'string' && value !== '', 'must be text, and not empty')

function within(outer: string, { path, reason }: Problem): Problem {
  return { path: outer + path, reason }
}

function isDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length
}
