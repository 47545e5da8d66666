import type { GrantTerms } from '../../kernel/grant-terms.ts'
import type { TermsColumns } from '../../store/grants.ts'

/** Terms as the tables hold them. */
export function columnsOf({ kind, startsAt, endsAt, floatingHours }: GrantTerms): TermsColumns {
  return {
    kind,
    starts_at: startsAt === undefined ? null : new Date(startsAt),
    ends_at: endsAt === undefined ? null : new Date(endsAt),
    floating_hours: floatingHours ?? null,
  }
}

/** The same back: what a row leaves null the terms leave out. */
export function termsOf({ kind, starts_at, ends_at, floating_hours }: TermsColumns): GrantTerms {
  return {
    kind,
    ...(starts_at !== null && { startsAt: starts_at.getTime() }),
    ...(ends_at !== null && { endsAt: ends_at.getTime() }),
    ...(floating_hours !== null && { floatingHours: floating_hours }),
  }
}

/** Terms as leaves tell them and as stored JSON keeps them: times as text. */
export function termsFacts({ kind, startsAt, endsAt, floatingHours }: GrantTerms): TermsFacts {
  return {
    grantKind: kind,
    ...(startsAt !== undefined && { startsAt: new Date(startsAt).toISOString() }),
    ...(endsAt !== undefined && { endsAt: new Date(endsAt).toISOString() }),
    ...(floatingHours !== undefined && { floatingHours }),
  }
}

export interface TermsFacts {
  readonly grantKind: GrantTerms['kind']
  readonly startsAt?: string
  readonly endsAt?: string
  readonly floatingHours?: number
}

export function isSameTerms(a: GrantTerms, b: GrantTerms): boolean {
  return JSON.stringify(termsFacts(a)) === JSON.stringify(termsFacts(b))
}
