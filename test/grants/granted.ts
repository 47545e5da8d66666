/** A role that somebody was given, as whoever gave it knows it. Times are epoch milliseconds. */
export interface Granted {
  readonly userId: string
  readonly roleId: string
  readonly sentAt: number
  /** From here on it must be seen; not yet, while the call that gives it has no answer. */
  knownFrom: number
  /** Nobody can tell any more whether it was made: its time was up before anybody could look. */
  isUncertain: boolean
  startsAt: number | null
  endsAt: number | null
  /** Of a floating one. */
  readonly hours: number | null
  /** When it was sent first that it is used; null as long as nobody did. */
  useSentAt: number | null
  /** From here on it is seen that it was used. */
  useKnownFrom: number
  /** It was seen that it is over. */
  goneAt: number | null
}

export type Terms = Pick<Granted, 'startsAt' | 'endsAt' | 'hours'>

/** A role as the wire shows it. */
export interface Shown {
  readonly roleId: string
  readonly kind: string
  readonly startsAt: number | null
  readonly endsAt: number | null
}

/** What one call showed of somebody's roles: it was asked at `from` and answered at `to`. */
export interface Seen {
  readonly place: 'roles' | 'resolve' | 'own grants'
  readonly userId: string
  readonly from: number
  readonly to: number
  readonly roles: readonly Shown[]
  /** When it is about one role, and says nothing of the others. */
  readonly only?: string
}

const hour = 3_600_000
/** A role leaves its holder's within one minute after its end (contract privx §4.5). */
export const mostLateMilliseconds = 60_000

/** What was given to whom, against which everything that a server shows is held. A role is one holder's at a time. */
export interface Ledger {
  readonly all: readonly Granted[]
  readonly faults: string[]
  /** By how many milliseconds a role was still shown after its end, at most. */
  readonly worstReadMilliseconds: number
  /** The last grant of a role. */
  current(roleId: string): Granted | undefined
  add(userId: string, roleId: string, terms: Terms): Granted
  /** It is known that it was never made. */
  drop(grant: Granted): void
  hold(seen: Seen): void
}

export function createLedger(): Ledger {
  const all: Granted[] = []
  const last = new Map<string, Granted>()
  const faults: string[] = []
  let worst = 0

  const checkShown = (grant: Granted, { place, from, to }: Seen, shown: Shown) => {
    const fault = (what: string) => faults.push(`role ${grant.roleId}: ${what} (${place})`)
    if (!readUse(grant, shown, { from, to }, fault)) return
    const { startsAt, endsAt, goneAt } = grant
    if (shown.startsAt !== startsAt || shown.endsAt !== endsAt) fault('shown on other terms than it was given on')
    if (place === 'resolve' && startsAt !== null && to < startsAt) fault('in force before its start')
    if (goneAt !== null && from > goneAt) fault('there again after it had ended')
    if (endsAt === null || from < endsAt) return
    const late = from - endsAt
    worst = Math.max(worst, late)
    if (place === 'resolve') fault(`in force ${late} ms after its end`)
    else if (late > mostLateMilliseconds) fault(`still there ${late} ms after its end`)
  }
  const checkMissing = (grant: Granted, { place, from, to }: Seen) => {
    const { startsAt, endsAt, knownFrom, isUncertain } = grant
    if (endsAt !== null && from >= endsAt) grant.goneAt ??= to
    const hasBegun = place !== 'resolve' || startsAt === null || from >= startsAt
    const isBeforeEnd = endsAt === null || to < endsAt
    if (hasBegun && isBeforeEnd && from >= knownFrom && !isUncertain) {
      faults.push(`role ${grant.roleId}: granted, and lost (${place})`)
    }
  }
  return {
    all,
    faults,
    get worstReadMilliseconds() {
      return worst
    },
    current: (roleId) => last.get(roleId),
    add(userId, roleId, terms) {
      const grant: Granted = {
        userId,
        roleId,
        ...terms,
        sentAt: Date.now(),
        knownFrom: Infinity,
        isUncertain: false,
        useSentAt: null,
        useKnownFrom: Infinity,
        goneAt: null,
      }
      all.push(grant)
      last.set(roleId, grant)
      return grant
    },
    drop(grant) {
      all.splice(all.indexOf(grant), 1)
      if (last.get(grant.roleId) === grant) last.delete(grant.roleId)
    },
    hold(seen) {
      const shown = new Map(seen.roles.map((role) => [role.roleId, role]))
      if (shown.size < seen.roles.length) faults.push(`user ${seen.userId}: a role is there twice (${seen.place})`)
      for (const grant of last.values()) {
        // What was given while the answer was on its way may be in it or not.
        if (grant.userId !== seen.userId || seen.from < grant.sentAt) continue
        if (seen.only !== undefined && seen.only !== grant.roleId) continue
        const role = shown.get(grant.roleId)
        if (role === undefined) checkMissing(grant, seen)
        else checkShown(grant, seen, role)
      }
      for (const { roleId } of seen.roles) {
        if (last.get(roleId)?.userId !== seen.userId) faults.push(`role ${roleId}: nobody granted it (${seen.place})`)
      }
    },
  }
}

/** What a floating grant shows of its first use, which is then what it stands on; false when it is shown as of before. */
function readUse(
  grant: Granted,
  { kind, startsAt, endsAt }: Shown,
  { from, to }: Pick<Seen, 'from' | 'to'>,
  fault: (what: string) => void,
): boolean {
  if (grant.hours === null) return true
  if (kind === 'FLOATING') {
    if (from >= grant.useKnownFrom) fault('was used, and floats again')
    return false
  }
  if (grant.useSentAt === null || startsAt === null || endsAt === null) {
    fault('nobody used it')
    return false
  }
  if (startsAt < grant.useSentAt || startsAt > to) fault('its hours do not run from its first use on')
  if (endsAt !== startsAt + grant.hours * hour) fault('does not last for its hours')
  if (grant.startsAt === null) Object.assign(grant, { startsAt, endsAt })
  grant.useKnownFrom = Math.min(grant.useKnownFrom, to)
  return true
}
