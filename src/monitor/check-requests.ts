import { createHash } from 'node:crypto'
import { contentOf } from '../approvals/request-content.ts'
import { contentDigest, type RequestContent } from '../audit/digest.ts'
import { canonicalJson, commitmentTo } from '../audit/leaf.ts'
import type { Policy } from '../kernel/rule.ts'
import type { Tx } from '../store/open.ts'
import type { Row } from '../store/schema.ts'
import { checkAccessRequest, type AccessRow } from './check-access-request.ts'
import { OperationCheck, type ContributionRow, type OperationRow, type OperationStreams } from './check-operation.ts'
import { compareRow } from './compare-rows.ts'
import type { Erasures } from './erasures.ts'
import { finderFor, type Finder, type Report } from './finding.ts'
import { guarded } from './guarded.ts'
import type { KeptSecrets } from './kept-secrets.ts'
import { literal, peekable, readRows, type Peekable } from './read-rows.ts'
import type { Told } from './replay.ts'
import { openRequest, replayRequest, requestRow, voteRow, type ToldRequest } from './replay-requests.ts'
import type { WorkflowOfPolicy } from './replay-workflows.ts'
import type { StoredLeaf } from './leaf-content.ts'
import { readLeaf, type ToldLeaf } from './told-leaf.ts'
import { keyOf } from './told-table.ts'
import { watchedTables } from './watched-tables.ts'

type LeafRow = StoredLeaf & { readonly subject_id: string }
/** JSON's null is no evidence either, and `pg` reads both as null: but no server writes it. */
type VoteRow = Row<'votes'> & { readonly has_evidence: boolean }

/**
 * Goes through the requests one by one, each with its leaves, its votes and what dialects have of it: queries in the
 * order of the request's id, of which only one request's part is in memory.
 * @returns how many reasons of votes were erased lawfully
 */
export async function checkRequests(
  tx: Tx,
  orgId: string,
  {
    told,
    erasures,
    secrets,
    report,
  }: {
    readonly told: Told
    readonly erasures: Erasures
    readonly secrets: KeptSecrets | null
    readonly report: Report
  },
): Promise<{ readonly erased: number }> {
  const find = finderFor(orgId, report)
  const org = literal(orgId)
  const leaves = peekable(readRows<LeafRow>(tx, leavesQuery(org)))
  const requests = peekable(readRows<Row<'requests'>>(tx, `select * from requests where org_id = ${org} order by id`))
  const votes = peekable(
    readRows<VoteRow>(
      tx,
      `select *, evidence is not null as has_evidence from votes where org_id = ${org} order by request_id, seq`,
    ),
  )
  const accesses = peekable(
    readRows<AccessRow>(tx, `select * from privx_requests where org_id = ${org} order by request_id`),
  )
  const operations = peekable(
    readRows<OperationRow>(tx, `select * from fortanix_requests where org_id = ${org} order by request_id`),
  )
  const contributions = peekable(
    readRows<ContributionRow>(tx, `select * from fortanix_approvals where org_id = ${org} order by request_id`),
  )
  const tables = new Emptied(find, {
    requests: (await requests.peek()) === undefined,
    votes: (await votes.peek()) === undefined,
    privx_requests: (await accesses.peek()) === undefined,
    fortanix_requests: (await operations.peek()) === undefined,
    fortanix_approvals: (await contributions.peek()) === undefined,
  })
  const counts = new Map<string, number>()
  const reasons = { erased: 0 }
  for (;;) {
    const id = leastOf([
      (await leaves.peek())?.subject_id,
      (await requests.peek())?.id,
      (await votes.peek())?.request_id,
      (await accesses.peek())?.request_id,
      (await operations.peek())?.request_id,
      (await contributions.peek())?.request_id,
    ])
    if (id === undefined) break
    const { rules, workflowOf } = told
    const rows = { leaves, requests, votes, accesses, operations, contributions }
    const streams = { find, rules, workflowOf, erasures, secrets, tables, ...rows, counts, reasons }
    if (told.deletedRequests.has(id)) await checkDeleted(streams, id)
    else await checkRequest(streams, id)
  }
  tables.tell()
  await checkCounts(tx, org, find, counts)
  return reasons
}

function leavesQuery(org: string): string {
  return `select l.subject_id, l.id, e.index::float8 as index, l.content, l.private
    from audit_leaves l left join log_entries e on e.org_id = l.org_id and e.leaf_id = l.id
    where l.org_id = ${org}
      and l.kind in ('request.created', 'request.canceled', 'request.expired', 'request.stage-closed', 'vote.cast',
        'request.grant-revoked', 'operation.requested', 'operation.contributed', 'operation.due', 'operation.executed',
        'operation.result-read')
    order by l.subject_id, e.index nulls last, l.id`
}

interface Streams extends OperationStreams {
  readonly rules: ReadonlyMap<string, Policy>
  readonly workflowOf: ReadonlyMap<string, WorkflowOfPolicy>
  readonly erasures: Erasures
  readonly tables: Emptied
  readonly leaves: Peekable<LeafRow>
  readonly requests: Peekable<Row<'requests'>>
  readonly votes: Peekable<VoteRow>
  readonly accesses: Peekable<AccessRow>
  /** How many requests the table has, by policy and whether they are final. */
  readonly counts: Map<string, number>
  readonly reasons: { erased: number }
}

async function checkRequest(streams: Streams, id: string): Promise<void> {
  const { find, erasures, tables, leaves, requests } = streams
  const [votes, operation] = [new VoteCheck(streams, id), new OperationCheck(streams, id)]
  let told: ToldRequest | null = null
  let isKnown = false
  while ((await leaves.peek())?.subject_id === id) {
    const leaf = readLeaf((await leaves.next()) as LeafRow, erasures)
    // What is no leaf at all was reported with the log.
    if (leaf === null) continue
    if (leaf.kind === 'request.created' && !isKnown) {
      isKnown = true
      told = telling(find, leaf, () => openRequest(streams.rules, leaf)) ?? null
      continue
    }
    if (told === null) continue
    const request = told
    const after = telling(find, leaf, () => replayRequest(request, leaf))
    if (after === undefined) continue
    for (const { column, ...differs } of after.contradictions) {
      find('audit_leaves', leaf.id, 'edited', { column: `facts.${column}`, ...differs })
    }
    told = after.request
    telling(find, leaf, () => operation.take(leaf, after.request))
    if (leaf.kind === 'vote.cast') await votes.expect(leaf)
  }
  await votes.end()

  const row = (await requests.peek())?.id === id ? await requests.next() : undefined
  if (row !== undefined) streams.counts.set(countKey(row), (streams.counts.get(countKey(row)) ?? 0) + 1)
  if (told === null && row !== undefined) find('requests', id, 'inserted')
  if (told !== null && row === undefined) tables.deleted('requests', id)
  if (told !== null && row !== undefined) {
    const request = told
    guarded(find, { table: 'requests', key: id }, () => compareRequest(streams, id, request, row))
  }
  await checkAccess(streams, id, told, row)
  await operation.end({ told, metadata: row?.metadata, isErased: isErasedContent(erasures, id) })
}

/** What the dialect privx shows of a request. */
async function checkAccess(
  { find, accesses, workflowOf, erasures, tables }: Streams,
  id: string,
  told: ToldRequest | null,
  request: Row<'requests'> | undefined,
): Promise<void> {
  const row = (await accesses.peek())?.request_id === id ? await accesses.next() : undefined
  const workflow = workflowOf.get(String(told?.row['policy_id']))
  if (workflow === undefined) {
    if (row !== undefined) find('privx_requests', id, 'inserted')
    return
  }
  if (row === undefined) return tables.deleted('privx_requests', id)
  const isErased = isErasedContent(erasures, id)
  // Of a request that is gone nothing tells what was said beside it.
  const metadata = request === undefined ? { comment: row.comment } : request.metadata
  checkAccessRequest(find, workflow, row, { metadata, isErased })
}

/** Of a request that was deleted nothing may be left. */
async function checkDeleted(streams: Streams, id: string): Promise<void> {
  const { find, leaves, requests, accesses } = streams
  while ((await leaves.peek())?.subject_id === id) await leaves.next()
  await new VoteCheck(streams, id).end()
  await new OperationCheck(streams, id).end({ told: null, metadata: undefined, isErased: false })
  if ((await accesses.peek())?.request_id === id) {
    await accesses.next()
    find('privx_requests', id, 'inserted')
  }
  if ((await requests.peek())?.id !== id) return
  const row = (await requests.next()) as Row<'requests'>
  streams.counts.set(countKey(row), (streams.counts.get(countKey(row)) ?? 0) + 1)
  find('requests', id, 'inserted')
}

function compareRequest({ find, erasures }: Streams, id: string, told: ToldRequest, row: Row<'requests'>): void {
  const columns = watchedTables.requests.columns
  // What is left of a content of which a part was erased hashes to nothing known: then no text of it may be left.
  if (isErasedContent(erasures, id)) {
    const bare = { ...requestRow(told), description: null, metadata: {} }
    compareRow(find, 'requests', id, bare, { ...row }, [...columns, 'description', 'metadata'])
    return
  }
  compareRow(find, 'requests', id, requestRow(told), { ...row }, columns)
  const { digest } = told.state
  const found = digestsOf(told, row)
  if (!found.includes(digest)) {
    find('requests', id, 'edited', { column: 'name, description or metadata', expected: digest, found: found[0] })
  }
}

const digestedColumns = ['name', 'description', 'metadata']

function isErasedContent(erasures: Erasures, id: string): boolean {
  return digestedColumns.some((column) => erasures.covers(id, column))
}

/** What the content of a request hashes to, with the digest of its rule and, as requests of old do, without. */
function digestsOf({ policy, row: told }: ToldRequest, row: Row<'requests'>): string[] {
  // These are compared by themselves, and told by their own names.
  const deciding = { policy_id: told['policy_id'] as string, requester_id: told['requester_id'] as string }
  const { policyDigest, ...content } = contentOf({ ...row, ...deciding }, policy)
  return [contentDigest({ ...content, policyDigest }), contentDigest(content as RequestContent)]
}

/** The votes of one request against the leaves that tell of them, in the order of their numbers. */
class VoteCheck {
  readonly #streams: Streams
  readonly #id: string
  /** Rows that are not what the leaf of their number tells: perhaps another's. */
  readonly #differing: { readonly seq: number; readonly told: ToldLeaf; readonly row: VoteRow }[] = []

  constructor(streams: Streams, id: string) {
    this.#streams = streams
    this.#id = id
  }

  async expect(leaf: ToldLeaf): Promise<void> {
    const { votes, tables } = this.#streams
    const seq = leaf.facts['seq'] as number
    await this.#passInserted(seq)
    const row = await votes.peek()
    if (row?.request_id !== this.#id || row.seq !== seq) return tables.deleted('votes', keyOf(this.#id, String(seq)))
    await votes.next()
    if (this.#isErased(leaf) && reasonOf(row) === null) this.#streams.reasons.erased += 1
    if (!this.#compare(() => {}, leaf, row)) this.#differing.push({ seq, told: leaf, row })
  }

  async end(): Promise<void> {
    await this.#passInserted(Infinity)
    const { find } = this.#streams
    for (const { seq, told, row } of this.#differing) {
      const other = this.#differing.find((one) => one.seq !== seq && this.#compare(() => {}, one.told, row))
      if (other === undefined) this.#compare(find, told, row)
      else find('votes', keyOf(this.#id, String(seq)), 'reordered', { found: `vote ${other.seq}` })
    }
  }

  #isErased(leaf: ToldLeaf): boolean {
    const hasReason = leaf.commitment('reason') !== undefined
    return hasReason && this.#streams.erasures.covers(this.#id, 'reason', leaf.facts['seq'] as number)
  }

  #compare(find: Finder, leaf: ToldLeaf, row: VoteRow): boolean {
    const vote = { id: this.#id, leaf, row, isErased: this.#isErased(leaf) }
    return (
      guarded(find, { table: 'votes', key: keyOf(this.#id, String(row.seq)) }, () => compareVote(find, vote)) === true
    )
  }

  async #passInserted(before: number): Promise<void> {
    const { votes, find } = this.#streams
    for (;;) {
      const row = await votes.peek()
      if (row?.request_id !== this.#id || row.seq >= before) return
      await votes.next()
      find('votes', keyOf(this.#id, String(row.seq)), 'inserted')
    }
  }
}

interface ComparedVote {
  readonly id: string
  readonly leaf: ToldLeaf
  readonly row: VoteRow
  /** Its reason was erased lawfully. */
  readonly isErased: boolean
}

function compareVote(find: Finder, { id, leaf, row, isErased }: ComparedVote): boolean {
  const key = keyOf(id, String(row.seq))
  const signature = typeof row.signature === 'string' ? digestOf(row.signature) : null
  const evidence = row.has_evidence ? digestOf(canonicalJson(row.evidence)) : null
  const found = { ...row, signature, evidence }
  const isSame = compareRow(find, 'votes', key, voteRow(leaf), found, watchedTables.votes.columns)
  // Its text and its salt are erased together; a text that nothing commits to was put there.
  const [kept, expected] = [reasonOf(row), isErased ? null : (leaf.commitment('reason') ?? null)]
  if (kept === expected) return isSame
  find('votes', key, 'edited', { column: 'reason', expected, found: kept })
  return false
}

/** What the reason and its salt commit to; null when both are gone. */
function reasonOf({ reason, reason_salt: salt }: VoteRow): string | null {
  if (reason === null && salt === null) return null
  return commitmentTo(salt ?? '', reason ?? '')
}

/** Tables of which nothing is left are told once, and not row by row. */
class Emptied {
  readonly #find: Finder
  readonly #isEmpty: Readonly<Record<string, boolean>>
  readonly #missing = new Map<string, string[]>()
  readonly #counts = new Map<string, number>()

  constructor(find: Finder, isEmpty: Readonly<Record<string, boolean>>) {
    this.#find = find
    this.#isEmpty = isEmpty
  }

  deleted(table: string, key: string): void {
    if (this.#isEmpty[table] !== true) return this.#find(table, key, 'deleted')
    this.#counts.set(table, (this.#counts.get(table) ?? 0) + 1)
    this.#missing.set(table, [key])
  }

  tell(): void {
    for (const [table, count] of this.#counts) {
      const [only = ''] = this.#missing.get(table) ?? []
      if (count === 1) this.#find(table, only, 'deleted')
      else this.#find(table, '', 'truncated', { expected: `${count} rows`, found: 'none' })
    }
  }
}

async function checkCounts(tx: Tx, org: string, find: Finder, counts: ReadonlyMap<string, number>): Promise<void> {
  const missing = new Set(counts.keys())
  const kept = readRows<{ policy_id: string; is_final: boolean; count: string }>(
    tx,
    `select policy_id, is_final, sum(difference)::text as count from request_counts where org_id = ${org}
      group by policy_id, is_final`,
  )
  for await (const row of kept) {
    missing.delete(countKey(row))
    const expected = counts.get(countKey(row)) ?? 0
    // As text: a sum may be larger than numbers of JavaScript are.
    if (row.count !== String(expected)) {
      find('request_counts', countKey(row), 'edited', { column: 'difference', expected, found: row.count })
    }
  }
  for (const key of missing) find('request_counts', key, 'deleted', { expected: counts.get(key), found: 0 })
}

function countKey(row: { readonly policy_id: string; readonly is_final: boolean }): string {
  return keyOf(row.policy_id, row.is_final ? 'final' : 'open')
}

/** Ids are compared as the database orders them: their text is the hexadecimal of their bytes. */
function leastOf(ids: readonly (string | undefined)[]): string | undefined {
  return ids
    .filter((id) => id !== undefined)
    .reduce<string | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined)
}

function telling<T>(find: Finder, leaf: ToldLeaf, work: () => T): T | undefined {
  const expected = `those of ${leaf.kind}`
  return guarded(find, { table: 'audit_leaves', key: leaf.id, column: 'facts', expected }, work)
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
