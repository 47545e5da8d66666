import type { Ctx } from '../../src/context.ts'
import { countFaults } from '../helpers/history.ts'
import type { RawAnswer } from '../helpers/fortanix.ts'

/** One decision as one reviewer sent it. */
export interface Sent {
  readonly request: string
  readonly by: string
  readonly stance: 'approve' | 'deny'
  /** What the answer said; null when the server died before it came. */
  answer: (Pick<RawAnswer, 'status' | 'text'> & { readonly state: string | null }) | null
}

/** A request to sign, with what was sent about it. */
export interface Asked {
  readonly id: string
  /** When the server was killed under it. */
  killedAt: Date
}

export interface OperationFault {
  readonly kind: 'doubled' | 'lost' | 'other'
  readonly text: string
}

export interface OperationAudit {
  readonly approvals: number
  readonly denials: number
  /** How often the key was used, as its counter has it. */
  readonly uses: number
  /** How many were decided when the server was killed, and not done. */
  readonly leftDue: number
  readonly faults: readonly OperationFault[]
  readonly isPending: boolean
}

interface Leaf {
  readonly kind: string
  readonly subject: string
  readonly execution: string | undefined
  readonly at: Date
}

/** Holds what is stored against what was answered: every approved operation is done, once, and no other. */
export async function auditOperations(
  ctx: Ctx,
  { kid, quorum, asked, sent }: { kid: string; quorum: number; asked: readonly Asked[]; sent: readonly Sent[] },
): Promise<OperationAudit> {
  const rows = await ctx.db
    .selectFrom('fortanix_requests as f')
    .innerJoin('requests as r', 'r.id', 'f.request_id')
    .select(['f.request_id as id', 'f.execution', 'f.result_status', 'f.executed_at', 'r.status'])
    .execute()
  const votes = await ctx.db
    .selectFrom('votes as v')
    .innerJoin('principals as p', 'p.id', 'v.principal_id')
    .select(['v.request_id', 'v.stance', 'p.person_id as by'])
    .execute()
  const key = await ctx.db.selectFrom('fortanix_keys').select('used').where('id', '=', kid).executeTakeFirstOrThrow()
  const leaves = await findLeaves(ctx)
  const jobs = (await ctx.store.jobs.depths()).reduce((sum, { count }) => sum + count, 0)

  const faults: OperationFault[] = (await countFaults(ctx)).map((text) => ({ kind: 'other', text }))
  const rowOf = new Map(rows.map((row) => [row.id, row]))
  const votesOf = Map.groupBy(votes, (vote) => vote.request_id)
  const leavesOf = Map.groupBy(leaves, (leaf) => leaf.subject)
  const sentOf = Map.groupBy(sent, ({ request }) => request)
  let leftDue = 0
  for (const { id, killedAt } of asked) {
    const row = rowOf.get(id)
    if (row === undefined) {
      faults.push({ kind: 'lost', text: `request ${id}: gone` })
      continue
    }
    const cast = votesOf.get(id) ?? []
    const told = leavesOf.get(id) ?? []
    const due = told.find(({ kind }) => kind === 'operation.due')
    if (due !== undefined && due.at < killedAt && (row.executed_at ?? killedAt) >= killedAt) leftDue += 1
    faults.push(
      ...stateFaults(row, cast, told, quorum).map((fault) => ({ ...fault, text: `request ${id}: ${fault.text}` })),
      ...(sentOf.get(id) ?? []).flatMap((one) => answerFaults(one, row.execution, cast)),
    )
  }
  const succeeded = rows.filter(({ execution }) => execution === 'succeeded').length
  const counts = {
    'uses that the key counts': Number(key.used),
    'leaves of uses': leaves.filter(({ kind }) => kind === 'key.used').length,
    'leaves of operations done': leaves.filter(({ execution }) => execution === 'succeeded').length,
  }
  for (const [what, count] of Object.entries(counts)) {
    if (count === succeeded) continue
    const kind = count > succeeded ? 'doubled' : 'lost'
    faults.push({ kind, text: `${count} ${what}, and ${succeeded} operations approved` })
  }
  return {
    approvals: succeeded,
    denials: rows.filter(({ execution }) => execution === 'denied').length,
    uses: Number(key.used),
    leftDue,
    faults,
    isPending: jobs > 0 || rows.some(({ execution }) => execution === 'due'),
  }
}

async function findLeaves({ db }: Ctx): Promise<Leaf[]> {
  const rows = await db
    .selectFrom('audit_leaves')
    .select(['kind', 'subject_id', 'content', 'created_at'])
    .where('kind', 'in', ['operation.due', 'operation.executed', 'key.used'])
    .execute()
  return rows.map(({ kind, subject_id: subject, content, created_at: at }) => {
    const { facts } = JSON.parse(content) as { facts: { execution?: string } }
    return { kind, subject, execution: facts.execution, at }
  })
}

type Row = Readonly<{ execution: string; status: string; result_status: number | null }>
type Cast = Readonly<{ stance: string; by: string | null }>

/** What a request is at, its votes and its leaves tell one thing. */
function stateFaults(row: Row, cast: readonly Cast[], told: readonly Leaf[], quorum: number): OperationFault[] {
  const faults: OperationFault[] = []
  const complain = (kind: OperationFault['kind'], text: string) => faults.push({ kind, text })
  const approvals = cast.filter(({ stance }) => stance === 'approve')
  const isDecided = approvals.length >= quorum
  const of = (kind: string) => told.filter((leaf) => leaf.kind === kind).length
  if (new Set(approvals.map(({ by }) => by)).size !== approvals.length) complain('doubled', 'somebody approved twice')
  if (approvals.length > quorum) complain('other', `${approvals.length} approvals`)
  const wanted = { waiting: ['open', 0], denied: ['rejected', 0], succeeded: ['approved', 1] }[row.execution]
  if (wanted === undefined) return [...faults, { kind: 'lost', text: `it is ${row.execution}` }]
  const [status, done] = wanted
  if (row.status !== status) complain('other', `it is ${row.execution}, and to the engine ${row.status}`)
  if (isDecided !== (done === 1)) complain('lost', `${approvals.length} approvals, and it is ${row.execution}`)
  if (of('operation.due') !== done) complain('other', `decided ${of('operation.due')} times`)
  if (of('operation.executed') !== done) complain('doubled', `done ${of('operation.executed')} times`)
  if ((row.result_status === 200) !== (done === 1)) complain('lost', `its result is ${row.result_status}`)
  return faults
}

/** What was answered is true, and stays true. */
function answerFaults({ by, stance, answer }: Sent, execution: string, cast: readonly Cast[]): OperationFault[] {
  if (answer === null || answer.status === 400) return []
  const say = (kind: OperationFault['kind'], text: string): OperationFault[] => [
    { kind, text: `${stance} by ${by}: ${text}` },
  ]
  if (answer.status !== 200) return say('other', `answered ${answer.status} ${answer.text}`)
  const isThere = cast.some((vote) => vote.by === by && (vote.stance === 'approve') === (stance === 'approve'))
  if (!isThere) return say('lost', 'acknowledged, and it is not there')
  const meant = { APPROVED: 'succeeded', DENIED: 'denied' }[answer.state ?? '']
  if (meant !== undefined && execution !== meant) return say('lost', `answered ${answer.state}, and it is ${execution}`)
  return []
}
