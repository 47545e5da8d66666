import type { Config } from '../config/config.ts'
import type { Tx } from '../store/open.ts'
import { checkDirectory, checkPeople } from './check-directory.ts'
import { checkKeyRows, type LogOfKeys } from './check-key-rows.ts'
import { checkLog } from './check-log.ts'
import { checkRequests } from './check-requests.ts'
import { Erasures } from './erasures.ts'
import { finderFor, type Finding } from './finding.ts'
import { readKeyRows } from './key-rows.ts'
import { readKeptSecrets } from './kept-secrets.ts'
import { readLeafMarks } from './leaf-marks.ts'
import { newPeople } from './replay-people.ts'
import { nothingTold } from './replay.ts'
import type { SeenLog } from './seen-log.ts'
import type { SeenLogs } from './state-file.ts'

/** What was checked of one organization. */
export interface Checked {
  readonly organization: string
  readonly origin: string | null
  /** Sealed entries, leaves that are not sealed yet, and texts that were erased lawfully. */
  readonly size: number
  readonly unsealed: number
  readonly erased: number
  readonly isFirstUse: boolean
  readonly keys: readonly string[]
}

export interface Monitored {
  readonly checked: readonly Checked[]
  /** How many findings there were. */
  readonly findings: number
  /** What to remember: of an organization whose log was tampered with, what was remembered before. */
  readonly seen: SeenLogs
}

export interface MonitorOptions {
  readonly config: Pick<Config, 'masterKeys'>
  /** What earlier runs saw; empty on the first. */
  readonly seen: SeenLogs
  /** Verifier keys that the operator vouches for. */
  readonly pinned: readonly string[]
  /** The monitor's own clock, which no administrator of the store can set. */
  readonly now: Date
  readonly report: (finding: Finding) => void
}

/**
 * Checks everything in the store that the log tells of, and the log against itself and what earlier runs saw of it.
 * @param tx one snapshot of the whole store
 * @throws AppError CONFIGURATION_INVALID when there is no key to check the checkpoints with
 */
export async function monitor(tx: Tx, { config, seen, pinned, now, report }: MonitorOptions): Promise<Monitored> {
  const people = newPeople()
  const checked: Checked[] = []
  const next = new Map<string, SeenLog>()
  const keyRows = await readKeyRows(tx, config)
  const secrets = await readKeptSecrets(tx, config)
  const isOwnLeaf = await readLeafMarks(tx, config)
  const logs: LogOfKeys[] = []
  let findings = 0
  let isComplete = true
  for (const orgId of await organizationsIn(tx, seen)) {
    let isLogWhole = true
    const told = nothingTold(people)
    const counted = (finding: Finding) => {
      findings += 1
      if (logTables.has(finding.table)) isLogWhole = false
      report(finding)
    }
    const before = seen.get(orgId) ?? null
    const erasures = await Erasures.read(tx, orgId, isOwnLeaf)
    const log = await checkLog(tx, {
      keyRows,
      isOwnLeaf,
      now,
      orgId,
      seen: before,
      pinned,
      told,
      erasures,
      report: counted,
    })
    logs.push({ before, now: log.seen })
    let { erased } = log
    if (log.isTruncated) isComplete = false
    else {
      await checkDirectory(tx, orgId, told, { secrets, report: counted })
      erased += (await checkRequests(tx, orgId, { told, erasures, secrets, report: counted })).erased
    }
    const { size, unsealed, isFirstUse } = log
    const kept = isLogWhole ? (log.seen ?? before) : before
    if (kept !== null) next.set(orgId, kept)
    checked.push({
      organization: orgId,
      origin: log.seen?.origin ?? null,
      size,
      unsealed,
      erased,
      isFirstUse,
      keys: (log.seen?.keys ?? []).map(({ verifierKey }) => verifierKey),
    })
  }
  const ofNone = (finding: Finding) => {
    findings += 1
    report(finding)
  }
  checkKeyRows(finderFor(null, ofNone), keyRows, logs)
  if (isComplete) await checkPeople(tx, people, { secrets, report: ofNone })
  return { checked, findings, seen: next }
}

const logTables: ReadonlySet<string> = new Set([
  'audit_leaves',
  'log_entries',
  'log_nodes',
  'log_heads',
  'log_checkpoints',
  'log_cosignatures',
])

/** Those of the table, and those that have or had a log. */
async function organizationsIn(tx: Tx, seen: SeenLogs): Promise<readonly string[]> {
  const rows = await tx.selectFrom('organizations').select('id').execute()
  const heads = await tx.selectFrom('log_heads').select('org_id as id').execute()
  return [...new Set([...rows, ...heads].map(({ id }) => id).concat([...seen.keys()]))].toSorted()
}
