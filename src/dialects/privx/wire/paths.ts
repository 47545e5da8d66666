import { idOf } from '../../shared/ids.ts'
import { unknownId } from '../../shared/members.ts'

/** The id that a path ends in; whatever is not of the form of one names nothing (contract privx §1). */
export function idInPath(text: string): string {
  return idOf(text) ?? unknownId
}
