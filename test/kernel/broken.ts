import type { EngineMaker } from './compare.ts'
export const BROKEN_NAMES = ['todo']
export function brokenEngine(_name: string): EngineMaker {
  throw new Error()
}
