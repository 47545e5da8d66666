import type { GrantKind, GrantTerms } from '../../../kernel/grant-terms.ts'
import type { Members } from '../../shared/members.ts'
import { renderTime } from '../../shared/times.ts'

/** The types of grants as this API names them (contract privx §3.2). */
export const grantWords: Readonly<Record<GrantKind, string>> = {
  permanent: 'PERMANENT',
  'time-restricted': 'TIME_RESTRICTED',
  floating: 'FLOATING',
}

const kinds = new Map(Object.entries(grantWords).map(([kind, word]) => [word, kind as GrantKind]))

export function kindOf(word: string): GrantKind | null {
  return kinds.get(word) ?? null
}

/** What this API calls the terms of a grant. */
export const grantMembers: Readonly<Record<keyof GrantTerms, string>> = {
  kind: 'grant_type',
  startsAt: 'grant_start',
  endsAt: 'grant_end',
  floatingHours: 'floating_length',
}

/** The members of a grant that say something; a prefix is part of their names. An empty text and 0 say nothing. */
export function parseTerms(members: Members, prefix: '' | 'requested_' = ''): Partial<GrantTerms> {
  const word = members.choice(`${prefix}grant_type`, Object.values(grantWords))
  const kind = word === null ? null : kindOf(word)
  const [start, end] = [members.time(`${prefix}grant_start`), members.time(`${prefix}grant_end`)]
  const floatingHours = members.integer(`${prefix}floating_length`) ?? 0
  return {
    ...(kind !== null && { kind }),
    ...(start !== null && { startsAt: start.getTime() }),
    ...(end !== null && { endsAt: end.getTime() }),
    ...(floatingHours !== 0 && { floatingHours }),
  }
}

/** The members of a grant that a body names; what its type does not need is left out. */
export function renderTerms({ kind, startsAt, endsAt, floatingHours }: GrantTerms): RenderedTerms {
  return {
    grant_type: grantWords[kind],
    ...(startsAt !== undefined && { grant_start: renderTime(new Date(startsAt)) }),
    ...(endsAt !== undefined && { grant_end: renderTime(new Date(endsAt)) }),
    ...(floatingHours !== undefined && { floating_length: floatingHours }),
  }
}

export interface RenderedTerms {
  readonly grant_type: string
  readonly grant_start?: string
  readonly grant_end?: string
  readonly floating_length?: number
}
