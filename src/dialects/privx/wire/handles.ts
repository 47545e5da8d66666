import type { Handles } from '../../../store/privx-handles.ts'
import type { Members } from '../../shared/members.ts'
import { unknownId } from '../../shared/members.ts'

/** How a role is referred to. What is gone keeps its last name (contract privx §3.2). */
export function roleHandle(roles: Handles, id: string): object {
  const role = roles.get(id)
  return { id, name: role?.name ?? '', ...(role?.isDeleted !== false && { deleted: true }) }
}

export function userHandle(people: Handles, id: string): object {
  const user = people.get(id)
  return { id, display_name: user?.name ?? '', ...(user?.isDeleted !== false && { deleted: true }) }
}

/** The id in a member that has to be there; one that is not of the form of an id names nothing. */
export function neededId(members: Members, name: string): string {
  const id = members.id(name)
  const isLeftOut = !members.has(name) || members.raw(name) === ''
  if (isLeftOut) members.complain(name, 'is needed')
  return id ?? unknownId
}

/** The id in an object that has to be there: `{"id": "…"}`. */
export function neededHandle(members: Members, name: string): string {
  if (!members.has(name)) members.complain(name, 'is needed')
  return members.object(name, (handle) => neededId(handle, 'id')) ?? unknownId
}

/** One of a closed set of words that has to be there. */
export function neededChoice<T extends string>(members: Members, name: string, words: readonly [T, ...T[]]): T {
  const isLeftOut = !members.has(name) || members.raw(name) === ''
  if (isLeftOut) members.complain(name, `must be one of ${words.join(', ')}`)
  return members.choice(name, words) ?? words[0]
}
