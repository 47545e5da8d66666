import type { Ctx } from '../context.ts'
import { dropKeptTexts, eraseReason, findMaking, findOrganizationId, isToldErased } from '../store/erasure.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { appendLeaf } from './append.ts'
import { erasables } from './erasable.ts'
import { ErasureRefused } from './gone.ts'
import type { LeafKind } from './leaf.ts'

/** What is to be forgotten: the texts of whatever has this id, or the reason of one vote on the request that has it. */
export interface Subject {
  /** The organization's id or name. */
  readonly organization: string
  readonly id: string
  /** The number of a vote; null for the subject itself. */
  readonly seq: number | null
}

export interface Erased {
  readonly what: string
  /** Names of columns, in the order of the alphabet; none when there was nothing left to erase. */
  readonly fields: readonly string[]
  /** So many leaves had texts beside them. */
  readonly leaves: number
}

/**
 * Erases names and free text that the law asks for, salts with them, and leaves a leaf that says so: all of it or nothing. What leaves
 * commit to stays, and can be opened by nobody.
 * @throws ErasureRefused for an id that nothing has, and for what is still in use under its name
 */
export async function eraseText(ctx: Ctx, { organization, id, seq }: Subject): Promise<Erased> {
  return await transact(ctx, null, async (tx) => {
    const orgId = await findOrganizationId(tx, organization)
    if (orgId === undefined) throw new ErasureRefused(`There is no organization ${organization}.`)
    if (seq !== null) return await eraseVote(ctx, tx, orgId, id, seq)
    const made = await findMaking(tx, orgId, id, Object.keys(erasables))
    const erasable = erasables[made as LeafKind]
    if (erasable === undefined)
      throw new ErasureRefused(`The log of ${organization} tells of nothing with the id ${id} that has texts.`)
    const { what } = erasable
    const { subjects, changed, leaves } = await erasable.erase(tx, orgId, id, ctx)
    let texts = leaves
    for (const subject of subjects) {
      // What an organization is called stays, but where that was erased.
      const keepsName = subject.id === orgId && !subject.fields.includes('name')
      texts += await dropKeptTexts(tx, subject.orgId ?? orgId, subject.id, keepsName)
    }
    if (changed + texts === 0 && (await isToldErased(tx, orgId, id))) return { what, fields: [], leaves: 0 }
    for (const subject of subjects) await tell(ctx, tx, subject.orgId ?? orgId, subject.id, { fields: subject.fields })
    return { what, fields: subjects.find((subject) => subject.id === id)?.fields ?? [], leaves: texts }
  })
}

async function eraseVote(ctx: Ctx, tx: Tx, orgId: string, requestId: string, seq: number): Promise<Erased> {
  const had = await eraseReason(tx, orgId, requestId, seq)
  if (had === undefined) throw new ErasureRefused(`There is no vote ${seq} on a request ${requestId}.`)
  const fields = had > 0 ? ['reason', 'reason_salt'] : []
  if (had > 0) await tell(ctx, tx, orgId, requestId, { fields, seq })
  return { what: `vote ${seq} on the request`, fields, leaves: 0 }
}

async function tell(
  ctx: Ctx,
  tx: Tx,
  orgId: string,
  subjectId: string,
  facts: { readonly fields: readonly string[]; readonly seq?: number },
): Promise<void> {
  const at = ctx.clock.now()
  await appendLeaf(ctx, tx, { orgId, kind: 'text.erased', subjectId, actor: { kind: 'system' }, at, facts })
}
